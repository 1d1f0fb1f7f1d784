"""The only place that says which requests the warmer takes. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_INVALID_ISBN,
    ERROR_REASON_NOT_BUILT,
    ERROR_REASON_TOO_MANY_ITEMS,
    ERROR_REASON_UNKNOWN_ENUM_VALUE,
)
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import InvalidArgumentError, UnimplementedError
from services.warmer.isbn_cells import isbn13_of

INLINE_LIMIT = 1_000
"""ISBNs, and authors, that a request itself may carry."""

AUTHOR_LENGTH = 200
"""Characters of an author's name, as for the proxy's bibliographies."""

REQUEST_ID_LENGTH = 64

PAGE_SIZE = 50
PAGE_SIZE_LIMIT = 1_000

_LIBRARY_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineBook:
    """A row of a library that stands in the request itself: an ISBN, or an author."""

    line: int
    """Its place, from 1: the ISBNs, then the authors."""
    isbn13: str = ""
    title: str = ""
    authors: Sequence[str] = ()


def checked_warm(request: pb.WarmRequest) -> Sequence[InlineBook]:
    """Sees that a request can be met; the rows that it holds itself, none when it names a library.

    Raises:
        InvalidArgumentError: INVALID_FIELD, INVALID_ISBN, TOO_MANY_ITEMS or UNKNOWN_ENUM_VALUE.
        UnimplementedError: NOT_BUILT, for parked rows.
    """
    _known(pb.Strategy.values(), request.strategy, "strategy")
    _known(pb.RowSelection.values(), request.rows, "rows")
    if request.rows == pb.ROW_SELECTION_PARKED:
        raise UnimplementedError(
            ERROR_REASON_NOT_BUILT,
            "warming parked rows alone is not built yet; warm all rows, and what is fresh costs nothing",
            metadata={"method": "Warm", "field": "rows"},
        )
    if len(request.request_id) > REQUEST_ID_LENGTH:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"request_id has at most {REQUEST_ID_LENGTH} characters, not {len(request.request_id)}",
            field="request_id",
            metadata={"limit": str(REQUEST_ID_LENGTH)},
        )
    match request.WhichOneof("source"):
        case "library_id" if request.library_id:
            return ()
        case "inline":
            return _inline(request.inline)
    raise InvalidArgumentError(
        ERROR_REASON_INVALID_FIELD, "library_id or inline is required: it says what to warm", field="source"
    )


def is_library_id(library_id: str) -> bool:
    """Whether a text can be a library's id at all."""
    return _LIBRARY_ID.fullmatch(library_id) is not None


def checked_page_size(size: int) -> int:
    """Jobs on a page: PAGE_SIZE when none were named, PAGE_SIZE_LIMIT when more were.

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
    return min(size or PAGE_SIZE, PAGE_SIZE_LIMIT)


def checked_job_id(job_id: str) -> str:
    """A job's id.

    Raises:
        InvalidArgumentError: INVALID_FIELD; there is none.
    """
    if not job_id:
        raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "job_id is required", field="job_id")
    return job_id


def checked_format(value: int) -> pb.LibraryFormat.ValueType:
    """A format that can be forced.

    Raises:
        InvalidArgumentError: UNKNOWN_ENUM_VALUE.
    """
    _known(pb.LibraryFormat.values(), value, "header.format")
    return pb.LibraryFormat.ValueType(value)


def _known(values: Sequence[int], value: int, field: str) -> None:
    if value not in values:
        raise InvalidArgumentError(
            ERROR_REASON_UNKNOWN_ENUM_VALUE,
            f"{value} is no value of {field}",
            field=field,
            metadata={"value": str(value)},
        )


def _inline(inline: pb.InlineLibrary) -> Sequence[InlineBook]:
    if not inline.isbns and not inline.authors:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD, "inline must hold at least one ISBN or author", field="inline"
        )
    for name in ("isbns", "authors"):
        count = len(getattr(inline, name))
        if count > INLINE_LIMIT:
            raise InvalidArgumentError(
                ERROR_REASON_TOO_MANY_ITEMS,
                f"inline.{name} holds at most {INLINE_LIMIT} items, not {count}; upload a library instead",
                field=f"inline.{name}",
                metadata={"limit": str(INLINE_LIMIT), "count": str(count)},
            )
    books = [
        InlineBook(line=at + 1, isbn13=_isbn13(isbn, f"inline.isbns[{at}]")) for at, isbn in enumerate(inline.isbns)
    ]
    return books + [
        InlineBook(line=len(books) + at + 1, authors=(_author(author, f"inline.authors[{at}]"),))
        for at, author in enumerate(inline.authors)
    ]


def _isbn13(text: str, field: str) -> str:
    isbn13 = isbn13_of(text)
    if not isbn13:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_ISBN,
            f"{field} must be an ISBN-10 or ISBN-13 with a right check digit",
            field=field,
            metadata={"value": text[:40]},
        )
    return isbn13


def _author(text: str, field: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= AUTHOR_LENGTH:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"{field} must have 1 to {AUTHOR_LENGTH} characters, not {len(name)}",
            field=field,
            metadata={"limit": str(AUTHOR_LENGTH)},
        )
    return name
