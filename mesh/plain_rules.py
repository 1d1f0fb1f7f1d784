"""Sees of most messages at a glance that they keep their rules; protovalidate is asked about all others.

Protovalidate can check everything, and that costs a tenth of a call. A message that holds nothing but texts of an
allowed length, numbers in their range and known enum values needs no engine. This says yes only where protovalidate
would: what is ruled in another way and what is wrong is left to it, and so is every word about a fault.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from buf.validate.validate_pb2 import IGNORE_ALWAYS, IGNORE_IF_ZERO_VALUE, FieldRules
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Plain = Callable[[Message], bool]
"""True for a message that keeps its rules, all or those of one field; False says nothing."""

_INTEGERS = frozenset({"int32", "int64", "uint32", "uint64", "sint32", "sint64"})

_ENDLESS = 2**64
"""More than any length or number."""


def plain_of(descriptor: Any, within: frozenset[str] = frozenset()) -> Plain | None:
    """What tells at a glance that a message of a type keeps its rules; None where nothing can.

    Args:
        descriptor: of the message type.
        within: the types that it stands in, for one may stand in itself.
    """
    if rules_at(descriptor) or any(map(rules_at, descriptor.oneofs)):
        return None
    tests = list[Plain]()
    for field in descriptor.fields:
        if rules_at(field) or (field.message_type is not None and has_rules(field.message_type)):
            test = _test(field, within | {descriptor.full_name})
            if test is None:
                return None
            tests.append(test)

    def plain(message: Message) -> bool:
        for test in tests:  # noqa: SIM110 - all() would make a generator for each call
            if not test(message):
                return False
        return True

    return plain


def has_rules(descriptor: Any, seen: set[str] | None = None) -> bool:
    """Whether a rule stands at a message type or anywhere in it."""
    seen = set() if seen is None else seen
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    return (
        bool(rules_at(descriptor))
        or any(map(rules_at, [*descriptor.oneofs, *descriptor.fields]))
        or any(has_rules(field.message_type, seen) for field in descriptor.fields if field.message_type is not None)
    )


def rules_at(descriptor: Any) -> Sequence[Any]:
    """The annotations of protovalidate at a message, a oneof or a field."""
    return [value for option, value in descriptor.GetOptions().ListFields() if option.file.package == "buf.validate"]


def _test(field: Any, within: frozenset[str]) -> Plain | None:
    """What tells it of one field; None where nothing can."""
    said = rules_at(field)
    rules = said[0] if said else FieldRules()
    name, read = field.name, attrgetter(field.name)
    if rules.ignore == IGNORE_ALWAYS:
        return lambda _: True
    if rules.ignore == IGNORE_IF_ZERO_VALUE and not field.has_presence:
        return lambda message: not read(message)
    if field.is_repeated:
        return None if said else lambda message: not read(message)
    if field.has_presence:
        if rules.required:
            return None
        inner = None if said else _part(field, within)
        if inner is None:
            return lambda message: not message.HasField(name)
        return lambda message: not message.HasField(name) or inner(read(message))
    return _test_of_value(field, rules)


def _part(field: Any, within: frozenset[str]) -> Plain | None:
    """What tells it of a message in a message; None where nothing can."""
    return None if field.message_type.full_name in within else plain_of(field.message_type, within)


def _test_of_value(field: Any, rules: Any) -> Plain | None:
    """What tells it of a text, a whole number or an enum value that is always there; None of all else."""
    read, names = attrgetter(field.name), _names(rules) - {"required"}
    kind = rules.WhichOneof("type") or ""
    if not names <= {kind}:
        return None
    of: Any = getattr(rules, kind, None)
    if field.type == FieldDescriptor.TYPE_STRING and (of is None or _names(of) <= {"min_len", "max_len"}):
        shortest = max(rules.string.min_len, int(rules.required))
        longest = rules.string.max_len if rules.string.HasField("max_len") else _ENDLESS
        return lambda message: shortest <= len(read(message)) <= longest
    if kind in _INTEGERS and _names(of) <= {"gte", "lte"} and not rules.required:
        least = of.gte if of.HasField("gte") else -_ENDLESS
        most = of.lte if of.HasField("lte") else _ENDLESS
        # A range that is written the wrong way round means what lies outside of it.
        return (lambda message: least <= read(message) <= most) if least <= most else None
    if kind == "enum" and _names(of) == {"defined_only"} and of.defined_only:
        known = frozenset(value.number for value in field.enum_type.values if value.number or not rules.required)
        return lambda message: read(message) in known
    return None


def _names(rules: Message) -> set[str]:
    """The rules that are set; one that stands in another file has its package in its name, so it is none of these."""
    return {field.full_name if field.is_extension else field.name for field, _ in rules.ListFields()}
