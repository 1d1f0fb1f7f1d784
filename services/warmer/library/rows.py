"""From the cells of one line to a row, a repair or a reject: pure, and the only place that judges a line."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from services.warmer.library.columns import AUTHOR, ISBN, ISBN10, ISBN13, MORE_AUTHORS, TITLE, Columns
from services.warmer.library.isbn_cells import Fault, Read, read

TEXT_LENGTH = 200
"""Characters of a refused row that its reject shows."""

_SERIES = re.compile(r"\s*\([^()]*#\s*\d[^()]*\)\s*$")
"""What Goodreads puts behind a title: "(Dune, #1)", "(Discworld, #3; Witches, #1)"."""

_PEOPLE = re.compile(r"\s*(?:;|\s&\s|\s+and\s+)\s*", re.IGNORECASE)
"""What stands between two authors beyond doubt; a comma may also stand inside one name."""

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "ph.d", "md", "m.d", "esq"})
"""What may follow a comma without being a person or a first name."""

_NAME_WORDS = 3
"""Words that each side of "Last, First" has at most."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line that holds a book."""

    line: int
    """Where it begins; the file's first line is 1."""
    title: str
    """Without series; empty when the line has none."""
    authors: tuple[str, ...]
    """Each person once, first name first where that is beyond doubt."""
    isbn13: str
    """Proven by its check digit; empty when the line has none."""

    @property
    def text_key(self) -> tuple[str, str]:
        """Title and first author without regard to case, accents' form and punctuation."""
        return _folded(self.title), _folded(self.authors[0]) if self.authors else ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that can't be used."""

    line: int
    """Where it begins."""
    reason: str
    """One UPPER_SNAKE word."""
    hint: str
    """How to mend it."""
    text: str
    """The line, cut to TEXT_LENGTH."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A line that was mended."""

    line: int
    """Where it begins."""
    reason: str
    """One UPPER_SNAKE word."""
    hint: str
    """What was done."""


_FAULTS = {
    Fault.WRONG_CHECK_DIGIT: "the check digit of the ISBN is wrong",
    Fault.ROUNDED: "a spreadsheet has rounded the ISBN away; format the column as text and export again",
    Fault.NO_ISBN: "the ISBN cell holds something else",
}


def judge(line: int, cells: Sequence[str], columns: Columns) -> tuple[Row | Reject, Repair | None]:
    """What a line holds, and what was mended in it.

    An ISBN that is wrong is replaced by that of another column, or set aside where the title can still be searched for.
    """
    title = _SERIES.sub("", _collapsed(columns.cell(cells, TITLE)))
    authors = people(columns.cell(cells, AUTHOR), columns.cell(cells, MORE_AUTHORS))
    found = [read(columns.cell(cells, column)) for column in (ISBN13, ISBN, ISBN10)]
    isbn13 = next((each.isbn13 for each in found if each.isbn13), "")
    fault = _worst(found)
    if isbn13:
        hint = "the ISBN was taken from the other column"
        repair = Repair(line, fault.value, hint) if fault in {Fault.WRONG_CHECK_DIGIT, Fault.ROUNDED} else None
        return Row(line, title, authors, isbn13), repair
    if title:
        hint = "" if fault is None else f"{_FAULTS[fault]}; the book is searched for by title and author"
        return Row(line, title, authors, ""), None if fault is None else Repair(line, fault.value, hint)
    text = ", ".join(cell.strip() for cell in cells if cell.strip())[:TEXT_LENGTH]
    if fault is not None:
        return Reject(line, fault.value, f"{_FAULTS[fault]}; correct it, or add a title", text), None
    return Reject(line, "NO_TITLE_OR_ISBN", "add a title or an ISBN", text), None


def _worst(found: Sequence[Read]) -> Fault | None:
    faults = {each.fault for each in found}
    return next((fault for fault in Fault if fault in faults), None)


def people(main: str, more: str = "") -> tuple[str, ...]:
    """The authors of two cells, each once, in their order."""
    names = [_collapsed(part) for part in _PEOPLE.split(_collapsed(main))]
    if len(names) == 1:
        names = _by_commas(names[0])
    names += [_collapsed(part) for part in re.split(r"[;,]", more)]
    return tuple(dict.fromkeys(name for name in names if name))


def _by_commas(cell: str) -> list[str]:
    parts = [part.strip() for part in cell.split(",") if part.strip()]
    if len(parts) <= 1 or parts[1].casefold().rstrip(".") in _SUFFIXES:
        return [cell.strip(", ")]
    if len(parts) == 2 and _is_inverted(*parts):  # noqa: PLR2004 - "Last, First" has two parts
        return [f"{parts[1]} {parts[0]}"]
    return parts


def _is_inverted(last: str, first: str) -> bool:
    """Whether a comma turns one name round: "Le Guin, Ursula K." does, "Neil Gaiman, Terry Pratchett" parts two people.

    A surname of one word before the comma is inverted; one of several is so where its first is a particle.
    """
    words = last.split()
    if len(words) > _NAME_WORDS or len(first.split()) > _NAME_WORDS:
        return False
    return len(words) == 1 or words[0].casefold() in _PARTICLES


_PARTICLES = frozenset(
    {"al", "ap", "ben", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el", "la", "le"}
    | {"les", "mac", "mc", "o'", "st", "st.", "ten", "ter", "van", "von"}
)
"""Words that a surname of several words begins with."""


def _collapsed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(letter if letter.isalnum() else " " for letter in folded).split())
