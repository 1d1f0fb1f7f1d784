"""The input rules that the contract sets (protovalidate), and the only place that asks whether a message keeps them.

The rules stand in protos/ as annotations; what they mean is protovalidate's. What a broken one is called is ours: the
field's own `rule_reasons`, or what `_REASONS` says, or INVALID_FIELD.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import protovalidate
from bookmesh.mesh.v1 import rules_pb2
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_TOO_MANY_ITEMS,
    ERROR_REASON_UNKNOWN_ENUM_VALUE,
    ErrorReason,
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from mesh.plain_rules import has_rules, plain_of, rules_at
from mesh.status import FieldViolation, InvalidArgumentError

Check = Callable[[Message], object]
"""Does nothing for a message that keeps the rules of its type, and raises InvalidArgumentError for one that doesn't."""

WHOLE_BYTES = 4_096
"""Bytes of a message up to which all its faults are told, and not the first alone.

A fault costs some 30 us to collect, and a few bytes can hold one; a message of 4 MB could have them collected for a
minute. What fits an answer is about a hundred.
"""

_REASONS: Mapping[str, ErrorReason.ValueType] = {
    "enum.defined_only": ERROR_REASON_UNKNOWN_ENUM_VALUE,
    "repeated.max_items": ERROR_REASON_TOO_MANY_ITEMS,
}

_LIMITS = ("max_len", "max_bytes", "max_items", "lte", "lt")
"""What protovalidate calls the most that a rule allows."""

_validator = protovalidate.Validator()


def check_of(cls: type[Message]) -> Check | None:
    """The check of a message type; None where no rule stands at it nor in it, for no check is the cheapest.

    Raises:
        protovalidate.CompilationError: a rule makes no sense; found when a service starts, not when it is called.
    """
    if not has_rules(cls.DESCRIPTOR):
        return None
    _validator.collect_violations(cls())
    plain = plain_of(cls.DESCRIPTOR)
    if plain is None:
        return check
    return lambda message: plain(message) or check(message)


def check(message: Message) -> Message:
    """A message, once it is seen that it keeps the rules of its type.

    Raises:
        InvalidArgumentError: it does not; all its faults are told, or the first of a message over WHOLE_BYTES. The
            reason and the metadata are those of the first: "limit", and "value", "length" or "count".
    """
    found = _validator.collect_violations(message, fail_fast=True)
    if found:
        raise _error(message, found)
    return message


def _error(message: Message, found: Sequence[protovalidate.Violation]) -> InvalidArgumentError:
    if message.ByteSize() <= WHOLE_BYTES:
        found = _validator.collect_violations(message)
    told = [_violation(message.DESCRIPTOR, violation.proto) for violation in found]
    first, rest = told[0], len(told) - 1
    where = f"{first.field}: " if first.field else ""
    more = f"; and {rest} more" if rest else ""
    return InvalidArgumentError(
        first.reason,
        f"{where}{first.description}{more}",
        violations=told,
        metadata=_metadata(_field(message.DESCRIPTOR, found[0].proto), found[0]),
    )


def _violation(descriptor: Any, fault: protovalidate.ViolationPb) -> FieldViolation:
    reason = _reason(_field(descriptor, fault), fault.rule_id)
    return FieldViolation(_path(fault), fault.message, ErrorReason.Name(reason).removeprefix("ERROR_REASON_"))


def _reason(field: FieldDescriptor | None, rule: str) -> ErrorReason.ValueType:
    own = () if field is None else field.GetOptions().Extensions[rules_pb2.rule_reasons]
    return next((each.reason for each in own if each.rule == rule), _REASONS.get(rule, ERROR_REASON_INVALID_FIELD))


def _field(descriptor: Any, fault: protovalidate.ViolationPb) -> FieldDescriptor | None:
    """The field at fault; None for a oneof and for the message itself."""
    field: FieldDescriptor | None = None
    for element in fault.field.elements if fault.field else ():
        field = descriptor.fields_by_name.get(element.field_name)
        if field is None:
            return None
        descriptor = field.message_type
    return field


def _path(fault: protovalidate.ViolationPb) -> str:
    """A path as google.rpc.BadRequest writes it: "inline.authors[3]"."""
    return ".".join(
        f"{element.field_name}[{element.subscript.value}]" if element.subscript else element.field_name
        for element in (fault.field.elements if fault.field else ())
    )


def _metadata(field: FieldDescriptor | None, violation: protovalidate.Violation) -> Mapping[str, str]:
    """What varies in the message. Of a text its length alone is told: it may be long, or nobody's business."""
    value, metadata = violation.field_value, {}
    if isinstance(value, int):
        metadata["value"] = str(value)
    elif isinstance(value, str | bytes):
        metadata["length"] = str(len(value))
    elif isinstance(value, Sequence):
        metadata["count"] = str(len(value))
    limit = None if field is None else _limit(field, violation.proto)
    return metadata if limit is None else {**metadata, "limit": limit}


def _limit(field: FieldDescriptor, fault: protovalidate.ViolationPb) -> str | None:
    """The most that the broken rule allows, as the contract says it; None where it is about something else."""
    if fault.rule is None:
        # It stands at a message, not at a field.
        return None
    rules = rules_at(field)[0]
    path = [element.field_name for element in fault.rule.elements]
    for name in path[:-1]:
        rules = getattr(rules, name)
    set_ = {each.name: value for each, value in rules.ListFields() if isinstance(value, int)}
    return next((str(set_[name]) for name in _LIMITS if name in set_), None)
