"""The only place that says which requests the leaf takes, and what is taken for what is left out. Pure."""

import re
import unicodedata
from collections.abc import Sequence

from bookmesh.isbndb.v1.isbndb_service_pb2 import (
    SEARCH_COLUMN_AUTHOR,
    SEARCH_COLUMN_SUBJECT,
    SEARCH_COLUMN_TITLE,
    SEARCH_COLUMN_UNSPECIFIED,
)
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_EMPTY_QUERY,
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_INVALID_ISBN,
    ERROR_REASON_QUERY_TOO_LONG,
    ERROR_REASON_TOO_MANY_ITEMS,
    ERROR_REASON_UNKNOWN_ENUM_VALUE,
)

from mesh.status import InvalidArgumentError
from services.isbndb.isbn import isbn13_of
from services.isbndb.plans import RESULT_LIMIT

AUTHOR_LENGTH = 200
"""Characters of an author's name."""
QUERY_LENGTH = 512
"""Characters of a text to search for."""
ISBN_COUNT = 1_000
"""ISBNs in one BatchGetBooks."""
DEFAULT_PAGE_SIZE = 50
"""Editions on a page, when the caller does not say."""
ANY_LANGUAGE = "*"
"""What asks for every language."""

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_COLUMNS: dict[int, str] = {
    SEARCH_COLUMN_UNSPECIFIED: "",
    SEARCH_COLUMN_TITLE: "title",
    SEARCH_COLUMN_AUTHOR: "author",
    SEARCH_COLUMN_SUBJECT: "subject",
}


def checked_author(author: str) -> str:
    """A name without needless spaces, composed as Unicode has it (NFC).

    Raises:
        InvalidArgumentError: INVALID_FIELD; it is empty, too long, or has neither letter nor digit.
    """
    name = _tidy(author)
    if not name or len(name) > AUTHOR_LENGTH:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"author must have 1 to {AUTHOR_LENGTH} characters, not {len(name)}",
            field="author",
            metadata={"limit": str(AUTHOR_LENGTH), "length": str(len(name))},
        )
    if not any(map(str.isalnum, name)):
        raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "author must hold a letter or a digit", field="author")
    return name


def checked_query(q: str) -> str:
    """A text to search for, tidied as an author's name is.

    Raises:
        InvalidArgumentError: EMPTY_QUERY or QUERY_TOO_LONG.
    """
    text = _tidy(q)
    if not any(map(str.isalnum, text)):
        raise InvalidArgumentError(ERROR_REASON_EMPTY_QUERY, "q must hold a letter or a digit", field="q")
    if len(text) > QUERY_LENGTH:
        raise InvalidArgumentError(
            ERROR_REASON_QUERY_TOO_LONG,
            f"q must have at most {QUERY_LENGTH} characters, not {len(text)}",
            field="q",
            metadata={"limit": str(QUERY_LENGTH), "length": str(len(text))},
        )
    return text


def checked_page(page: int, size: int) -> int:
    """The page, 1 when none was named.

    Args:
        page: as asked for.
        size: editions on a page, checked.

    Raises:
        InvalidArgumentError: INVALID_FIELD; it is negative, or holds only results that ISBNdb never gives.
    """
    last = -(-RESULT_LIMIT // size)
    if not 0 <= page <= last:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"page must be 1 to {last} with {size} editions a page, not {page}; ISBNdb gives {RESULT_LIMIT} at most",
            field="page",
            metadata={"limit": str(last), "page_size": str(size), "value": str(page)},
        )
    return page or 1


def checked_page_size(size: int, limit: int) -> int:
    """Editions on a page: DEFAULT_PAGE_SIZE when none were named, and the limit when more were.

    Raises:
        InvalidArgumentError: INVALID_FIELD; it is negative.
    """
    if size < 0:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"page_size must be 0 or more, not {size}",
            field="page_size",
            metadata={"value": str(size)},
        )
    return min(size or DEFAULT_PAGE_SIZE, limit)


def checked_language(language: str) -> str:
    """A primary subtag of BCP 47 in lower case, or "*"; "en" when none was named.

    Raises:
        InvalidArgumentError: INVALID_FIELD; it is neither.
    """
    tag = language.strip().lower() or "en"
    if tag != ANY_LANGUAGE and not _LANGUAGE.fullmatch(tag):
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f'language must be a primary subtag such as "en", or "{ANY_LANGUAGE}" for every language',
            field="language",
            metadata={"value": language[:40]},
        )
    return tag


def checked_isbn(isbn: str) -> str:
    """The thirteen digits of an ISBN.

    Raises:
        InvalidArgumentError: INVALID_FIELD where there is none, INVALID_ISBN where it is none.
    """
    if not isbn.strip():
        raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "isbn is required", field="isbn")
    isbn13 = isbn13_of(isbn)
    if not isbn13:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_ISBN,
            "isbn must be an ISBN-10 or ISBN-13 with a right check digit",
            field="isbn",
            metadata={"value": isbn[:40]},
        )
    return isbn13


def checked_isbns(isbns: Sequence[str]) -> dict[str, str]:
    """The thirteen digits of each ISBN by how it was asked for, in order; "" for what is no ISBN.

    Raises:
        InvalidArgumentError: INVALID_FIELD when there are none, TOO_MANY_ITEMS when there are too many.
    """
    if not isbns:
        raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "isbns must hold at least one ISBN", field="isbns")
    if len(isbns) > ISBN_COUNT:
        raise InvalidArgumentError(
            ERROR_REASON_TOO_MANY_ITEMS,
            f"isbns must hold at most {ISBN_COUNT} ISBNs, not {len(isbns)}",
            field="isbns",
            metadata={"limit": str(ISBN_COUNT), "count": str(len(isbns))},
        )
    return {isbn: isbn13_of(isbn) for isbn in isbns}


def checked_column(column: int) -> str:
    """ISBNdb's name of a column; "" is every column.

    Raises:
        InvalidArgumentError: UNKNOWN_ENUM_VALUE.
    """
    if column not in _COLUMNS:
        raise InvalidArgumentError(
            ERROR_REASON_UNKNOWN_ENUM_VALUE,
            f"{column} is no column to search",
            field="column",
            metadata={"value": str(column)},
        )
    return _COLUMNS[column]


def _tidy(text: str) -> str:
    seen = "".join(char if unicodedata.category(char) != "Cc" else " " for char in text)
    return " ".join(unicodedata.normalize("NFC", seen).split())
