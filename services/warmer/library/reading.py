"""Reads a library: bytes in, rows, repairs, duplicates and rejects out, in bounded memory. Pure; it opens nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from bookmesh.warmer.v1.warmer_service_pb2 import LIBRARY_FORMAT_ISBN_LIST, LIBRARY_FORMAT_UNSPECIFIED, LibraryFormat

from mesh.hash_table import HashTable
from services.warmer.library.columns import Columns
from services.warmer.library.decoding import LibraryError, lines_of
from services.warmer.library.events import Duplicate, Event
from services.warmer.library.first_books import FirstBooks
from services.warmer.library.formats import FORMATS
from services.warmer.library.layout import SAMPLE_LENGTH, SAMPLE_LINES, Layout, layout_of
from services.warmer.library.mending import odd_judge_of
from services.warmer.library.plain_lists import each_isbn
from services.warmer.library.records import records_of
from services.warmer.library.rows import Reject, Row, header_again, judge_of

MAX_ROWS = 1_000_000
"""Rows that a library may have, unless a setting says otherwise."""

_RULES = " \t-=_+:|"
"""What lines are ruled with, which hold nothing."""

_SOUGHT = "title, author, isbn"


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


@dataclass(slots=True)
class LibraryCounts:
    """Counts of a library as it is read. Every row is a book, a duplicate or a reject.

    A row that names an author alone counts as a book: it is what a search is made of.
    """

    row_count: int = 0
    book_count: int = 0
    reject_count: int = 0
    duplicate_count: int = 0
    repair_count: int = 0
    _authors: HashTable = field(default_factory=HashTable, repr=False)
    _lately: set[str] = field(default_factory=set, repr=False)
    """Names that came by lately, which need no second look."""

    @property
    def author_count(self) -> int:
        """Different authors."""
        return len(self._authors)

    def add(self, event: Event) -> None:
        """Counts one event."""
        if isinstance(event, Row):
            self.book_count += 1
        elif isinstance(event, Duplicate):
            self.duplicate_count += 1
        elif isinstance(event, Reject):
            self.reject_count += 1
            self.row_count += 1
            return
        else:
            self.repair_count += 1
            return
        self.row_count += 1
        lately = self._lately
        for name in event.authors:
            if name not in lately:
                self._authors.setdefault(hash(name.casefold()), 1)
                if len(lately) >= _LATELY:
                    lately.clear()
                lately.add(name)


_LATELY = 20_000


def read_library(
    chunks: Iterable[bytes],
    *,
    max_rows: int = MAX_ROWS,
    format_: LibraryFormat.ValueType = LIBRARY_FORMAT_UNSPECIFIED,
) -> tuple[Columns, Iterator[Event]]:
    """Reads a library as far as its header, and gives the rest as it is read.

    Args:
        chunks: the file's bytes, parted anywhere.
        max_rows: rows that it may have.
        format_: the format that it is read by; the unspecified one is found out. What was found out and what is forced
            give the same.

    Returns:
        The columns, and the events in the order of the lines; a repair comes right after its row.

    Raises:
        EmptyLibraryError: there is no line, or (as it is read) no row.
        NoUsableColumnError: no column of the header is known, or the file can't be read by the format that is forced.
        NotTextError: there is a zero byte, here or as it is read.
        TooManyRowsError: as it is read.
    """
    parts = lines_of(chunks)
    before, sample, held = _sampled(parts)
    if not sample:
        raise EmptyLibraryError
    forced = FORMATS.get(format_)
    layout = layout_of(sample, forced)
    if layout is None:
        sought = _SOUGHT if forced is None else f"the columns of {LibraryFormat.Name(format_)}"
        raise NoUsableColumnError(sought, ", ".join(cell.strip() for cell in sample[0].split(","))[:200])
    columns = layout.columns
    rest = chain([held[layout.first :]], parts)
    records = records_of(rest, layout.dialect, columns.width, before + layout.first)
    if columns.format == LIBRARY_FORMAT_ISBN_LIST:
        records = each_isbn(records)
    return columns, _events(records, layout, max_rows)


def _sampled(parts: Iterator[list[str]]) -> tuple[int, list[str], list[str]]:
    """The blank lines that a file begins with, its first lines after these, and all lines that were taken for that."""
    before = size = 0
    lines: list[str] = []
    for part in parts:
        if not lines:
            blank = next((at for at, line in enumerate(part) if line.strip()), len(part))
            before += blank
            part = part[blank:]  # noqa: PLW2901 - the rest of it is what counts
        lines += part
        size += sum(map(len, part))
        if len(lines) >= SAMPLE_LINES or size >= SAMPLE_LENGTH:
            break
    count = size = 0
    while count < min(len(lines), SAMPLE_LINES) and size < SAMPLE_LENGTH:
        size += len(lines[count])
        count += 1
    return before, lines[:count], lines


def _events(records: Iterable[tuple[int, list[str], bool]], layout: Layout, max_rows: int) -> Iterator[Event]:
    columns, header = layout.columns, list(layout.header) or None
    judge = judge_of(columns)
    judge_odd = odd_judge_of(columns, judge)
    first_line = FirstBooks().line_of
    width, rows = columns.width, 0
    for line, cells, is_raw in records:
        found, repair = judge_odd(line, cells, is_raw) if is_raw or len(cells) > width else judge(line, cells)
        if isinstance(found, Reject) and not (is_raw or any(cell.strip(_RULES) for cell in cells)):
            continue
        if cells == header:
            found, repair = header_again(line, cells), None
        rows += 1
        if rows > max_rows:
            raise TooManyRowsError(max_rows)
        if isinstance(found, Row):
            of_line = first_line(found)
            if of_line != line:
                yield Duplicate(line, of_line, found.authors)
                continue
        yield found
        if repair is not None:
            yield repair
    if not rows:
        raise EmptyLibraryError
