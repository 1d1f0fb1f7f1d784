"""Makes requests: messages of a type whose fields hold anything, and bytes that are hardly a message any more. Pure.

Everything comes from one seeded source of chance, so a seed and a number of requests name a run.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tests.fuzz.words import BYTES, ENUMS, FLOATS, HINTS, INTEGERS, ODD, SMALL, WIDE

DEPTH = 4
"""Messages inside messages that are filled in."""

_SET = 0.7
"""The part of the fields that are set."""

_ODDNESS = (0.02, 0.02, 0.2, 0.6)
"""The part of a message's values that need make no sense."""

_HUGE = 3_000_000
"""Characters of the longest text; with what stands around it, below gRPC's limit of 4 MB for a message."""

_LEARNED = 64
"""Values that are remembered of one kind."""

_32_BITS = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32}
_UNSIGNED = {FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}
_FLOATING = {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}


class Mutator:
    """Makes requests.

    Args:
        chance: where all chance comes from.
    """

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._learned: dict[str, deque[str]] = {}
        self._oddness = 0.0

    def learn(self, name: str, value: str) -> None:
        """Remembers a value that the services gave out, for fields of this name: job ids, page tokens."""
        known = self._learned.setdefault(name, deque(maxlen=_LEARNED))
        if value and value not in known:
            known.append(value)

    def shape(self, cls: type[Message]) -> Message:
        """A message that its type allows; some hold what makes sense but for a field or two, some nothing that does."""
        self._oddness = self._chance.choice(_ODDNESS)
        return self._shape(cls, DEPTH)

    def _shape(self, cls: type[Message], depth: int) -> Message:
        message = cls()
        fields: Any = cls.DESCRIPTOR.fields
        for field in fields:
            if self._chance.random() < _SET:
                self._fill(message, field, depth)
        if self._chance.random() < 0.05:
            message.MergeFromString(self._unknown_fields())
        return message

    def raw(self, cls: type[Message]) -> bytes:
        """Bytes that were a message, or never were."""
        data = bytearray(self.shape(cls).SerializeToString())
        for _ in range(self._chance.choice((1, 1, 2, 5))):
            self._chance.choice(_TWISTS)(data, self._chance)
        return bytes(data)

    def _fill(self, message: Message, field: FieldDescriptor, depth: int) -> None:
        if field.is_repeated:
            values = getattr(message, field.name)
            for _ in range(self._count(field)):
                if field.message_type is None:
                    values.append(self._value(field))
                elif depth:
                    values.append(self._shape(GetMessageClass(field.message_type), depth - 1))
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            if depth and self._chance.random() < 0.9:
                inner.MergeFrom(self._shape(GetMessageClass(field.message_type), depth - 1))
        else:
            setattr(message, field.name, self._value(field))

    def _count(self, field: FieldDescriptor) -> int:
        # Many are worth trying, seldom: each of them may be a search.
        many = self._chance.random() < 0.01
        return self._chance.choice((999, 1_000, 1_001)) if many else self._chance.choice((0, 1, 1, 2, 3, 8))

    def _value(self, field: FieldDescriptor) -> Any:
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return self._bytes() if field.type == FieldDescriptor.TYPE_BYTES else self._text(field.name)
        if kind == FieldDescriptor.CPPTYPE_ENUM and field.enum_type is not None:
            known = [value.number for value in field.enum_type.values]
            return self._chance.choice(ENUMS if self._is_odd() else known)
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self._chance.random() < 0.5
        if kind in _FLOATING:
            return self._chance.choice(FLOATS)
        if not self._is_odd():
            return self._chance.choice(SMALL)
        number = self._chance.choice(INTEGERS if kind in _32_BITS else WIDE)
        return abs(number) if kind in _UNSIGNED else number

    def _text(self, name: str) -> str:
        # What was learned counts as much as what is known, however little of it there is.
        hints = self._chance.choice([found for found in (HINTS.get(name), self._learned.get(name)) if found] or [ODD])
        hint: str = self._chance.choice(hints)
        if not self._is_odd():
            return hint
        if self._chance.random() < 0.2:
            return hint + self._chance.choice(ODD)
        return "x" * _HUGE if self._chance.random() < 0.0005 else self._chance.choice(ODD)

    def _is_odd(self) -> bool:
        return self._chance.random() < self._oddness

    def _bytes(self) -> bytes:
        data = bytearray(self._chance.choice(BYTES))
        if self._is_odd():
            self._chance.choice(_TWISTS)(data, self._chance)
        return bytes(data)

    def _unknown_fields(self) -> bytes:
        """Fields of a later version: a varint, a fixed one, a text."""
        return self._chance.choice(
            (b"\xf8\x7f\x01", b"\xf9\x7f" + b"\x00" * 8, b"\xfa\x7f\x03abc", b"\xfd\x7f\x00\x00\x00\x00")
        )


def _flip(data: bytearray, chance: Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 16))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: Random) -> None:
    del data[chance.randint(0, len(data)) :]


def _drop(data: bytearray, chance: Random) -> None:
    start = chance.randint(0, len(data))
    del data[start : start + chance.choice((1, 2, 16))]


def _insert(data: bytearray, chance: Random) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.choice((1, 2, 8, 64)))


def _repeat(data: bytearray, chance: Random) -> None:
    # Fields that come twice: the last one counts, messages are merged, lists grow.
    data.extend(data[: 64 * 1024])


def _nest(data: bytearray, chance: Random) -> None:
    """A message in a message in a message, deeper than parsers go."""
    tag = bytes([chance.randint(1, 6) << 3 | 2])
    nested = b""
    for _ in range(chance.choice((50, 99, 120))):
        nested = tag + _varint(len(nested)) + nested
    data.extend(nested)


def _group(data: bytearray, chance: Random) -> None:
    data.extend(bytes([chance.randint(1, 6) << 3 | 3]) * chance.choice((1, 90, 5_000)))


def _endless(data: bytearray, chance: Random) -> None:
    data.extend(b"\x08" + b"\xff" * chance.choice((9, 10, 11)) + b"\x01")


def _long(data: bytearray, chance: Random) -> None:
    data.extend(b"\x0a" + _varint(chance.choice((2**31 - 1, 2**31, 2**63, 1_000))))


def _no_utf8(data: bytearray, chance: Random) -> None:
    data.extend(bytes([chance.randint(1, 6) << 3 | 2]) + b"\x04\xed\xa0\x80\xff")


def _noise(data: bytearray, chance: Random) -> None:
    data[:] = chance.randbytes(chance.choice((1, 10, 300)))


_Twist = Callable[[bytearray, Random], None]
_TWISTS: list[_Twist] = [_flip, _cut, _drop, _insert, _repeat, _nest, _group, _endless, _long, _no_utf8, _noise]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
