"""Finds out from its first lines how a library is laid out: its header, what parts cells, what they hold. Pure."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from services.warmer.library.columns import NOWHERE, Columns, columns_of, known_count
from services.warmer.library.formats import AUTHOR_LIST, GENERIC, ISBN_LIST, Format, Style
from services.warmer.library.isbn_cells import Fault, isbn13_of, read
from services.warmer.library.name_order import style_of
from services.warmer.library.records import WHOLE_LINE, Dialect

SAMPLE_LINES = 1_000
SAMPLE_LENGTH = 1024 * 1024
"""Lines and characters from the start that are looked at."""

_PREAMBLE = 30
"""Lines among which a header is looked for."""

_DELIMITERS = (",", ";", "\t", "|")
_SAID = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""What Excel writes before the header."""

_WIDEST = 100

_HALF = 0.5
_MOST = 0.6
_NAME = re.compile(r"[^\W\d_][^\d@#/\\:!?()\[\]{}<>\"]{1,59}")
_SMALL = re.compile(r"(?:[a-z]|ll|d|l)['\u2019]?\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a library is laid out."""

    dialect: Dialect
    """How its records are written."""
    columns: Columns
    """What they hold."""
    first: int
    """Lines before the first record."""


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
    found = _with_header(lines, forced)
    if found is None and forced in {None, GENERIC}:
        found = _without_header(lines)
        if found is None and forced is None:
            return _plain_list(lines)
    return found


def cells_of(lines: Sequence[str], dialect: Dialect) -> Iterator[list[str]]:
    """The records of a sample; what can't be read ends it."""
    with suppress(csv.Error):
        yield from dialect.reader(lines)


def _with_header(lines: Sequence[str], forced: Format | None) -> Layout | None:
    best: tuple[int, int, Dialect] = (0, 0, Dialect())
    wide = 0
    delimiters: Sequence[str] = _DELIMITERS
    for at, line in enumerate(lines[:_PREAMBLE]):
        if said := _SAID.fullmatch(line):
            delimiters = (said[1],)
            continue
        for dialect in _dialects(line, delimiters):
            cells = next(cells_of(lines[at : at + _PREAMBLE], dialect), [])
            count = 0 if any(map(isbn13_of, cells)) else known_count(cells, forced)
            # Further down, one word that may be a header's is as well a book's; unless all above it is narrower.
            if count > best[0] and (count > 1 or len(cells) > wide or not wide):
                best = count, at, dialect
        wide = max(wide, *(line.count(sign) + 1 for sign in delimiters)) if line.strip() else wide
    count, at, dialect = best
    if not count:
        return _by_words(lines, delimiters, forced)
    return _headed(lines, at, dialect, forced)


def _by_words(lines: Sequence[str], delimiters: Sequence[str], forced: Format | None) -> Layout | None:
    """A first line that is a header by the words in it, or by the ISBNs under it."""
    if forced not in {None, GENERIC}:
        return None
    at = next((at for at, line in enumerate(lines) if line.strip() and not _SAID.fullmatch(line)), 0)
    signs = [sign for sign in delimiters if sign in lines[at]] or [","]
    for sign in signs:
        found = _headed(lines, at, _settled(Dialect(sign), lines[at:]), GENERIC)
        # A single word over ISBNs is as well a line of their list.
        if (
            found is not None
            and found.columns.width > 1
            and not any(map(isbn13_of, next(cells_of(lines[at:], found.dialect), [])))
        ):
            return found
    return None


def _headed(lines: Sequence[str], at: int, dialect: Dialect, forced: Format | None) -> Layout | None:
    dialect = _settled(dialect, lines[at:])
    rows = cells_of(lines[at:], dialect)
    header = next(rows, [])
    columns = columns_of(header, forced)
    sample = [row for row in rows if any(row)]
    if columns.format == GENERIC.number and not columns.isbns:
        place = _isbn_place(sample)
        if place != NOWHERE:
            columns = columns.with_isbn(place, header[place].strip() if place < len(header) else "(by content)")
    if not columns.is_usable:
        return None
    if len(header) == 1:
        dialect = replace(dialect, delimiter=WHOLE_LINE)
    reader = dialect.reader(lines[at:])
    with suppress(csv.Error, StopIteration):
        next(reader)
    return Layout(dialect=dialect, columns=_styled(columns, sample), first=at + reader.line_num)


def _dialects(line: str, delimiters: Sequence[str]) -> Iterator[Dialect]:
    for sign in delimiters:
        yield Dialect(sign)
        if line.startswith("'") and f"'{sign}'" in line and '"' not in line:
            yield Dialect(sign, quote="'")


def _settled(dialect: Dialect, lines: Sequence[str]) -> Dialect:
    """A dialect that knows whether people write a blank before a cell in quotes."""
    spaced = f"{dialect.delimiter} {dialect.quote}"
    tight = f"{dialect.delimiter}{dialect.quote}"
    text = "".join(lines[:_PREAMBLE])
    return replace(dialect, skips_blanks=text.count(spaced) > text.count(tight))


def _without_header(lines: Sequence[str]) -> Layout | None:
    """A table without a header in which a column holds ISBNs."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    for sign in _DELIMITERS:
        dialect = _settled(Dialect(sign), lines)
        rows = [row for row in cells_of(lines[first:], dialect) if any(row)]
        width = max(map(len, rows), default=0)
        place = _isbn_place(rows) if width > 1 else NOWHERE
        if place == NOWHERE:
            continue
        title, author = _texts(rows, place)
        columns = Columns(format=GENERIC.number, has_header=False, width=width, title=title, author=author)
        columns = replace(
            columns.with_isbn(place, f"(column {place + 1})"),
            names=tuple(
                f"{what}=(column {at + 1})"
                for what, at in (("title", title), ("author", author), ("isbn", place))
                if at != NOWHERE
            ),
        )
        return Layout(dialect=dialect, columns=_styled(columns, rows), first=first)
    return None


def _isbn_place(rows: Sequence[Sequence[str]]) -> int:
    """The first column of which at least half of what is in it are ISBNs."""
    for place in range(_width(rows)):
        held = [row[place] for row in rows if place < len(row) and row[place].strip()]
        if held and sum(map(_is_sure, held)) >= _HALF * len(held):
            return place
    return NOWHERE


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Columns that are looked at for what they hold."""
    return min(max(map(len, rows), default=0), _WIDEST)


def _is_sure(cell: str) -> bool:
    """Whether a cell is an ISBN that nothing else can be: one of ten digits may be any number, one time in eleven."""
    isbn13 = isbn13_of(cell)
    return bool(isbn13) and (isbn13 in cell.replace("-", "").replace(" ", "") or "X" in cell or cell.strip()[0] == "0")


def _texts(rows: Sequence[Sequence[str]], isbn: int) -> tuple[int, int]:
    """Which columns are title and author, of those that hold letters: what looks more like names is the author."""
    held = {
        place: found
        for place in range(_width(rows))
        if place != isbn and (found := [row[place] for row in rows if place < len(row) and _has_letters(row[place])])
    }
    texts = [place for place, found in held.items() if len(found) >= _HALF * len(rows)][:2]
    if not texts:
        return NOWHERE, NOWHERE
    if len(texts) == 1:
        return texts[0], NOWHERE
    first, second = (sum(map(looks_like_name, held[place])) / len(held[place]) for place in texts)
    return (texts[1], texts[0]) if first > second else (texts[0], texts[1])


def _plain_list(lines: Sequence[str]) -> Layout | None:
    """One ISBN a line, or one author."""
    held = [line.strip() for line in lines if line.strip()]
    isbns = sum(_is_isbn_shaped(line) for line in held)
    if isbns >= _HALF * len(held):
        return _list(ISBN_LIST, lines)
    names = sum(map(looks_like_name, held))
    if names > _MOST * len(held) and not any(sign in line for line in held for sign in ";\t|"):
        return _list(AUTHOR_LIST, lines)
    return None


def _is_isbn_shaped(line: str) -> bool:
    found = read(line)
    return bool(found.isbn13) or found.fault is Fault.WRONG_CHECK_DIGIT


def _forced_list(lines: Sequence[str], forced: Format) -> Layout:
    """Every line is one, but for a first that says what they are."""
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    has_header = bool(known_count([lines[first].strip().strip('"')], forced))
    found = _list(forced, lines)
    return replace(found, first=first + 1) if has_header else found


def _list(format_: Format, lines: Sequence[str]) -> Layout:
    is_isbns = format_ is ISBN_LIST
    columns = Columns(
        format=format_.number,
        has_header=False,
        names=("isbn=(every line)" if is_isbns else "author=(every line)",),
        isbns=(0,) if is_isbns else (),
        author=NOWHERE if is_isbns else 0,
    )
    dialect = Dialect(WHOLE_LINE)
    return Layout(dialect=dialect, columns=_styled(columns, list(cells_of(lines, dialect))), first=0)


def _styled(columns: Columns, rows: Sequence[Sequence[str]]) -> Columns:
    """Columns that know how their authors are written, by all of the column that is seen."""
    if columns.format not in _OPEN:
        return columns
    style = columns.style
    if style is Style.FREE and columns.author != NOWHERE:
        style = style_of(_held(rows, [columns.author]))
    is_turned = style is Style.TURNED or (columns.more and style_of(_held(rows, columns.more)) is Style.TURNED)
    return replace(columns, style=style, more_style=Style.TURNED if is_turned else columns.more_style)


def _held(rows: Sequence[Sequence[str]], places: Sequence[int]) -> list[str]:
    """What stands in some columns, blank cells left out."""
    cells = (row[place].strip() for row in islice(rows, SAMPLE_LINES) for place in places if place < len(row))
    return list(filter(None, cells))


_OPEN = frozenset({GENERIC.number, AUTHOR_LIST.number})


def looks_like_name(text: str) -> bool:
    """Whether a text may be a person's name: one to five words without digits, each with a capital or a particle."""
    words = text.strip().replace(",", " ").split()
    if not 1 <= len(words) <= 5 or not _NAME.fullmatch(text.strip()):  # noqa: PLR2004 - words of a name
        return False
    if words[0].casefold() in {"the", "a", "an", "my", "how", "what", "why"}:
        return False
    return all(not word[0].islower() or (_SMALL.fullmatch(word) and len(word) <= 4) for word in words)  # noqa: PLR2004


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
