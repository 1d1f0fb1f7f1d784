"""What the lines of a library hold, and the only place that knows how that is kept once the library was read.

A library is read once, when it is taken in. Plans and reports go by what was found then: they take a tenth of the time,
and agree with what the uploader was told.
"""

from collections.abc import Iterator
from typing import IO

import msgspec
import zstandard

from services.warmer.library.rows import Reject, Repair, Row

_BLOCK = 4_096
"""Events that are packed together."""

_SIZE = 4
"""Bytes that tell the size of a block."""

_LARGEST = 2**31
_LEVEL = 1
"""A higher one saves a sixth of the bytes, for three times the work."""


class Duplicate(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=3):
    """A line that repeats a book."""

    line: int
    """Where it begins."""
    of_line: int
    """The line that has the book first."""
    authors: tuple[str, ...] = ()
    """Who wrote it, as this line has it; the first may have known fewer."""


Event = Row | Reject | Repair | Duplicate

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Event])


class EventWriter:
    """Packs events into a file.

    Args:
        file: open for writing bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._block: list[Event] = []
        self._compressor = zstandard.ZstdCompressor(_LEVEL)

    def add(self, event: Event) -> None:
        """Takes the next event."""
        self._block.append(event)
        if len(self._block) == _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Writes what is not written yet."""
        if self._block:
            data = self._compressor.compress(_encoder.encode(self._block))
            self._file.write(len(data).to_bytes(_SIZE, "big") + data)
            self._block = []


def events_in(file: IO[bytes]) -> Iterator[Event]:
    """The events that were packed into a file, from its start."""
    file.seek(0)
    decompressor = zstandard.ZstdDecompressor()
    while size := file.read(_SIZE):
        data = file.read(int.from_bytes(size, "big"))
        yield from _decoder.decode(decompressor.decompress(data, max_output_size=_LARGEST))
