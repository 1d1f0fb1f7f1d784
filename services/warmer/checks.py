"""The only place that says what a request to the warmer means, beyond what the contract makes of it. Pure.

What a request must keep stands in the contract, and is seen to before it comes here; check digits are seen to here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_ISBN
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import InvalidArgumentError
from services.warmer.library.isbn_cells import isbn13_of

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


def inline_books(request: pb.WarmRequest) -> Sequence[InlineBook]:
    """The rows that a request holds itself; none when it names a library.

    Raises:
        InvalidArgumentError: INVALID_ISBN.
    """
    inline = request.inline
    books = [
        InlineBook(line=at + 1, isbn13=_isbn13(isbn, f"inline.isbns[{at}]")) for at, isbn in enumerate(inline.isbns)
    ]
    return books + [
        InlineBook(line=len(books) + at + 1, authors=(" ".join(author.split()),))
        for at, author in enumerate(inline.authors)
    ]


def is_library_id(library_id: str) -> bool:
    """Whether a text can be a library's id at all."""
    return _LIBRARY_ID.fullmatch(library_id) is not None


def page_size_of(size: int) -> int:
    """Jobs on a page: PAGE_SIZE when none were named, PAGE_SIZE_LIMIT when more were."""
    return min(size or PAGE_SIZE, PAGE_SIZE_LIMIT)


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
