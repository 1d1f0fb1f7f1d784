"""What an ISBN is to a search: its shape, its check digit and its one normal form."""

import re
import unicodedata

from stdnum import isbn as stdnum_isbn
from stdnum.exceptions import ValidationError

from services.cataloguing.isbn import is_isbn13

_DECORATION = re.compile(r"^(?:ISBN(?:[- ]?1[03])?\s*:?\s*)", re.IGNORECASE)
"""What people copy along with the number: "ISBN-13: 978-...". """

_SEPARATORS = re.compile(r"[\s\u00ad\u2010-\u2015\u2212-]+")
"""Blanks, soft hyphens, hyphens and dashes in all their forms."""

_SHAPE = re.compile(r"(?:97[89]\d{10}|\d{13}|\d{9}[\dX])")


def bare(text: str) -> str:
    """The text without what people put around and between an ISBN's digits, upper case; maybe no ISBN at all."""
    plain = unicodedata.normalize("NFKC", text).strip().strip("=\"'").strip()
    return _SEPARATORS.sub("", _DECORATION.sub("", plain)).upper()


def is_isbn_shaped(text: str) -> bool:
    """Whether a bare text can have been meant as nothing but an ISBN."""
    return _SHAPE.fullmatch(text) is not None


def isbn13_of(text: str) -> str:
    """The ISBN-13 of a bare ISBN of either length; empty when its check digit is wrong (ISO 2108, Annex A)."""
    if is_isbn13(text):
        return text
    try:
        return str(stdnum_isbn.validate(text, convert=True))
    except ValidationError:
        return ""
