"""From the cells of one line to a row, a repair or a reject: pure, and the only place that judges a line."""

import re
import unicodedata
from collections.abc import Callable, Sequence

import msgspec

from services.warmer.library.check_digits import isbn13_of_digits
from services.warmer.library.columns import NOWHERE, Columns
from services.warmer.library.isbn_cells import NOTHING, Fault, Read, candidates, read
from services.warmer.library.people import full_name, people
from services.warmer.library.plain_lists import parted
from services.warmer.library.roles import without_others
from services.warmer.library.title_cells import is_sum, title_of_cell, without_statement

TEXT_LENGTH = 200
"""Characters of a refused row that its reject shows."""

_SMALL = bytes(range(256)).lower()
_SIGNS = bytes(code for code in range(1, 128) if not chr(code).isalnum())
_NO_LETTERS = re.compile(r"[^\w\0]+|_+")

_IDENTIFIED = re.compile(r"(?i)\bisbn(?:13|10)?:\s*([0-9X -]+)")

_BLANKS = frozenset({"", '=""'})
"""Cells without an ISBN, as most programs write them."""

_ISBN_LENGTH = 13
_FORMULA = 16
"""Characters of an ISBN-13 in Goodreads' `="..."`."""


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=0):
    """A line that holds a book, or at least an author."""

    line: int
    """Where it begins; the file's first line is 1."""
    title: str
    """Without series; empty when the line has none."""
    authors: tuple[str, ...]
    """Each person once, first name first where that is beyond doubt."""
    isbn13: str
    """Proven by its check digit; empty when the line has none."""

    @property
    def text_key(self) -> bytes:
        """Equal for rows of one title and first author, without regard to case, accents' form, blanks and signs."""
        title, author = self.title, self.authors[0] if self.authors else ""
        if title[:1].isalnum() or any(map(str.isalnum, title)):
            return folded(f"{title}\0{author}")
        # A title of nothing but signs is a title all the same.
        return title.encode("utf-8", "surrogatepass") + b"\0" + folded(author)


class Reject(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    """A line that can't be used."""

    line: int
    """Where it begins."""
    reason: str
    """One UPPER_SNAKE word."""
    hint: str
    """How to mend it."""
    text: str
    """The line, cut to TEXT_LENGTH."""


class Repair(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=2):
    """A line that was mended."""

    line: int
    """Where it begins."""
    reason: str
    """One UPPER_SNAKE word."""
    hint: str
    """What was done."""


_FAULTS = {
    Fault.WRONG_CHECK_DIGIT: "the check digit of the ISBN is wrong",
    Fault.ROUNDED: "a spreadsheet has rounded the ISBN; format the column as text and export again",
    Fault.NO_ISBN: "the ISBN cell holds something else",
    Fault.NO_CHECK_DIGIT: "the check digit of the ISBN is missing",
    Fault.LOST_ZEROS: "the ISBN has lost the zeros at its beginning",
}

_MENDED = {
    Fault.ROUNDED: "its last digit was found by the check digit",
    Fault.NO_CHECK_DIGIT: "it was reckoned",
    Fault.LOST_ZEROS: "they were put back, and the check digit proves it",
}

Judge = Callable[[int, Sequence[str]], tuple[Row | Reject, Repair | None]]
"""Takes the number of a line and its cells."""


def judge_of(columns: Columns) -> Judge:
    """What judges the lines of a library.

    An ISBN that is wrong or lossy is mended where that is beyond doubt, else replaced by that of another column, or set
    aside where the title or an author can still be searched for.
    """
    title_at, author_at, isbns_at = columns.title, columns.author, columns.isbns
    style, has_more = columns.style, bool(columns.more) or columns.last_name != NOWHERE
    least = 1 + max(title_at, author_at, *isbns_at, *columns.more, columns.last_name, columns.identifiers, 0)
    first_isbn = isbns_at[0] if isbns_at else NOWHERE
    numbers = isbns_at if columns.identifiers == NOWHERE else (*isbns_at, columns.identifiers)

    def judge(line: int, cells: Sequence[str]) -> tuple[Row | Reject, Repair | None]:
        if len(cells) < least:
            cells = [*cells, *[""] * (least - len(cells))]
        title = title_of_cell(cells[title_at]) if title_at != NOWHERE else ""
        authors = people(cells[author_at], style) if author_at != NOWHERE else ()
        if has_more:
            authors = _with_more(authors, cells, columns)
        title = without_statement(title, authors) if " / " in title else title
        if first_isbn != NOWHERE:
            cell = cells[first_isbn]
            if len(cell) == _FORMULA and cell.startswith('="'):
                cell = cell[2:-1]
            if len(cell) == _ISBN_LENGTH and isbn13_of_digits(cell):
                return Row(line, title, authors, cell), None
        if (authors or title[:1].isalnum()) and _are_blank(cells, numbers):
            if not authors and is_sum(title, cells):
                return _reject(line, "NO_BOOK", "this looks like a sum; if it is a book, add its author", cells), None
            return Row(line, title, authors, ""), None
        return _judged(line, title, authors, _isbns(cells, columns), cells)

    if columns.joint:
        return lambda line, cells: judge(line, parted(columns, cells))
    return judge


def _are_blank(cells: Sequence[str], places: Sequence[int]) -> bool:
    for place in places:  # noqa: SIM110 - all() of a generator takes three times as long
        if cells[place] not in _BLANKS:
            return False
    return True


def _judged(
    line: int, title: str, authors: tuple[str, ...], found: Sequence[Read], cells: Sequence[str]
) -> tuple[Row | Reject, Repair | None]:
    isbn13, mended = _best(found)
    fault = mended or _worst(found)
    if isbn13:
        if fault is None:
            return Row(line, title, authors, isbn13), None
        how = _MENDED[mended] if mended else "that of the other column was taken"
        done = f"{_FAULTS[fault]}; {how}"
        return Row(line, title, authors, isbn13), Repair(line, fault.value, done)
    if authors or any(map(str.isalnum, title)):
        if fault is None:
            return Row(line, title, authors, ""), None
        what = "the book is searched for by title and author" if title else "the author is searched for"
        return Row(line, title, authors, ""), Repair(line, fault.value, f"{_FAULTS[fault]}; {what}")
    if fault is not None:
        return _reject(line, fault.value, f"{_FAULTS[fault]}; correct it, or add a title", cells), None
    return _reject(line, "NO_TITLE_OR_ISBN", "add a title, an author or an ISBN", cells), None


def header_again(line: int, cells: Sequence[str]) -> Reject:
    """What becomes of a header in the midst of a file, where people have put two files together."""
    return _reject(line, "NO_BOOK", "the header stands here once more; nothing is to be mended", cells)


def _reject(line: int, reason: str, hint: str, cells: Sequence[str]) -> Reject:
    return Reject(line, reason, hint, ", ".join(cell.strip() for cell in cells if cell.strip())[:TEXT_LENGTH])


def _isbns(cells: Sequence[str], columns: Columns) -> list[Read]:
    found = [NOTHING if cells[place] in _BLANKS else read(cells[place]) for place in columns.isbns]
    if columns.identifiers != NOWHERE and (match := _IDENTIFIED.search(cells[columns.identifiers])):
        found.append(read(match[1]))
    return found


def _best(found: Sequence[Read]) -> tuple[str, Fault | None]:
    """The ISBN of a row, and what was mended to have it: one that needs no mending first, a rounded one last."""
    for each in found:
        if each.isbn13 and each.fault is None:
            return each.isbn13, None
    stems = {each.stem for each in found if each.stem}
    for each in found:
        if each.rounded and stems:
            # Nine digits beside a float: of what it may have been, one alone has them.
            same = [isbn for isbn in candidates(int(each.rounded)) if isbn[3:12] in stems]
            if len(same) == 1:
                return same[0], Fault.ROUNDED
    for fault in (Fault.LOST_ZEROS, Fault.NO_CHECK_DIGIT, Fault.ROUNDED):
        for each in found:
            if each.isbn13 and each.fault is fault:
                return each.isbn13, fault
    return "", None


def _worst(found: Sequence[Read]) -> Fault | None:
    faults = {each.fault for each in found}
    return next((fault for fault in Fault if fault in faults), None)


def _with_more(authors: tuple[str, ...], cells: Sequence[str], columns: Columns) -> tuple[str, ...]:
    if columns.last_name != NOWHERE:
        first = cells[columns.first_name] if NOWHERE < columns.first_name < len(cells) else ""
        authors = people(full_name(first, cells[columns.last_name]), columns.style)
    for place in columns.more:
        if cells[place]:
            more = people(cells[place], columns.more_style, is_more=bool(authors))
            if NOWHERE < columns.more_roles < len(cells) and "|" in cells[place] + cells[columns.more_roles]:
                more = without_others(more, cells[columns.more_roles])
            known = {name.casefold() for name in authors}
            authors += tuple(name for name in more if name.casefold() not in known)
    return authors


def folded(text: str) -> bytes:
    """The letters and digits of a text, without regard to case and the form of accents; "Pre-history" is "prehistory".

    A zero stays, so that two texts can be folded as one.
    """
    if text.isascii():
        return text.encode().translate(_SMALL, _SIGNS)
    plain = _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return plain.encode("utf-8", "surrogatepass")
