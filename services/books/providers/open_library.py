"""Open Library as a provider: which questions a query becomes, and what its answers mean."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version

from bookmesh.type.v1.book_pb2 import Work

from mesh.quota.account import Account
from mesh.status import MeshError
from services.books.merge import in_language
from services.books.providers.caller import Caller, Round
from services.books.providers.http import PAUSE_S, Reply
from services.books.providers.lucene import fuzzy_of, words_of
from services.books.providers.open_library_docs import FAULTS, isbns_of, works_of
from services.books.providers.opening import Opening
from services.books.providers.protocol import Found
from services.books.query import Query
from services.books.reading import Reading, reading_of

BASE_URL = "https://openlibrary.org"
"""Where it answers."""

IDENTIFIED_CALLS_PER_SECOND = 3
ANONYMOUS_CALLS_PER_SECOND = 1
"""What it allows those who name themselves and a contact, and everybody else (openlibrary.org/developers/api)."""

ACCOUNT = "open_library keyless"
"""What people call its one account."""

PAGE_SIZE = 40
"""Works of one answer."""

MARGIN = 0.9
"""The share of what it allows that is asked for: calls do not take equally long to arrive, and a 429 costs more."""

ISBNS_PER_CALL = 25
"""ISBNs of one call, and what its address can hold."""

_MOST = "100"
"""Works that many ISBNs may bring: an ISBN may have been given to several."""

_FIELDS = (
    "key,title,subtitle,author_name,first_publish_year,edition_count,isbn,publisher,publish_date,"
    "number_of_pages_median,language,cover_i,subject,lccn,oclc"
)
"""What an answer is to hold. By itself it holds neither ISBNs nor publishers, dates, pages and subjects."""

_TWO_LETTERS = 2


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
        calls_per_second=min(allowed * MARGIN, own) if own else allowed * MARGIN,
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

    async def find_isbns(self, isbns: Sequence[str], *, limit_s: float | None = None) -> Mapping[str, Found]:
        """The works of ISBN-13s, some of them in each call; `limit_s` is for each call, for many wait for their turn.

        Raises:
            ResourceExhaustedError: PROVIDER_RATE_LIMITED.
            UnavailableError: every other failure.
        """
        docs: list[object] = []
        starts = range(0, len(isbns), ISBNS_PER_CALL)
        for start in starts:
            calls = self._caller.begin(limit_s=limit_s, batch=True)
            terms = {"q": " OR ".join(f"isbn:{isbn}" for isbn in isbns[start : start + ISBNS_PER_CALL])}
            docs += await calls.get("/search.json", {**terms, "fields": _FIELDS, "limit": _MOST}, docs_of)
        holding: dict[str, list[object]] = {isbn: [] for isbn in isbns}
        for doc in docs:
            for isbn in isbns_of(doc):
                if isbn in holding:
                    holding[isbn].append(doc)
        return {
            isbn: Found(works=list(works_of(found, isbn)), call_count=0 if at else len(starts))
            for at, (isbn, found) in enumerate(holding.items())
        }


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
