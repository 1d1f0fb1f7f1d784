"""The only place that knows the shapes of ISBNdb v2: a book's fields, the bodies of lists and of errors.

Sources: ISBNdb's published API description and recorded answers. Whether /author tells a `total` is disputed (its
examples say so, a system that used it in earnest says not), so that is a setting of the server's.
"""

from collections.abc import Sequence
from typing import TypeVar

from sandbox.catalogue import Book
from sandbox.isbn import to10

Json = dict[str, object]
_T = TypeVar("_T")

NOT_FOUND: Json = {"errorMessage": "Not Found"}
TOO_FAST: Json = {"message": "Limit Exceeded"}
DENIED: Json = {"message": "User is not authorized to access this resource with an explicit deny"}
UNAUTHORIZED: Json = {"message": "Unauthorized"}
FAILED: Json = {"message": "Internal server error"}

MAX_RESULTS = 10_000
"""Nothing beyond is given, whatever the paging."""
MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 20
MAX_RESPONSE_BYTES = 6_000_000
"""The gateway's cap; a longer answer becomes a 500."""


def error(status: int) -> Json:
    """The body that goes with a status."""
    bodies = {401: UNAUTHORIZED, 403: DENIED, 404: NOT_FOUND, 429: TOO_FAST}
    return bodies.get(status, FAILED if status >= 500 else {"errorMessage": "Bad Request"})  # noqa: PLR2004 -- HTTP


def book_json(book: Book, editions: Sequence[Book] = ()) -> Json:
    """A book as ISBNdb would show it on a good day: absent fields are left out.

    Args:
        book: The book.
        editions: The other editions of its work.
    """
    isbn10 = to10(book.isbn13)
    shown: Json = {
        "publisher": book.publisher,
        "synopsis": book.summary,
        "language": book.language,
        "image": f"https://images.isbndb.com/covers/{book.isbn13[-4:-2]}/{book.isbn13[-2:]}/{book.isbn13}.jpg",
        "title_long": book.long_title or (f"{book.title}: {book.subtitle}" if book.subtitle else book.title),
        "edition": book.edition,
        "pages": book.pages,
        "date_published": "" if book.year is None else str(book.year),
        "dewey_decimal": book.dewey,
        "subjects": list(book.subjects),
        "authors": list(book.authors),
        "title": book.title,
        "isbn13": book.isbn13,
        "msrp": book.price or "0.00",
        "binding": book.binding,
        "isbn": isbn10 or book.isbn13,
        "isbn10": isbn10,
        "other_isbns": [{"isbn": other.isbn13, "binding": other.binding or "Unknown"} for other in editions],
    }
    return {name: value for name, value in shown.items() if value not in ("", None, [])}


def page(found: Sequence[_T], number: int, size: int) -> Sequence[_T]:
    """The page of a list, numbered from 1; nothing lies beyond MAX_RESULTS."""
    start = (number - 1) * size
    return found[start : min(start + size, MAX_RESULTS)]


def total(found: Sequence[object]) -> int:
    """How many results a list claims to have."""
    return min(len(found), MAX_RESULTS)
