"""From one book as ISBNdb writes it, with every fault that its data has, to a record that can be trusted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bookmesh.type.v1.book_pb2 import Edition

from services.cataloguing.covers import cover_of
from services.cataloguing.dates import date_of, year_of
from services.cataloguing.formats import format_of
from services.cataloguing.isbn import PLACEHOLDER, isbn10_of, isbn13_of
from services.cataloguing.languages import corrected, language_of
from services.cataloguing.names import authors_of
from services.cataloguing.pages import page_count_of
from services.cataloguing.subjects import subjects_of
from services.cataloguing.text import line_of, prose_of
from services.cataloguing.titles import Title, title_of
from services.isbndb.faults import PROVIDER

_DEWEY = re.compile(r"\d{3}(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One book of ISBNdb's, clean."""

    title: Title
    """The title in its parts."""
    authors: tuple[str, ...]
    """Display names in the order of the title page."""
    edition: Edition
    """The edition; its own title is left to whoever knows the work's."""
    year: int
    """Year of the edition; 0 when unknown."""
    subjects: tuple[str, ...]
    """Without repeats."""
    synopsis: str
    """Plain text."""


def record_of(book: object, *, asked_isbn13: str = "") -> Record | None:
    """The record of a book; None when it has no title, for then it says nothing of any book. Never raises.

    Args:
        book: whatever ISBNdb put in the place of a book.
        asked_isbn13: the ISBN that the book was asked for by, which a record without a valid one must have.
    """
    if not isinstance(book, dict):
        return None
    short, long = line_of(book.get("title")), line_of(book.get("title_long"))
    if not (short or long):
        return None
    authors = authors_of(book.get("authors"))
    isbn13 = _isbn13(book, asked_isbn13)
    language = language_of(book.get("language"))
    date = date_of(book.get("date_published"))
    edition = Edition(
        isbn_13=isbn13,
        isbn_10=isbn10_of(isbn13),
        publisher=line_of(book.get("publisher"), limit=200),
        publication_date=date,
        page_count=page_count_of(book.get("pages")),
        format=format_of(line_of(book.get("binding"))),
        language=corrected(language, short or long, " ".join(authors), isbn13),
        cover_uri=cover_of(book.get("image")),
        provider=PROVIDER,
    )
    if isbn13:
        edition.identifiers.add(scheme=PROVIDER, value=isbn13)
    if dewey := _dewey(book.get("dewey_decimal")):
        edition.identifiers.add(scheme="dewey_decimal", value=dewey)
    return Record(
        title=title_of(short, long),
        authors=authors,
        edition=edition,
        year=year_of(date),
        subjects=subjects_of(book.get("subjects")),
        synopsis=_synopsis(book),
    )


def _isbn13(book: Mapping[str, Any], asked: str) -> str:
    """The valid ISBN of a book, whichever field it stands in; the one asked for, where the book has it or none."""
    texts = dict.fromkeys(line_of(book.get(name)) for name in ("isbn13", "isbn", "isbn10"))
    valid = (isbn for text in texts if (isbn := isbn13_of(text)) and isbn != PLACEHOLDER)
    first = next(valid, asked)
    return asked if asked and asked in valid else first


def _dewey(value: object) -> str:
    """A class of Dewey's, without the marks that cataloguers put between its parts ("813/.54")."""
    for cell in value if isinstance(value, list) else [value]:
        if match := _DEWEY.match(line_of(cell).replace("/", "").replace("'", "")):
            return match[0]
    return ""


def _synopsis(book: Mapping[str, Any]) -> str:
    """The longest text about a book; "synopsys" is how the old schema spells it."""
    return max((prose_of(book.get(name)) for name in ("synopsis", "synopsys", "overview")), key=len)
