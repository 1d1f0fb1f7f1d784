"""Reads a library: bytes in, rows, repairs, duplicates and rejects out, in bounded memory. Pure; it opens nothing."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from services.warmer.library.columns import Columns, NoColumnsError, columns_of, delimiter_of
from services.warmer.library.decoding import LibraryError, lines_of
from services.warmer.library.rows import Reject, Repair, Row, judge

MAX_ROWS = 1_000_000
"""Rows that a library may have, unless a setting says otherwise."""

_CELL_LIMIT = 128 * 1024
"""Characters of a cell; a longer one is a quote that was never closed."""


class NoUsableColumnError(LibraryError):
    """Its header names nothing that is known.

    Args:
        sought: what was looked for.
        found: what was found.
    """

    def __init__(self, sought: str, found: str) -> None:
        super().__init__(f"no column can be used: looked for {sought}, found {found}")
        self.sought = sought
        self.found = found


class TooManyRowsError(LibraryError):
    """It has more rows than are allowed.

    Args:
        limit: how many are.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"the library has more than {limit:,} rows")
        self.limit = limit


class EmptyLibraryError(LibraryError):
    """It has no row."""

    def __init__(self) -> None:
        super().__init__("the library has no row")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A line that repeats a book."""

    line: int
    """Where it begins."""
    of_line: int
    """The line that has the book first."""
    authors: tuple[str, ...] = ()
    """Who wrote it, as this line has it; the first may have known fewer."""


Event = Row | Reject | Repair | Duplicate


class Reader(Protocol):
    """What csv.reader gives."""

    @property
    def line_num(self) -> int:
        """Lines read so far."""

    def __next__(self) -> list[str]:
        """The next record."""


@dataclass(slots=True)
class LibraryCounts:
    """Counts of a library as it is read. Every row is a book, a duplicate or a reject."""

    row_count: int = 0
    book_count: int = 0
    author_count: int = 0
    reject_count: int = 0
    duplicate_count: int = 0
    repair_count: int = 0
    _authors: set[bytes] = field(default_factory=set, repr=False)

    def add(self, event: Event) -> None:
        """Counts one event."""
        if isinstance(event, Repair):
            self.repair_count += 1
            return
        self.row_count += 1
        if isinstance(event, Reject):
            self.reject_count += 1
            return
        if isinstance(event, Row):
            self.book_count += 1
        else:
            self.duplicate_count += 1
        self._authors.update(_digest(name.casefold()) for name in event.authors)
        self.author_count = len(self._authors)


def read_library(chunks: Iterable[bytes], *, max_rows: int = MAX_ROWS) -> tuple[Columns, Iterator[Event]]:
    """Reads a library as far as its header, and gives the rest as it is read.

    Args:
        chunks: the file's bytes, parted anywhere.
        max_rows: rows that it may have.

    Returns:
        The columns, and the events in the order of the lines; a repair comes right after its row.

    Raises:
        EmptyLibraryError: there is no line, or (as it is read) no row.
        NoUsableColumnError: no column of the header is known.
        NotTextError: there is a zero byte, here or as it is read.
        TooManyRowsError: as it is read.
    """
    lines = lines_of(chunks)
    skipped, first = next(((number, line) for number, line in enumerate(lines) if line.strip()), (0, None))
    if first is None:
        raise EmptyLibraryError
    delimiter = delimiter_of(first)
    reader = csv.reader(_rejoined(first, lines), delimiter=delimiter)
    try:
        header = next(reader)
        columns = columns_of(header)
    except NoColumnsError as error:
        raise NoUsableColumnError(error.sought, error.found) from None
    except csv.Error:
        raise NoUsableColumnError("title, author, isbn", "a header that can't be read") from None
    if not columns.has_header:
        reader = csv.reader(_rejoined(first, lines), delimiter=delimiter)
    return columns, _events(reader, columns, max_rows, skipped)


def _events(reader: Reader, columns: Columns, max_rows: int, before: int) -> Iterator[Event]:
    csv.field_size_limit(_CELL_LIMIT)
    seen: dict[bytes, int] = {}
    rows = 0
    for line, cells in _records(reader, before):
        if isinstance(cells, str):
            found: Row | Reject = Reject(line, "UNREADABLE_ROW", cells, "")
            repair = None
        elif any(cell.strip() for cell in cells):
            found, repair = judge(line, cells, columns)
        else:
            continue
        rows += 1
        if rows > max_rows:
            raise TooManyRowsError(max_rows)
        if isinstance(found, Row):
            of_line = _first_line(found, seen)
            if of_line is not None:
                yield Duplicate(line, of_line, found.authors)
                continue
        yield found
        if repair is not None:
            yield repair
    if not rows:
        raise EmptyLibraryError


def _records(reader: Reader, before: int) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the line on which it begins; a text says why one can't be read."""
    while True:
        line = reader.line_num + before + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, "a cell is longer than any book needs; a quote may not be closed"


def _first_line(row: Row, seen: dict[bytes, int]) -> int | None:
    """The line that had the book before; None for the first, which is noted."""
    keys = [_digest("\0".join(row.text_key))] if row.title and row.authors else []
    if row.isbn13:
        # Another ISBN is another search, even where title and author are the same.
        known = seen.setdefault(_digest(row.isbn13), row.line)
        for key in keys:
            seen.setdefault(key, row.line)
        return None if known == row.line else known
    if not keys:
        keys = [_digest("\0".join((*row.text_key, "title alone")))]
    known = seen.setdefault(keys[0], row.line)
    return None if known == row.line else known


def _digest(text: str) -> bytes:
    """Eight bytes stand for a text, so that a million rows are remembered in little memory."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _rejoined(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
