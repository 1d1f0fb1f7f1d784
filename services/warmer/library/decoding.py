"""From the bytes of a library to its lines of text, whatever the encoding: the only place that decodes. Pure."""

import codecs
import io
from collections.abc import Iterable, Iterator
from itertools import chain

from services.warmer.library.code_pages import page_of

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The marks of encodings, a longer one before the shorter one that it begins with."""

_LOOK = 4096
"""Bytes from the start that tell the encoding."""

_WIDE = 0.3
"""The share of two-byte letters whose upper byte is zero, from which a file without a mark is taken for UTF-16."""

_WINDOWS = "cp1252"

_MIXED = "bookmesh-mixed"
"""The name under which codecs knows `_as_windows`."""


LINE_LENGTH = 2 * 1024 * 1024
"""Characters of a line; a longer one is cut, for no file may make its reader remember all of it."""


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


def lines_of(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """The lines of a file, each with a line feed at its end whatever the file has there; many at a time.

    UTF-8 with or without a mark, UTF-16 likewise and UTF-32 with one are decoded as such; bytes that are no UTF-8 are
    taken for Windows-1252, one by one, since exports exist that mix the two; for another code page where the names of
    the columns are in that.

    Args:
        chunks: the file's bytes, parted anywhere.

    Raises:
        NotTextError: there is a zero byte in what is neither UTF-16 nor UTF-32.
    """
    decoder = io.IncrementalNewlineDecoder(None, translate=True)
    rest = ""
    for part in _decoded(chunks):
        text = rest + decoder.decode(part)
        end = text.rfind("\n") + 1
        rest = text[end:]
        if len(text) > LINE_LENGTH:
            pieces = list(_cut(text))
            rest = "" if pieces[-1].endswith("\n") else pieces.pop()
            yield pieces
        elif end:
            yield list(io.StringIO(text[:end], newline="\n"))
    rest += decoder.decode("", final=True)
    if rest:
        yield list(_cut(rest))


def _cut(text: str) -> Iterator[str]:
    """Lines of which none is longer than LINE_LENGTH."""
    for line in io.StringIO(text, newline="\n"):
        for at in range(0, len(line), LINE_LENGTH):
            yield line[at : at + LINE_LENGTH]


def _decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    """The text of a file."""
    codecs.register_error(_MIXED, _as_windows)
    parts = iter(chunks)
    start = b""
    while len(start) < _LOOK and (chunk := next(parts, None)) is not None:
        start += chunk
    name = next((name for mark, name in _BOMS if start.startswith(mark)), "") or _unmarked(start[:_LOOK])
    is_wide = name.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(name)(_MIXED if name.startswith("utf-8") else "replace")
    offset = 0
    for data in chain((start,), parts):
        if not is_wide and b"\0" in data:
            raise NotTextError(offset + data.index(b"\0"))
        offset += len(data)
        # A zero in UTF-16 text would end in a cell, where nothing can be made of it.
        yield decoder.decode(data).replace("\0", "\ufffd")
    yield decoder.decode(b"", final=True).replace("\0", "\ufffd")


def _unmarked(start: bytes) -> str:
    """The encoding of a file that bears no mark, by where its zeros are."""
    pairs = len(start) // 2
    upper = start[1 : 2 * pairs : 2].count(0), start[0 : 2 * pairs : 2].count(0)
    for zeros, others, name in ((*upper, "utf-16-le"), (*upper[::-1], "utf-16-be")):
        if pairs and zeros > _WIDE * pairs and not others:
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        page = page_of(start)
        return "utf-8" if page == _WINDOWS else page
    return "utf-8"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """What stands for a byte that is no UTF-8: the letter that Windows-1252 has there."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte = error.object[error.start : error.start + 1]
    return byte.decode(_WINDOWS, "replace"), error.start + 1


def undoubled(text: str) -> str:
    """A text that was UTF-8, was taken for Windows-1252 and written as UTF-8 again, as it was: "CafÃ©" is "Café"."""
    try:
        return text.encode(_WINDOWS).decode()
    except UnicodeError:
        return text
