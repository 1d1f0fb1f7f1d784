"""Open Library as a provider: which questions a query becomes, and what its answers mean."""

import asyncio
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version

from bookmesh.type.v1.book_pb2 import Edition, Work

from mesh.quota.account import Account
from mesh.status import MeshError
from services.books.merge import in_language
from services.books.providers.caller import Caller, Round
from services.books.providers.faults import Faults
from services.books.providers.http import PAUSE_S, Json, Reply
from services.books.providers.lucene import fuzzy_of, words_of
from services.books.providers.opening import Opening
from services.books.providers.protocol import Found
from services.books.providers.record import identified, list_of, object_of, work_of
from services.books.query import Query
from services.books.reading import Reading, reading_of
from services.cataloguing.dates import date_of
from services.cataloguing.isbn import PLACEHOLDER, isbn10_of, isbn13_of
from services.cataloguing.languages import language_of
from services.cataloguing.names import authors_of
from services.cataloguing.pages import page_count_of
from services.cataloguing.subjects import subjects_of
from services.cataloguing.text import line_of

FAULTS = Faults("open_library", "Open Library")

BASE_URL = "https://openlibrary.org"
"""Where it answers."""

IDENTIFIED_CALLS_PER_SECOND = 3
ANONYMOUS_CALLS_PER_SECOND = 1
"""What it allows those who name themselves and a contact, and everybody else (openlibrary.org/developers/api)."""

ACCOUNT = "open_library keyless"
"""What people call its one account."""

PAGE_SIZE = 40
"""Works of one answer."""

EDITIONS = 20
"""Editions that are made of one work's ISBNs; famous works have hundreds."""

_FIELDS = (
    "key,title,subtitle,author_name,first_publish_year,edition_count,isbn,publisher,publish_date,"
    "number_of_pages_median,language,cover_i,subject,lccn,oclc"
)
"""What an answer is to hold. By itself it holds neither ISBNs nor publishers, dates, pages and subjects."""

_COVERS = "https://covers.openlibrary.org/b/id/{}-L.jpg"
_COVER_LIMIT = 10**12
_WORK_KEY = re.compile(r"OL\d{1,12}W")
_CATALOGUES = (("lccn", "lccn"), ("oclc", "oclc"))
_TWO_LETTERS = 2
_YEAR_LENGTH = 4


def headers_of(contact: str) -> Mapping[str, str]:
    """How the proxy names itself. A name without a contact is refused, so that without one it gives no name."""
    return {"User-Agent": f"bookmesh/{version('bookmesh')} ({contact})"} if contact else {}


def opened(opening: Opening) -> "OpenLibrary":
    """Open Library at the rate that it allows whom OPEN_LIBRARY_CONTACT makes of us."""
    contact = opening.env.OPEN_LIBRARY_CONTACT
    known = IDENTIFIED_CALLS_PER_SECOND if contact else ANONYMOUS_CALLS_PER_SECOND
    allowed = opening.env.OPEN_LIBRARY_CALLS_PER_SECOND or known
    own = opening.settings.calls_per_second
    account = Account(
        provider=FAULTS.provider,
        name=FAULTS.title,
        key=None,
        calls_per_second=min(allowed, own) if own else allowed,
        burst=math.ceil(allowed),
        calls_per_day=0,
    )
    headers = headers_of(contact)
    base_url = opening.env.OPEN_LIBRARY_URL or BASE_URL
    return OpenLibrary(
        opening.caller(FAULTS, base_url=base_url, accounts={ACCOUNT: account}, headers=lambda _: headers)
    )


class OpenLibrary:
    """Open Library.

    Args:
        caller: makes the calls.
    """

    name = FAULTS.provider

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def find(self, query: Query, *, limit_s: float | None = None, batch: bool = False) -> Found:
        """The work of an ISBN in one call, or the works of a text in two or three.

        Raises:
            ResourceExhaustedError: PROVIDER_RATE_LIMITED.
            UnavailableError: every other failure.
        """
        calls = self._caller.begin(limit_s=limit_s, batch=batch)
        if query.isbn13:
            works = await _works(calls, query, {"isbn": query.isbn13})
            return Found(works=works, call_count=calls.call_count)
        reading = reading_of(query.text)
        words = words_of(reading.whole)
        if not words:
            return Found()
        works, failure = await _asked(calls, query, _questions(reading, words))
        if not works and failure is None and (fuzzy := fuzzy_of(words)):
            works, failure = await _asked(calls, query, [{"q": fuzzy}])
        if failure is not None and not works:
            # An outage is never "nothing found".
            raise failure
        if not query.include_translations:
            works = in_language(works, query.language)
        return Found(works=works, call_count=calls.call_count, failure=failure)


async def _asked(
    calls: Round, query: Query, questions: Sequence[Mapping[str, str]]
) -> tuple[list[Work], MeshError | None]:
    """The works of several questions, and why one of them brought none."""
    works: list[Work] = []
    failure: MeshError | None = None
    outcomes = await asyncio.gather(*(_works(calls, query, each) for each in questions), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, MeshError):
            failure = failure or outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            works += outcome
    return works, failure


async def _works(calls: Round, query: Query, terms: Mapping[str, str]) -> list[Work]:
    lang = {"lang": query.language} if len(query.language) == _TWO_LETTERS else {}
    docs = await calls.get("/search.json", {**terms, "fields": _FIELDS, **lang, "limit": str(PAGE_SIZE)}, docs_of)
    return list(works_of(docs, query.isbn13, "" if query.include_translations else query.language))


def _questions(reading: Reading, words: str) -> list[dict[str, str]]:
    """A text as a title and anywhere, for only the answers tell whether it is a title or a name."""
    if not reading.author:
        return [{"title": words}, {"q": words}]
    return [{"title": words_of(reading.title), "author": words_of(reading.author)}, {"title": words}]


def docs_of(reply: Reply) -> Sequence[object]:
    """The documents of an answer.

    Raises:
        ResourceExhaustedError: PROVIDER_RATE_LIMITED.
        UnavailableError: every other answer that is no list of documents.
    """
    status = reply.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise FAULTS.rate_limited(reply.retry_after_s or PAUSE_S, status)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise FAULTS.key_refused("OPEN_LIBRARY_CONTACT names an address that you read", status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise FAULTS.unreachable("a server error", status)
    answer = reply.json()
    if status != HTTPStatus.OK or answer is None:
        raise FAULTS.bad_answer("no search result", status)
    docs, count = answer.get("docs"), answer.get("numFound")
    if not isinstance(docs, list) or not isinstance(count, int) or (count and not docs):
        raise FAULTS.bad_answer("a search result without documents", status)
    return docs


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
        isbns = _isbns(doc, isbn13)
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


def _isbns(doc: Json, asked: str) -> list[str]:
    """The first ISBN-13s of a work, each once whichever its length is; the one asked for before all."""
    texts = (isbn13_of(line_of(value, limit=40)) for value in list_of(doc.get("isbn")))
    valid = dict.fromkeys(isbn for isbn in texts if isbn and isbn != PLACEHOLDER)
    return sorted(valid, key=lambda isbn: isbn != asked)[:EDITIONS]


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
