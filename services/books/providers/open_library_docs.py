"""The only place that reads a work as Open Library's search writes it: a document over all editions of it. Pure."""

import re
from collections.abc import Iterator, Sequence

from bookmesh.type.v1.book_pb2 import Edition, Work

from services.books.providers.faults import Faults
from services.books.providers.http import Json
from services.books.providers.record import identified, list_of, object_of, work_of
from services.cataloguing.dates import date_of
from services.cataloguing.isbn import PLACEHOLDER, isbn10_of, isbn13_of
from services.cataloguing.languages import language_of
from services.cataloguing.names import authors_of
from services.cataloguing.pages import page_count_of
from services.cataloguing.subjects import subjects_of
from services.cataloguing.text import line_of

FAULTS = Faults("open_library", "Open Library")

EDITIONS = 20
"""Editions that are made of one work's ISBNs; famous works have hundreds."""

_COVERS = "https://covers.openlibrary.org/b/id/{}-L.jpg"
_COVER_LIMIT = 10**12
_WORK_KEY = re.compile(r"OL\d{1,12}W")
_CATALOGUES = (("lccn", "lccn"), ("oclc", "oclc"))
_YEAR_LENGTH = 4


def works_of(docs: Sequence[object], isbn13: str = "", language: str = "") -> Iterator[Work]:
    """The works of documents that have a title.

    Args:
        docs: whatever stood in their place.
        isbn13: the ISBN that was asked for, which a work must then have; or "".
        language: the only language that is wanted; a work of which others alone are known goes. "" wants them all.
    """
    for each in docs:
        doc = object_of(each)
        title = line_of(doc.get("title"))
        languages = [code for value in list_of(doc.get("language")) if (code := language_of(value))]
        # The one that was asked for comes first, so that it is among those that are kept.
        isbns = sorted(isbns_of(doc), key=lambda isbn: isbn != isbn13)[:EDITIONS]
        if not title or (isbn13 and isbn13 not in isbns):
            continue
        if not isbn13 and language and languages and language not in languages:
            continue
        yield work_of(
            title,
            line_of(doc.get("subtitle")),
            authors=authors_of(doc.get("author_name")),
            year=_year(doc.get("first_publish_year")),
            editions=_editions(doc, isbns, languages),
            subjects=subjects_of(doc.get("subject")),
            identifiers=_identifiers(doc),
        )


def isbns_of(doc: object) -> list[str]:
    """The ISBN-13s of a document, each once whichever its length is."""
    texts = (isbn13_of(line_of(value, limit=40)) for value in list_of(object_of(doc).get("isbn")))
    return list(dict.fromkeys(isbn for isbn in texts if isbn and isbn != PLACEHOLDER))


def _editions(doc: Json, isbns: Sequence[str], languages: Sequence[str]) -> list[Edition]:
    """An edition for each ISBN, with no more than can be known of it.

    A document lists the publishers, dates and languages of all editions of its work, and does not say which go
    together: of a single edition they are its own, and one language is that of all.
    """
    language = languages[0] if len(set(languages)) == 1 else ""
    editions = [
        Edition(isbn_13=isbn, isbn_10=isbn10_of(isbn), language=language, provider=FAULTS.provider) for isbn in isbns
    ] or [Edition(language=language, provider=FAULTS.provider)]
    # The cover is the work's, so one edition shows it.
    first = editions[0]
    first.cover_uri = _cover(doc.get("cover_i"))
    if doc.get("edition_count") == 1 and len(editions) == 1:
        first.publisher = line_of(_only(doc.get("publisher")), limit=200)
        first.publication_date = date_of(_only(doc.get("publish_date")))
        first.page_count = page_count_of(doc.get("number_of_pages_median"))
        first.identifiers.extend(identified(_catalogued(doc)))
    return editions


def _identifiers(doc: Json) -> list[tuple[str, str]]:
    key = _WORK_KEY.fullmatch(line_of(doc.get("key")).removeprefix("/works/"))
    return [("openlibrary_work", key[0])] if key else []


def _catalogued(doc: Json) -> Iterator[tuple[str, str]]:
    for field, scheme in _CATALOGUES:
        if value := line_of(_only(doc.get(field)), limit=40):
            yield scheme, value


def _cover(value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _COVER_LIMIT
    return _COVERS.format(value) if is_number else ""


def _year(value: object) -> int:
    year = date_of(value) if isinstance(value, int) else ""
    return int(year) if len(year) == _YEAR_LENGTH else 0


def _only(value: object) -> object:
    """The one thing in a list; nothing where there are more, for then it is not known which."""
    cells = list_of(value)
    return cells[0] if len(cells) == 1 else None
