"""The only place that writes a library the way Goodreads exports it since October 2022."""

import csv
import io
import zlib

from sandbox.catalogue import Book
from sandbox.isbn import to10

HEADER = (
    "Book Id", "Title", "Author", "Author l-f", "Additional Authors", "ISBN", "ISBN13", "My Rating", "Average Rating",
    "Publisher", "Binding", "Number of Pages", "Year Published", "Original Publication Year", "Date Read", "Date Added",
    "Bookshelves", "Bookshelves with positions", "Exclusive Shelf", "My Review", "Spoiler", "Private Notes",
    "Read Count", "Owned Copies",
)  # fmt: skip

# Every n-th book bears the quirk; the numbers have no common divisor, so that most rows bear one at most.
_NO_ISBN_EVERY = 7
_SERIES_EVERY = 5
_REVIEW_EVERY = 11
_DOUBLE_SPACE_EVERY = 9


def export(books: list[Book]) -> str:
    """The export of these books, UTF-8 with LF, with the quirks that real ones have.

    Every ISBN is a spreadsheet formula, `="..."`, an absent one `=""`; some books have none; some titles bear their
    series, some authors two blanks, some reviews line breaks.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for at, book in enumerate(books, start=1):
        writer.writerow(_row(book, at))
    return out.getvalue()


def _row(book: Book, at: int) -> tuple[str, ...]:
    """One line, in the order of HEADER."""
    author, *others = book.authors
    first, _, last = author.rpartition(" ")
    has_isbn = at % _NO_ISBN_EVERY != 0
    read = zlib.crc32(book.isbn13.encode()) % 2 == 0
    day = f"2023/{at % 12 + 1:02}/{at % 28 + 1:02}"
    shelf = "read" if read else "to-read"
    return (
        str(10_000_000 + zlib.crc32(book.isbn13.encode()) % 50_000_000),
        f"{book.title} (From the Shelf, #{at})" if at % _SERIES_EVERY == 0 else book.title,
        f"{first}  {last}" if first and at % _DOUBLE_SPACE_EVERY == 0 else author,
        f"{last}, {first}" if first else author,
        ", ".join(others),
        _formula(to10(book.isbn13) if has_isbn else ""),
        _formula(book.isbn13 if has_isbn else ""),
        str(at % 6) if read else "0",
        f"{3 + at % 20 / 10:.2f}",
        book.publisher,
        book.binding,
        str(book.pages or ""),
        str(book.year or ""),
        str(book.year or ""),
        day if read else "",
        day,
        "" if read else shelf,
        "" if read else f"{shelf} (#{at})",
        shelf,
        'Twice read,<br/>twice loved.\nLent to "M.", never seen again.' if at % _REVIEW_EVERY == 0 else "",
        "",
        "",
        "1" if read else "0",
        "0",
    )


def _formula(isbn: str) -> str:
    """An ISBN in the form that keeps a spreadsheet from taking it for a number."""
    return f'="{isbn}"'
