"""Sees of most messages at a glance that they keep their rules; protovalidate is asked about all others.

Protovalidate can check everything, and that costs a tenth of a call. A message that holds nothing but texts of an
allowed length, numbers in their range and known enum values needs no engine. This says yes only where protovalidate
would: what is ruled in another way and what is wrong is left to it, and so is every word about a fault.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from buf.validate.validate_pb2 import IGNORE_ALWAYS, IGNORE_IF_ZERO_VALUE, FieldRules
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Plain = Callable[[Message], bool]
"""True for a message that keeps its rules; False says nothing."""

_INTEGERS = frozenset({"int32", "int64", "uint32", "uint64", "sint32", "sint64"})

_ENDLESS = 2**64
"""More than any length or number."""


class _NotPlainError(Exception):
    """A field that can't be judged at a glance, whatever it holds."""


@dataclass(slots=True)
class _Tests:
    """What is looked at. Every request comes here, so these are few loops over tuples, with no call for each field."""

    lengths: list[tuple[Any, int, int]] = field(default_factory=list)
    """Reads a text or a list; its least and its greatest length."""
    numbers: list[tuple[Any, int, int]] = field(default_factory=list)
    """Reads a number; the least and the greatest."""
    parts: list[tuple[str, Any, Plain | None]] = field(default_factory=list)
    """A field that may be absent, what reads it, and what tells of it; None where it has to be absent."""

    def plain(self, message: Message) -> bool:
        """Whether all of them hold."""
        for read, least, most in self.lengths:
            if not least <= len(read(message)) <= most:
                return False
        for read, least, most in self.numbers:
            if not least <= read(message) <= most:
                return False
        for name, read, plain in self.parts:
            if message.HasField(name) and (plain is None or not plain(read(message))):
                return False
        return True


def plain_of(descriptor: Any, within: frozenset[str] = frozenset()) -> Plain | None:
    """What tells at a glance that a message of a type keeps its rules; None where nothing can.

    Args:
        descriptor: of the message type.
        within: the types that it stands in, for one may stand in itself.
    """
    if rules_at(descriptor) or any(map(rules_at, descriptor.oneofs)):
        return None
    tests = _Tests()
    try:
        for each in descriptor.fields:
            if rules_at(each) or (each.message_type is not None and has_rules(each.message_type)):
                _look_at(each, within | {descriptor.full_name}, tests)
    except _NotPlainError:
        return None
    return tests.plain


def has_rules(descriptor: Any, seen: set[str] | None = None) -> bool:
    """Whether a rule stands at a message type or anywhere in it."""
    seen = set() if seen is None else seen
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    return (
        bool(rules_at(descriptor))
        or any(map(rules_at, [*descriptor.oneofs, *descriptor.fields]))
        or any(has_rules(each.message_type, seen) for each in descriptor.fields if each.message_type is not None)
    )


def rules_at(descriptor: Any) -> Sequence[Any]:
    """The annotations of protovalidate at a message, a oneof or a field."""
    return [value for option, value in descriptor.GetOptions().ListFields() if option.file.package == "buf.validate"]


def _look_at(each: Any, within: frozenset[str], tests: _Tests) -> None:
    """Adds what is to be looked at of one field.

    Raises:
        _NotPlainError: there is nothing to be seen of it.
    """
    said = rules_at(each)
    rules = said[0] if said else FieldRules()
    read = attrgetter(each.name)
    if rules.ignore == IGNORE_ALWAYS:
        return
    if each.is_repeated:
        if said and rules.ignore != IGNORE_IF_ZERO_VALUE:
            raise _NotPlainError
        tests.lengths.append((read, 0, 0))
    elif each.has_presence:
        if rules.required:
            raise _NotPlainError
        tests.parts.append((each.name, read, None if said else _part(each, within)))
    elif each.type == FieldDescriptor.TYPE_STRING:
        tests.lengths.append((read, *_lengths(rules)))
    else:
        tests.numbers.append((read, *_range(each, rules)))


def _part(each: Any, within: frozenset[str]) -> Plain | None:
    """What tells it of a message in a message; None where nothing can."""
    return None if each.message_type.full_name in within else plain_of(each.message_type, within)


def _lengths(rules: Any) -> tuple[int, int]:
    """The least and the greatest length of a text."""
    of = rules.string
    if rules.ignore == IGNORE_IF_ZERO_VALUE:
        return 0, 0
    if not _names(rules) <= {"string", "required"} or not _names(of) <= {"min_len", "max_len"}:
        raise _NotPlainError
    return max(of.min_len, int(rules.required)), of.max_len if of.HasField("max_len") else _ENDLESS


def _range(each: Any, rules: Any) -> tuple[int, int]:
    """The least and the greatest of a whole number, or of an enum whose values follow one another."""
    kind = rules.WhichOneof("type") or ""
    of: Any = getattr(rules, kind, None)
    if kind in _INTEGERS and rules.ignore == IGNORE_IF_ZERO_VALUE:
        return 0, 0
    if kind in _INTEGERS and _names(rules) == {kind} and _names(of) <= {"gte", "lte"}:
        least, most = (of.gte if of.HasField("gte") else -_ENDLESS), (of.lte if of.HasField("lte") else _ENDLESS)
    elif kind == "enum" and _names(rules) <= {kind, "required"} and _names(of) == {"defined_only"} and of.defined_only:
        known = sorted({value.number for value in each.enum_type.values if value.number or not rules.required})
        if not known or len(known) <= known[-1] - known[0]:
            raise _NotPlainError
        least, most = known[0], known[-1]
    else:
        raise _NotPlainError
    if least > most:
        # A range that is written the wrong way round means what lies outside of it.
        raise _NotPlainError
    return least, most


def _names(rules: Message) -> set[str]:
    """The rules that are set; one that stands in another file has its package in its name, so it is none of these."""
    return {each.full_name if each.is_extension else each.name for each, _ in rules.ListFields()}
