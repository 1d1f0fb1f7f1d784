"""The only place that decides what is an ISBN in a record, by its check digit."""

import unicodedata

from stdnum import isbn as stdnum_isbn
from stdnum.exceptions import ValidationError
from stdnum.util import clean

PLACEHOLDER = "9780000000002"
"""It passes the check, but stands in ISBNdb's data on books that have no ISBN at all."""

_LENGTHS = (10, 13)
_LONGEST = 64
"""Characters that an ISBN with all its separators may have; what is longer is not worth reading."""


def isbn13_of(text: str) -> str:
    """The thirteen digits of an ISBN-10 or ISBN-13 with or without separators; "" when the text is none."""
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
    return str(stdnum_isbn.to_isbn10(isbn13)) if isbn13.startswith("978") else ""
