"""The only place that decides what is an ISBN in a record, by its check digit."""

import unicodedata

from stdnum import isbn as stdnum_isbn
from stdnum.exceptions import ValidationError
from stdnum.util import clean

PLACEHOLDER = "9780000000002"
"""It passes the check, but stands in ISBNdb's data on books that have no ISBN at all."""

_LENGTHS = (10, 13)
_EANS = ("978", "979")
_X = 10
"""What the letter stands for in the place of an ISBN-10's check digit."""

_LONGEST = 64
"""Characters that an ISBN with all its separators may have; what is longer is not worth reading."""


def is_isbn13(text: str) -> bool:
    """Whether a text is the thirteen digits of an ISBN, and nothing else (ISO 2108, Annex A).

    Nearly every one is written so, and the library takes some thirty times as long to see it.
    """
    if len(text) != _LENGTHS[1] or not (text.isascii() and text.isdigit() and text.startswith(_EANS)):
        return False
    codes = text.encode()
    # The codes of digits are 48 more than the digits, which makes 1,200 in all and so changes no last digit.
    return (sum(codes[::2]) + 3 * sum(codes[1::2])) % 10 == 0


def isbn13_of(text: str) -> str:
    """The thirteen digits of an ISBN-10 or ISBN-13 with or without separators; "" when the text is none."""
    if is_isbn13(text):
        return text
    if len(text) > _LONGEST:
        return ""
    # Digits and hyphens come in wide and other forms when people copy them from documents.
    bare = clean(unicodedata.normalize("NFKC", text), " -").upper().removeprefix("ISBN").lstrip(":")
    # The library would take nine digits as well, of which one in eleven passes by chance.
    if len(bare) not in _LENGTHS:
        return ""
    try:
        return str(stdnum_isbn.validate(bare, convert=True))
    except ValidationError:
        return ""


def isbn10_of(isbn13: str) -> str:
    """The ISBN-10 of a valid ISBN-13; "" for those of 979, which have none."""
    if not isbn13.startswith("978"):
        return ""
    nine = isbn13[3:12]
    check = sum(weight * int(digit) for weight, digit in enumerate(nine, 1)) % 11
    return f"{nine}{'X' if check == _X else check}"
