"""The only place that says what the leaf takes a request for, and what can't be looked up. Pure.

What a request must keep stands in the contract, and is seen to before it comes here; check digits are seen to here.
"""

import unicodedata
from collections.abc import Mapping, Sequence

from bookmesh.isbndb.v1.isbndb_service_pb2 import (
    SEARCH_COLUMN_AUTHOR,
    SEARCH_COLUMN_SUBJECT,
    SEARCH_COLUMN_TITLE,
    SEARCH_COLUMN_UNSPECIFIED,
)
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD, ERROR_REASON_INVALID_ISBN

from mesh.status import InvalidArgumentError
from services.cataloguing.isbn import isbn13_of
from services.isbndb.plans import RESULT_LIMIT

DEFAULT_PAGE_SIZE = 50
"""Editions on a page, when the caller does not say."""
DEFAULT_LANGUAGE = "en"
"""The language asked for, when the caller does not say."""
ANY_LANGUAGE = "*"
"""What asks for every language."""

COLUMNS: Mapping[int, str] = {
    SEARCH_COLUMN_UNSPECIFIED: "",
    SEARCH_COLUMN_TITLE: "title",
    SEARCH_COLUMN_AUTHOR: "author",
    SEARCH_COLUMN_SUBJECT: "subject",
}
"""ISBNdb's name of each column; "" is every column."""


def tidied(text: str) -> str:
    """A name or a text without needless spaces and control characters, composed as Unicode has it (NFC)."""
    seen = "".join(char if unicodedata.category(char) != "Cc" else " " for char in text)
    return " ".join(unicodedata.normalize("NFC", seen).split())


def checked_page(page: int, size: int) -> int:
    """The page, 1 when none was named.

    Args:
        page: as asked for.
        size: editions on a page.

    Raises:
        InvalidArgumentError: INVALID_FIELD; it holds only results that ISBNdb never gives.
    """
    last = -(-RESULT_LIMIT // size)
    if page > last:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"page must be 1 to {last} with {size} editions a page, not {page}; ISBNdb gives {RESULT_LIMIT} at most",
            field="page",
            metadata={"limit": str(last), "page_size": str(size), "value": str(page)},
        )
    return page or 1


def page_size_of(size: int, limit: int) -> int:
    """Editions on a page: DEFAULT_PAGE_SIZE when none were named, and the limit when more were."""
    return min(size or DEFAULT_PAGE_SIZE, limit)


def language_of(language: str) -> str:
    """A primary subtag of BCP 47 in lower case, or "*"; DEFAULT_LANGUAGE when none was named."""
    return language.lower() or DEFAULT_LANGUAGE


def checked_isbn(isbn: str) -> str:
    """The thirteen digits of an ISBN.

    Raises:
        InvalidArgumentError: INVALID_ISBN.
    """
    isbn13 = isbn13_of(isbn)
    if not isbn13:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_ISBN,
            "isbn must be an ISBN-10 or ISBN-13 with a right check digit",
            field="isbn",
            metadata={"value": isbn[:40]},
        )
    return isbn13


def isbns_of(isbns: Sequence[str]) -> Mapping[str, str]:
    """The thirteen digits of each ISBN by how it was asked for, in order; "" for what is no ISBN."""
    return {isbn: isbn13_of(isbn) for isbn in isbns}
