"""The only place that reads the ISBN cells of a library: what is an ISBN, what was one, and what never was. Pure."""

import enum
import re
import unicodedata
from dataclasses import dataclass

from stdnum import isbn as stdnum_isbn
from stdnum.exceptions import ValidationError
from stdnum.util import clean

_LENGTHS = (10, 13)

_LONGEST = 64
"""Characters that an ISBN with all its separators may have."""

_ROUNDED = re.compile(r"\d[.,]\d+[eE]\+?\d+")
"""What a spreadsheet makes of thirteen digits: "9.78044E+12"."""

_SHAPE = re.compile(r"\d{9}[\dX]|\d{13}")


class Fault(enum.Enum):
    """Why a cell that is not empty holds no ISBN; the words are those of the report."""

    WRONG_CHECK_DIGIT = "WRONG_CHECK_DIGIT"
    ROUNDED = "ISBN_ROUNDED"
    NO_ISBN = "NOT_AN_ISBN"


@dataclass(frozen=True, slots=True)
class Read:
    """What a cell holds."""

    isbn13: str = ""
    """The ISBN-13 of an ISBN of either length."""
    fault: Fault | None = None
    """Why there is none; None for an empty cell."""


def isbn13_of(text: str) -> str:
    """The ISBN-13 of a cell; empty when it holds none, or its check digit is wrong."""
    return read(text).isbn13


def read(cell: str) -> Read:
    """Reads one cell: hyphens, blanks, Goodreads' `="..."`, LibraryThing's brackets and the word ISBN are taken off."""
    bare = _bare(cell)
    if not bare:
        return Read()
    if _ROUNDED.fullmatch(bare):
        return Read(fault=Fault.ROUNDED)
    if len(bare) not in _LENGTHS:
        return Read(fault=Fault.NO_ISBN)
    try:
        return Read(isbn13=str(stdnum_isbn.validate(bare, convert=True)))
    except ValidationError:
        return Read(fault=Fault.WRONG_CHECK_DIGIT if _SHAPE.fullmatch(bare) else Fault.NO_ISBN)


def _bare(cell: str) -> str:
    text = unicodedata.normalize("NFKC", cell[: _LONGEST * 2]).strip().strip("=\"'[] ").upper()
    if _ROUNDED.fullmatch(text):
        return text
    return str(clean(text, " -")).removeprefix("ISBN").lstrip(":")
