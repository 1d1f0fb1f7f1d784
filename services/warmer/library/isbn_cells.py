"""The only place that reads the ISBN cells of a library: what is an ISBN, what was one, and what never was. Pure."""

import enum
import re
import unicodedata
from dataclasses import dataclass

from services.warmer.library.check_digits import check_digit_13, completed, isbn13_of_digits

_LONGEST = 512
"""Characters of a cell that are read; lists of ISBNs are longer than one."""

_SHORT, _LONG = 10, 13
_FEWEST = 7
"""Digits that an ISBN-10 still has when it lost its zeros: those of large publishers begin with three at most."""

_ROUNDED = re.compile(r"(\d)[.,](\d+)E\+?(\d+)")
"""What a spreadsheet or a float makes of thirteen digits: "9.78044E+12"."""

_EXACT = 12
"""Digits of a float of thirteen of which but the last is lost."""

_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3}){2,4}|\d{1,3}(?:[.']\d{3}){2,4}")
"""What becomes of an ISBN in a column of numbers for people: "9,780,441,013,593"."""

_NUMBER = re.compile(r"(\d{7,13})[.,]0+")
"""What becomes of an ISBN in a column of floats: "9780441013593.0"."""

_SHAPE = re.compile(r"\d{9}[\dX]|97[89]\d{10}")
_WITHIN = re.compile(r"(?<![\dX])97[89](?:[ -]?\d){10}(?!\d)|(?<![\dX])\d(?:[ -]?\d){8}[ -]?[\dX](?![\dX])")
"""An ISBN in the midst of other text, or in a list."""

_FOREIGN = re.compile(r"B[0-9A-Z]{9}|[0-9A-F]{24}|[0-9A-F]{32}|OL\d+[MW]")
"""Numbers that stand where an ISBN would, and are fine: Amazon's, StoryGraph's and Open Library's own."""

_NOTHING = frozenset({"", "0", "NAN", "NONE", "NULL", "NA", "N/A", "#N/A", "UNKNOWN", "?", "."})
_DASHES = str.maketrans("", "", "- \u00a0\u2010\u2011\u2012\u2013\u2014\u2212\u200b\ufeff\u200e\u200f")


class Fault(enum.Enum):
    """What is wrong with a cell; the words are those of the report, the worst first."""

    WRONG_CHECK_DIGIT = "WRONG_CHECK_DIGIT"
    ROUNDED = "ISBN_ROUNDED"
    NO_ISBN = "NOT_AN_ISBN"
    NO_CHECK_DIGIT = "ISBN_WITHOUT_CHECK_DIGIT"
    LOST_ZEROS = "ISBN_LOST_ZEROS"


@dataclass(frozen=True, slots=True)
class Read:
    """What a cell holds."""

    isbn13: str = ""
    """The ISBN-13 of an ISBN of either length."""
    fault: Fault | None = None
    """What is wrong with the cell; with an ISBN-13 beside it, it could be mended."""
    stem: str = ""
    """The nine digits before the check digit of an ISBN whose check digit is wrong."""
    rounded: str = ""
    """The twelve digits of a float that has lost the thirteenth."""


NOTHING = Read()
"""What an empty cell holds."""


def isbn13_of(text: str) -> str:
    """The ISBN-13 of a cell; empty when it holds none, or it is not beyond doubt."""
    found = read(text)
    return "" if found.fault else found.isbn13


def read(cell: str) -> Read:
    """Reads one cell, or a list of ISBNs, of which the first that is proven counts.

    Hyphens, blanks, Goodreads' `="..."`, LibraryThing's brackets, the word ISBN and words around it are taken off.
    """
    if isbn13 := isbn13_of_digits(cell):
        return _read_proven(isbn13, cell)
    text = _bare(cell)
    if text in _NOTHING:
        return NOTHING
    if _THOUSANDS.fullmatch(text):
        text = "".join(filter(str.isdigit, text))
    if match := _NUMBER.fullmatch(text):
        text = match[1]
    if isbn13 := isbn13_of_digits(text):
        return _read_proven(isbn13, text)
    if match := _ROUNDED.fullmatch(text):
        return _read_rounded(match[1] + match[2] if int(match[3]) == _EXACT else "")
    if found := isbns_within(cell[:_LONGEST]):
        return Read(found[0])
    if text.isascii() and text[:-1].isdigit() and (text[-1].isdigit() or text[-1] == "X"):
        return _read_digits(text)
    return NOTHING if _FOREIGN.fullmatch(text) else Read(fault=Fault.NO_ISBN)


def _read_proven(isbn13: str, text: str) -> Read:
    """Ten equal digits pass the check as well, and are what people type where there is no ISBN."""
    return Read(fault=Fault.NO_ISBN) if len(text) == _SHORT and len(set(text)) == 1 else Read(isbn13)


def _read_digits(text: str) -> Read:
    """Reads digits that are no ISBN as they stand."""
    if _FEWEST <= len(text) < _SHORT:
        isbn13 = isbn13_of_digits(text.rjust(_SHORT, "0"))
        if isbn13:
            return Read(isbn13, Fault.LOST_ZEROS)
        # Nine digits and a place too few: they are an ISBN whose check digit is wrong as well.
        return Read(fault=Fault.WRONG_CHECK_DIGIT, stem=text.rjust(_SHORT, "0")[:9])
    if len(text) == _LONG - 1 and text.startswith("978") and text.isdigit():
        return Read(completed(text[3:]), Fault.NO_CHECK_DIGIT)
    if _SHAPE.fullmatch(text):
        return Read(fault=Fault.WRONG_CHECK_DIGIT, stem=text[:9] if len(text) == _SHORT else text[3:12])
    return Read(fault=Fault.NO_ISBN)


def _read_rounded(digits: str) -> Read:
    """Reads a float: of those whose last digit alone is lost, the check digit may leave but one ISBN."""
    if len(digits) != _EXACT:
        return Read(fault=Fault.ROUNDED)
    found = [isbn for isbn in candidates(int(digits)) if isbn[:3] in {"978", "979"}]
    return Read(found[0] if len(found) == 1 else "", Fault.ROUNDED, rounded=digits)


def candidates(twelve: int) -> list[str]:
    """The ISBN-13s that twelve digits may have been rounded from: at most one of each ten, by its check digit."""
    wholes = (prefix * 10 + check_digit_13(prefix) for prefix in (twelve - 1, twelve))
    return [str(whole) for whole in wholes if abs(whole - twelve * 10) <= 5]  # noqa: PLR2004 - half of ten, either way


def isbns_within(text: str) -> list[str]:
    """The ISBN-13s that are proven in a longer text, each once, in their order."""
    found = (isbn13_of_digits(match[0].translate(_DASHES)) for match in _WITHIN.finditer(text.upper()))
    return list(dict.fromkeys(filter(None, found)))


def _bare(cell: str) -> str:
    text = cell[:_LONGEST]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.upper().strip().strip("=\"'`[]() ").translate(_DASHES)
    for word in ("ISBN13", "ISBN10", "ISBN", "EAN"):
        if text.startswith(word) and not text[len(word) :].isalpha():
            # "ISBN 10" may as well be the word before an ISBN that begins with 10.
            rest = text[len(word) :].lstrip(":#. ")
            if word in {"ISBN", "EAN"} or len(rest) in {_SHORT, _LONG}:
                return rest
    return text
