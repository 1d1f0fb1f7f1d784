"""From the bytes of a library to its lines of text, whatever the encoding: the only place that decodes. Pure."""

import codecs
import io
from collections.abc import Iterable, Iterator
from itertools import chain

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


_MARK_LENGTH = 3
"""Bytes of the longest mark."""

_MIXED = "bookmesh-mixed"
"""The name under which codecs knows `_as_windows`."""


class LibraryError(ValueError):
    """A file that is no library, as a whole; the text says why."""


class NotTextError(LibraryError):
    """It is not text.

    Args:
        offset: the byte that no text has.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(f"the file is not text: there is a zero byte at {offset}")
        self.offset = offset


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file.

    UTF-8 with or without a mark and UTF-16 with one are decoded as such; bytes that are no UTF-8 are taken for
    Windows-1252, one by one, since exports exist that mix the two.

    Args:
        chunks: the file's bytes, parted anywhere.

    Raises:
        NotTextError: there is a zero byte in what is no UTF-16.
    """
    return _lines(_decoded(chunks))


def _decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    """The text of a file."""
    codecs.register_error(_MIXED, _as_windows)
    parts = iter(chunks)
    start = b""
    while len(start) < _MARK_LENGTH and (chunk := next(parts, None)) is not None:
        start += chunk
    name = next((name for mark, name in _BOMS if start.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(name)("replace" if name == "utf-16" else _MIXED)
    offset = 0
    for data in chain((start,), parts):
        if name != "utf-16" and b"\0" in data:
            raise NotTextError(offset + data.index(b"\0"))
        offset += len(data)
        # A zero in UTF-16 text would end in a cell, where nothing can be made of it.
        yield decoder.decode(data).replace("\0", "\ufffd")
    yield decoder.decode(b"", final=True)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """What stands for a byte that is no UTF-8: the letter that Windows-1252 has there."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte = error.object[error.start : error.start + 1]
    return byte.decode("cp1252", "replace"), error.start + 1


def _lines(parts: Iterable[str]) -> Iterator[str]:
    """The lines of a text that comes in parts, each with its end, whichever the file uses, made a line feed."""
    decoder = io.IncrementalNewlineDecoder(None, translate=True)
    rest = ""
    for part in parts:
        *whole, rest = (rest + decoder.decode(part)).split("\n")
        for line in whole:
            yield line + "\n"
    rest += decoder.decode("", final=True)
    if rest:
        yield rest
