"""Finds out from its first lines how a library is laid out: its header, what parts cells, what they hold. Pure."""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from services.warmer.library.columns import NOWHERE, Columns, columns_of, known_count
from services.warmer.library.contents import MOST, isbn_places, share_of_people, text_places
from services.warmer.library.dialects import DELIMITERS, cells_of, dialects_of, settled
from services.warmer.library.formats import AUTHOR_LIST, GENERIC, ISBN_LIST, Format, Style, format_of
from services.warmer.library.header_names import plain
from services.warmer.library.isbn_cells import isbn13_of
from services.warmer.library.name_order import style_of
from services.warmer.library.plain_lists import columns_of_lines, list_columns
from services.warmer.library.records import WHOLE_LINE, Dialect

SAMPLE_LINES = 1_000
SAMPLE_LENGTH = 1024 * 1024
"""Lines and characters from the start that are looked at."""

_PREAMBLE = 30
"""Lines among which a header is looked for."""

_PROGRAMS = ("{", "[{", "<", "%PDF")
"""How a file begins that is no table: JSON, XML, HTML; what can be made of its lines is no book."""

_SAID = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""What Excel writes before the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a library is laid out."""

    dialect: Dialect
    """How its records are written."""
    columns: Columns
    """What they hold."""
    first: int
    """Lines before the first record."""
    header: tuple[str, ...] = ()
    """The cells of the header, where there is one."""


def layout_of(lines: Sequence[str], forced: Format | None = None) -> Layout | None:
    """The layout of a file.

    Args:
        lines: its first ones, some of which hold something.
        forced: the format that it is read by; None finds it out.

    Returns:
        None when nothing in it can be used.
    """
    if forced in {ISBN_LIST, AUTHOR_LIST}:
        return _forced_list(lines, forced)
    if next(filter(None, map(str.strip, lines)), "").startswith(_PROGRAMS):
        return None
    found = _with_header(lines, forced)
    if found is None and forced in {None, GENERIC} and not _is_of_a_program(lines):
        found = _without_header(lines, forced) or _of_lines(columns_of_lines(lines), lines)
        if found is not None and forced is not None and found.columns.format != forced.number:
            return None
    return found


def _with_header(lines: Sequence[str], forced: Format | None) -> Layout | None:
    best: tuple[int, int, Dialect] = (0, 0, Dialect())
    wide = 0
    delimiters: Sequence[str] = DELIMITERS
    for at, line in enumerate(lines[:_PREAMBLE]):
        if said := _SAID.fullmatch(line):
            delimiters = (said[1],)
            continue
        for dialect in dialects_of(lines[at : at + 2], delimiters):
            cells = next(cells_of(lines[at : at + _PREAMBLE], dialect), [])
            count = 0 if any(map(isbn13_of, cells)) else known_count(cells, forced)
            # Further down, one word that may be a header's is as well a book's; unless all above it is narrower.
            if count > best[0] and (count > 1 or (not dialect.is_wrapped and (len(cells) > wide or not wide))):
                best = count, at, dialect
        wide = max(wide, *(line.count(sign) + 1 for sign in delimiters)) if line.strip() else wide
    count, at, dialect = best
    if not count:
        return _by_words(lines, delimiters, forced)
    return _headed(lines, at, dialect, forced)


def _is_of_a_program(lines: Sequence[str]) -> bool:
    """Whether a header says which program wrote a file; where nothing it names can be used, no line of it can."""
    headers = (next(cells_of([line], Dialect(sign)), []) for line in lines[:_PREAMBLE] for sign in DELIMITERS)
    return any(format_of(map(plain, header)) is not GENERIC for header in headers)


def _by_words(lines: Sequence[str], delimiters: Sequence[str], forced: Format | None) -> Layout | None:
    """A first line that is a header by the words in it, or by the ISBNs under it."""
    if forced not in {None, GENERIC}:
        return None
    at = next((at for at, line in enumerate(lines) if line.strip() and not _SAID.fullmatch(line)), 0)
    signs = [sign for sign in delimiters if sign in lines[at]] or [","]
    for sign in signs:
        found = _headed(lines, at, settled(Dialect(sign), lines[at:]), GENERIC)
        # A single word over ISBNs is as well a line of their list.
        if (
            found is not None
            and found.columns.width > 1
            and not any(map(isbn13_of, next(cells_of(lines[at:], found.dialect), [])))
        ):
            return found
    return None


def _headed(lines: Sequence[str], at: int, dialect: Dialect, forced: Format | None) -> Layout | None:
    dialect = settled(dialect, lines[at:])
    rows = cells_of(lines[at:], dialect)
    header = next(rows, [])
    columns = columns_of(header, forced)
    sample = [row for row in rows if any(row)]
    if columns.format == GENERIC.number and not columns.isbns:
        place = next(iter(isbn_places(sample)), NOWHERE)
        if place != NOWHERE:
            columns = columns.with_isbn(place, header[place].strip() if place < len(header) else "(by content)")
    if not columns.is_usable:
        return None
    if len(header) == 1:
        dialect = replace(dialect, delimiter=WHOLE_LINE)
    reader = dialect.reader(lines[at:])
    with suppress(csv.Error, StopIteration):
        next(reader)
    return Layout(dialect=dialect, columns=_styled(columns, sample), first=at + reader.line_num, header=tuple(header))


def _without_header(lines: Sequence[str], forced: Format | None) -> Layout | None:
    """A table without a header in which a column holds ISBNs, or one titles and another people."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    tables: list[tuple[Dialect, list[list[str]]]] = []
    for sign in DELIMITERS:
        dialect = settled(Dialect(sign), lines)
        rows = [row for row in cells_of(lines[first:], dialect) if any(row)]
        if max(map(len, rows), default=0) > 1:
            tables.append((dialect, rows))
    for dialect, rows in tables:
        isbns = isbn_places(rows)
        if not isbns:
            continue
        title, author = text_places(rows, isbns[0])
        if len(isbns) > 1 and title == NOWHERE and forced is None:
            # Nothing but ISBNs, parted by whatever it is.
            return _of_lines(list_columns(ISBN_LIST), lines)
        return _headless(dialect, rows, (title, author, isbns[0]), first)
    for dialect, rows in tables:
        if places := _title_and_author(rows, dialect):
            return _headless(dialect, rows, (*places, NOWHERE), first)
    return None


def _headless(dialect: Dialect, rows: Sequence[Sequence[str]], places: tuple[int, int, int], first: int) -> Layout:
    title, author, isbn = places
    columns = Columns(
        format=GENERIC.number,
        names=tuple(
            f"{what}=(column {at + 1})"
            for what, at in zip(("title", "author", "isbn"), places, strict=True)
            if at != NOWHERE
        ),
        has_header=False,
        width=max(map(len, rows)),
        title=title,
        author=author,
        isbns=(isbn,) if isbn != NOWHERE else (),
    )
    return Layout(dialect=dialect, columns=_styled(columns, rows), first=first)


def _title_and_author(rows: Sequence[Sequence[str]], dialect: Dialect) -> tuple[int, int] | None:
    """The columns of a table without ISBNs, where one column holds people beyond doubt."""
    width = max(map(len, rows))
    if len(rows) == 1 or sum(len(row) == width for row in rows) <= MOST * len(rows):
        return None
    title, author = text_places(rows)
    if author == NOWHERE or share_of_people(_held(rows, [author])) <= MOST:
        return None
    if dialect.delimiter == "," and (
        share_of_people(_held(rows, [title])) > MOST or any(cell.startswith(" ") for row in rows for cell in row)
    ):
        # Commas stand in lines of text as well.
        return None
    return title, author


def _of_lines(columns: Columns | None, lines: Sequence[str]) -> Layout | None:
    """A file that has one cell a line."""
    if columns is None:
        return None
    dialect = Dialect(WHOLE_LINE)
    return Layout(dialect=dialect, columns=_styled(columns, list(cells_of(lines, dialect))), first=0)


def _forced_list(lines: Sequence[str], forced: Format) -> Layout | None:
    """Every line is one, but for a first that says what they are."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    has_header = bool(known_count([lines[first].strip().strip('"')], forced))
    found = _of_lines(list_columns(forced), lines)
    return replace(found, first=first + 1) if found is not None and has_header else found


def _styled(columns: Columns, rows: Sequence[Sequence[str]]) -> Columns:
    """Columns that know how their authors are written, by all of the column that is seen."""
    if columns.format not in _OPEN:
        return columns
    style = columns.style
    if style is Style.FREE and columns.author != NOWHERE and not columns.joint:
        style = style_of(_held(rows, [columns.author]))
    is_turned = style is Style.TURNED or (columns.more and style_of(_held(rows, columns.more)) is Style.TURNED)
    return replace(columns, style=style, more_style=Style.TURNED if is_turned else columns.more_style)


def _held(rows: Sequence[Sequence[str]], places: Sequence[int]) -> list[str]:
    """What stands in some columns, blank cells left out."""
    cells = (row[place].strip() for row in islice(rows, SAMPLE_LINES) for place in places if place < len(row))
    return list(filter(None, cells))


_OPEN = frozenset({GENERIC.number, AUTHOR_LIST.number})
