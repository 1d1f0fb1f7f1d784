"""The only place that knows how an answer lies in a store: the envelope around it, and how to tell a torn one.

Layout, big-endian::

    0   4  b"bmsa"
    4   1  schema version
    5   4  CRC-32 of the key and of everything from byte 9
    9   8  when the answer was made, in milliseconds since the epoch
    17  8  until when it counts as fresh, in milliseconds since the epoch
    25     the serialized SearchAutoResponse without provenance, as one frame of Zstandard
"""

import math
import struct
import zlib
from dataclasses import dataclass

import zstandard
from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse

MAGIC = b"bmsa"
"""What every stored answer begins with."""

VERSION = 1
"""Raised whenever an older reader would misread what is written; an answer of another version is a miss."""

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an unpacked answer; gRPC sends no more than four million, so a larger frame is none of ours."""

_HEAD = struct.Struct(">4sBI")
_TIMES = struct.Struct(">qq")
_LEVEL = 3
_LATEST_S = 2**40
"""Seconds since the epoch, far beyond any real time and well within eight bytes of milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer as it is kept."""

    body: bytes
    """The serialized SearchAutoResponse with all its works, without provenance."""
    cache_time: float
    """When the providers gave it, in seconds since the epoch."""
    fresh_until: float
    """Until when it counts as fresh, in seconds since the epoch."""

    def is_fresh(self, now: float, *, max_stale_s: float = 0.0) -> bool:
        """Whether it may be served as an answer to a caller that takes one this many seconds past its time."""
        return now < self.fresh_until + max_stale_s

    def response(self) -> SearchAutoResponse:
        """The answer, each time anew, for whoever gets it changes it."""
        return SearchAutoResponse.FromString(self.body)


def encode(key: str, entry: Entry) -> bytes:
    """An entry as it is stored under its key."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(entry.body)
    rest = _TIMES.pack(_milliseconds(entry.cache_time), _milliseconds(entry.fresh_until)) + packed
    return _HEAD.pack(MAGIC, VERSION, _checksum(key, rest)) + rest


def decode(key: str, data: bytes) -> Entry | None:
    """The entry that was stored under a key; None for what is torn, foreign or misplaced. Never raises."""
    if len(data) < _HEAD.size + _TIMES.size:
        return None
    magic, version, checksum = _HEAD.unpack_from(data)
    rest = data[_HEAD.size :]
    if magic != MAGIC or version != VERSION or checksum != _checksum(key, rest):
        return None
    cache_time, fresh_until = _TIMES.unpack_from(rest)
    packed = rest[_TIMES.size :]
    try:
        # The frame says how much it unpacks to, and is taken at its word, so a word too large is not listened to.
        if not 0 <= zstandard.frame_content_size(packed) <= BODY_LIMIT:
            return None
        body = zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError:
        return None
    return Entry(body=body, cache_time=cache_time / 1000, fresh_until=fresh_until / 1000)


def _checksum(key: str, rest: bytes) -> int:
    """Takes the key in, so that a value that got under another key is not taken for that key's."""
    return zlib.crc32(rest, zlib.crc32(key.encode("utf-8", "surrogatepass")))


def _milliseconds(seconds: float) -> int:
    kept = min(max(seconds, 0.0), _LATEST_S) if math.isfinite(seconds) else 0.0
    return round(kept * 1000)
