"""The only place that knows how an answer is kept: what an entry holds, the envelope around it, how to tell a torn one.

The works stand in the message's field 1, each framed for itself, so that an answer is cut to the number of works that a
caller wants, and sent, without being parsed and built again.

Layout, big-endian::

    0   4  b"bmsa"
    4   1  schema version
    5   4  CRC-32 of the key and of everything from byte 9
    9   8  when the answer was made, in milliseconds since the epoch
    17  8  until when it counts as fresh, in milliseconds since the epoch
    25  4  how long the providers took for it, in milliseconds
    29  1  1 where it is partial
    30  4  n, the number of works
    34  4  m, the number of tags
    38     m tags of 8 bytes, then one frame of Zstandard: n ends of works of 4 bytes, the works, the message's rest
"""

import hashlib
import math
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import zstandard
from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse
from bookmesh.type.v1.book_pb2 import Work
from google.protobuf.message import Message

MAGIC = b"bmsa"
"""What every stored answer begins with."""

VERSION = 2
"""Raised whenever an older reader would misread what is written; an answer of another version is a miss."""

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an unpacked answer; gRPC sends no more than four million, so a larger frame is none of ours."""

_HEAD = struct.Struct(">4sBI")
_FACTS = struct.Struct(">qqIBII")
_LEVEL = 3
_compressor, _decompressor = zstandard.ZstdCompressor(level=_LEVEL), zstandard.ZstdDecompressor()
"""Kept, for to make one costs as much as to pack an entry; all packing is done on the event loop's thread."""

_LATEST_S = 2**40
"""Seconds since the epoch, far beyond any real time and well within eight bytes of milliseconds."""
_LONGEST_MS = 2**32 - 1
_OBJECT_BYTES = 400
"""What an entry takes in memory beside its bytes: the object, its fields and the heads of its arrays."""

_SEVEN_BITS = 0x7F
"""What one byte of a varint holds; its eighth bit says that more follow."""

_ENDS, _TAGS = "I", "Q"
"""Type codes of the arrays: four and eight bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer as it is kept."""

    works: bytes = field(default=b"", repr=False)
    """All its works, each as a record of field 1, one after the other."""
    ends: Sequence[int] = field(default=(), repr=False)
    """Where each work ends in `works`."""
    rest: bytes = field(default=b"", repr=False)
    """The other fields of the message, without provenance and without what depends on how a caller asked."""
    cache_time: float
    """When the providers gave it, in seconds since the epoch."""
    fresh_until: float
    """Until when it counts as fresh, in seconds since the epoch."""
    fetch_s: float = 0.0
    """Seconds that the providers took, by which a refresh begins the earlier."""
    partial: bool = False
    """A provider that was asked did not answer."""
    tags: Sequence[int] = field(default=(), repr=False)
    """What it speaks of, authors and ISBNs, as `tag_of` makes numbers of them."""

    def is_fresh(self, now: float, *, max_stale_s: float = 0.0, min_fresh_s: float = 0.0) -> bool:
        """Whether it may be served as an answer.

        Args:
            now: seconds since the epoch.
            max_stale_s: seconds past its time that its caller takes one.
            min_fresh_s: seconds from now on that its caller wants it to be fresh for.
        """
        return now + min_fresh_s < self.fresh_until + max_stale_s

    def slice(self, start: int, stop: int) -> bytes:
        """The works from one place to another, as records of field 1."""
        count = len(self.ends)
        stop = min(stop, count)
        if start >= stop:
            return b""
        if start == 0 and stop == count:
            return self.works
        return self.works[self.ends[start - 1] if start else 0 : self.ends[stop - 1]]

    @property
    def byte_count(self) -> int:
        """What it takes in memory, about."""
        return _OBJECT_BYTES + len(self.works) + len(self.rest) + 4 * len(self.ends) + 8 * len(self.tags)

    def response(self) -> SearchAutoResponse:
        """The answer to a search as a message, each time anew, for whoever gets it changes it."""
        return SearchAutoResponse.FromString(self.works + self.rest)


def packed(works: Iterable[Work]) -> tuple[bytes, Sequence[int]]:
    """Works as records of field 1, and where each ends."""
    parts, ends, at = [], array(_ENDS), 0
    for work in works:
        part = framed(1, work.SerializeToString(deterministic=True))
        parts.append(part)
        at += len(part)
        ends.append(at)
    return b"".join(parts), ends or ()


def framed(number: int, content: bytes) -> bytes:
    """Bytes as a length-delimited field of a message (Protocol Buffers Encoding, "Length-Delimited Records").

    Args:
        number: the field's number, 1 to 15.
        content: a submessage as it is serialized.
    """
    return bytes((number << 3 | 2,)) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """A number from 0 in base 128, the lowest digits first (Protocol Buffers Encoding, "Base 128 Varints")."""
    if number <= _SEVEN_BITS:
        return bytes((number,))
    digits = bytearray()
    while number > _SEVEN_BITS:
        digits.append(number & _SEVEN_BITS | ~_SEVEN_BITS & 0xFF)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def rest_of(message: Message) -> bytes:
    """A message that holds no works, as `Entry.rest` has it."""
    return message.SerializeToString(deterministic=True)


def tag_of(kind: str, value: str) -> int:
    """A number for something that entries speak of, equal in every process."""
    return int.from_bytes(hashlib.blake2b(f"{kind}:{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest())


def tags_of(named: Iterable[tuple[str, str]]) -> Sequence[int]:
    """The tags of kinds and values, each once."""
    return array(_TAGS, sorted({tag_of(kind, value) for kind, value in named})) or ()


def encode(key: str, entry: Entry) -> bytes:
    """An entry as it is stored under its key."""
    packed_body = _compressor.compress(_bytes_of(_ENDS, entry.ends) + entry.works + entry.rest)
    facts = _FACTS.pack(
        _milliseconds(entry.cache_time),
        _milliseconds(entry.fresh_until),
        min(_milliseconds(entry.fetch_s), _LONGEST_MS),
        entry.partial,
        len(entry.ends),
        len(entry.tags),
    )
    rest = facts + _bytes_of(_TAGS, entry.tags) + packed_body
    return _HEAD.pack(MAGIC, VERSION, _checksum(key, rest)) + rest


@dataclass(frozen=True, slots=True)
class Label:
    """What the envelope tells of an entry without its being unpacked."""

    cache_time: float
    """When the providers gave it, in seconds since the epoch."""
    tags: Sequence[int]
    """What it speaks of."""


def label(key: str, data: bytes) -> Label | None:
    """What the envelope under a key tells; None for what is torn, foreign or misplaced. Never raises."""
    facts = _opened(key, data)
    if facts is None:
        return None
    (cache_time, *_), tags, _ = facts
    return Label(cache_time / 1000, tags)


def decode(key: str, data: bytes) -> Entry | None:
    """The entry that was stored under a key; None for what is torn, foreign or misplaced. Never raises."""
    opened = _opened(key, data)
    if opened is None:
        return None
    (cache_time, fresh_until, fetch_ms, partial, count, _), tags, frame = opened
    try:
        # The frame says how much it unpacks to, and is taken at its word, so a word too large is not listened to.
        if not 4 * count <= zstandard.frame_content_size(frame) <= BODY_LIMIT:
            return None
        body = _decompressor.decompress(frame)
    except zstandard.ZstdError:
        return None
    ends = _numbers_of(_ENDS, body[: 4 * count])
    works_end = 4 * count + (ends[-1] if count else 0)
    if works_end > len(body):
        return None
    return Entry(
        works=body[4 * count : works_end],
        ends=ends,
        rest=body[works_end:],
        cache_time=cache_time / 1000,
        fresh_until=fresh_until / 1000,
        fetch_s=fetch_ms / 1000,
        partial=bool(partial),
        tags=tags,
    )


def _opened(key: str, data: bytes) -> tuple[tuple[int, int, int, int, int, int], Sequence[int], bytes] | None:
    """The facts, the tags and the frame of an envelope; None where it is none of this key's."""
    if len(data) < _HEAD.size + _FACTS.size:
        return None
    magic, version, checksum = _HEAD.unpack_from(data)
    rest = data[_HEAD.size :]
    if magic != MAGIC or version != VERSION or checksum != _checksum(key, rest):
        return None
    facts = _FACTS.unpack_from(rest)
    tags_end = _FACTS.size + 8 * facts[5]
    if tags_end > len(rest):
        return None
    return facts, _numbers_of(_TAGS, rest[_FACTS.size : tags_end]), rest[tags_end:]


def _bytes_of(code: str, values: Iterable[int]) -> bytes:
    numbers = array(code, values)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers_of(code: str, data: bytes) -> Sequence[int]:
    numbers = array(code, data)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers or ()


def _checksum(key: str, rest: bytes) -> int:
    """Takes the key in, so that a value that got under another key is not taken for that key's."""
    return zlib.crc32(rest, zlib.crc32(key.encode("utf-8", "surrogatepass")))


def _milliseconds(seconds: float) -> int:
    kept = min(max(seconds, 0.0), _LATEST_S) if math.isfinite(seconds) else 0.0
    return round(kept * 1000)
