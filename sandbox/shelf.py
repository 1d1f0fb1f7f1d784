"""The only place that reads a catalogue file: a CSV of any shape with titles, authors and ISBNs."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from sandbox.catalogue import Book
from sandbox.isbn import to13
from sandbox.languages import iso639

_COLUMNS = {
    "isbn13": ("isbn13", "ean", "ean13"),
    "isbn": ("isbn", "isbn10", "isbnuid", "isbns"),
    "title": ("title", "booktitle", "name", "originaltitle"),
    "subtitle": ("subtitle",),
    "authors": ("authors", "author", "authorname", "primaryauthor"),
    "publisher": ("publisher",),
    "year": ("year", "originalpublicationyear", "yearpublished", "publicationyear", "published", "datepublished"),
    "pages": ("pages", "numberofpages", "numpages", "pagecount"),
    "language": ("language", "languagecode", "lang"),
    "binding": ("binding", "format"),
    "edition": ("edition",),
    "dewey": ("dewey", "deweydecimal"),
    "price": ("price", "msrp"),
    "subjects": ("subjects", "subject", "categories", "genres"),
    "summary": ("summary", "synopsis", "description"),
    "latin_title": ("latintitle",),
    "latin_authors": ("latinauthors",),
    "work": ("work", "workid"),
}
"""What a column may be called, case and punctuation aside, the best name first."""

_SERIES = re.compile(r"\s*\([^()]*#[^()]*\)\s*$")
_YEAR = re.compile(r"-?\d{1,4}")
_GENERATIONS = {"jr", "sr", "ii", "iii", "iv", "md", "phd"}
_ISBN10_LENGTH = 10
_FEWEST_DIGITS = 6

Cell = Callable[[str], str]
"""The text of a row's cell by the name of our column, "" when the file has no such column."""


class CatalogueError(ValueError):
    """A file that is no catalogue; the message says what was looked for and what was found."""


def read(path: Path) -> list[Book]:
    """Reads a catalogue file.

    Raises:
        CatalogueError: The file cannot be read, is no UTF-8 text, or is no catalogue.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise CatalogueError(f"catalogue {path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise CatalogueError(f"catalogue {path} is no UTF-8 text (byte {problem.start})") from problem
    try:
        return parse(text)
    except (CatalogueError, csv.Error) as problem:
        raise CatalogueError(f"catalogue {path}: {problem}") from problem


def parse(text: str) -> list[Book]:
    """The books of a catalogue; a row without a title or a valid ISBN is no book of it.

    Raises:
        CatalogueError: A needed column is missing, or no row holds a book.
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    found = _positions(header)
    if missing := [name for name in ("title", "authors") if name not in found]:
        raise CatalogueError(f"no column for {' and '.join(missing)} among {', '.join(header) or 'nothing'}")
    if not {"isbn", "isbn13"} & found.keys():
        raise CatalogueError(f"no column for isbn among {', '.join(header)}")
    books = [book for row in rows if (book := _book(_cells(row, found)))]
    if not books:
        raise CatalogueError("no row has a title and a valid ISBN")
    return books


def _positions(header: list[str]) -> dict[str, int]:
    """Our columns -> where the file has them."""
    given = {re.sub(r"[\W_]", "", name.lower()): at for at, name in reversed(list(enumerate(header)))}
    return {
        ours: given[known[0]]
        for ours, names in _COLUMNS.items()
        if (known := [name for name in names if name in given])
    }


def _cells(row: list[str], found: dict[str, int]) -> Cell:
    """Reads a row by our names; spreadsheets' `="..."` is undone."""

    def cell(name: str) -> str:
        at = found.get(name, len(row))
        text = row[at].strip() if at < len(row) else ""
        return text[2:-1].strip() if text.startswith('="') and text.endswith('"') else text

    return cell


def _book(cell: Cell) -> Book | None:
    """The book of a row, or None."""
    isbn13 = to13(cell("isbn13")) or _restored(cell("isbn"))
    if not isbn13 or not cell("title"):
        return None
    series = _SERIES.search(cell("title"))
    year = _YEAR.search(cell("year"))
    pages = cell("pages").partition(".")[0]
    return Book(
        isbn13=isbn13,
        title=_SERIES.sub("", cell("title")) or cell("title"),
        subtitle=cell("subtitle"),
        long_title=cell("title") if series else "",
        authors=_authors(cell("authors")),
        publisher=cell("publisher"),
        year=int(year.group()) if year else None,
        pages=int(pages) if pages.isascii() and pages.isdigit() else None,
        language=iso639(cell("language")),
        binding=cell("binding"),
        edition=cell("edition"),
        dewey=cell("dewey"),
        price=cell("price"),
        subjects=_list(cell("subjects")),
        summary=cell("summary"),
        aliases=tuple(filter(None, (cell("latin_title"), *_list(cell("latin_authors"))))),
        work=cell("work"),
    )


def _restored(isbn: str) -> str:
    """An ISBN of either length as ISBN-13; a number that a spreadsheet took its leading zeros from gets them back."""
    bare = isbn.removesuffix(".0")
    if _FEWEST_DIGITS <= len(bare) < _ISBN10_LENGTH and bare[:-1].isdigit():
        bare = bare.rjust(_ISBN10_LENGTH, "0")
    return to13(bare)


def _list(text: str) -> tuple[str, ...]:
    """A list cell: semicolons between the parts."""
    return tuple(part for part in map(str.strip, text.split(";")) if part)


def _authors(text: str) -> tuple[str, ...]:
    """The authors of a cell: semicolons between them, else commas, a generation ("Jr.") staying with its name.

    "Last, First" cannot be told from two names; no catalogue that is known to us writes its authors so.
    """
    if ";" in text:
        return _list(text)
    names: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        if names and part.lower().replace(".", "") in _GENERATIONS:
            names[-1] += f" {part}"
        else:
            names.append(" ".join(part.split()))
    return tuple(dict.fromkeys(names))
