"""How each question becomes an answer: the cache, one flight per question, ISBNdb's path, its body, works."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mesh.call import answers_batch
from mesh.flights import Flights
from mesh.quota import refusals
from mesh.status import ResourceExhaustedError
from mesh.turns import Turns
from services.cataloguing.isbn import PLACEHOLDER
from services.cataloguing.text import line_of
from services.isbndb import faults
from services.isbndb.bodies import Json, items_of
from services.isbndb.cache import AnswerCache, Found
from services.isbndb.convert import Record, record_of
from services.isbndb.plans import RESULT_LIMIT
from services.isbndb.validate import ANY_LANGUAGE
from services.isbndb.works import works_in_turn, works_of

Value = TypeVar("Value")

_TOTAL_LIMIT = 2**31 - 1

NOTHING = Found()
"""ISBNdb has no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Which page of which list is asked for."""

    page: int
    """From 1."""
    page_size: int
    """Editions on it."""
    language: str
    """Primary subtag, or "*"."""

    def query(self) -> dict[str, str]:
        """ISBNdb's parameters. The language is always named, or foreign editions flood the answer."""
        paging = {"page": str(self.page), "pageSize": str(self.page_size)}
        return paging if self.language == ANY_LANGUAGE else {**paging, "language": self.language}


class Provider(Protocol):
    """ISBNdb, as far as questions need it; `services.isbndb.upstream` says what the methods raise."""

    async def get(self, path: Sequence[str], query: Mapping[str, str], *, left_s: float) -> Json | None:
        """The resource of a path, or None."""

    async def post(self, path: Sequence[str], form: Mapping[str, str], *, left_s: float) -> Json | None:
        """The answer to a form, or None."""


class Lookup:
    """Answers of ISBNdb's to checked questions, each with the number of calls that it cost.

    Args:
        upstream: speaks to ISBNdb.
        cache: keeps answers for minutes.
        pages: lists and single books under way.
        batches: bulk look-ups under way.
        isbns_per_call: ISBNs in one bulk look-up.
        turns: when books are converted, of which there may be a thousand.
    """

    def __init__(
        self,
        upstream: Provider,
        *,
        cache: AnswerCache,
        pages: Flights[Found],
        batches: Flights[Mapping[str, Found]],
        isbns_per_call: int,
        turns: Turns,
    ) -> None:
        self._upstream = upstream
        self._cache = cache
        self._pages = pages
        self._batches = batches
        self._isbns_per_call = isbns_per_call
        self._turns = turns

    async def bibliography(self, author: str, listing: Listing, *, left_s: float) -> tuple[Found, int]:
        """One page of an author's works; empty when ISBNdb does not know the author."""

        async def ask() -> Found:
            answer = await self._upstream.get(("author", author), listing.query(), left_s=left_s)
            if answer is None:
                return NOTHING
            books = items_of(answer, "books")
            name = line_of(answer.get("author"), limit=200) or author
            # Whether an author's page has a total is disputed, so a short page is the only sign of the last one.
            return await self._page(books, listing, more=len(books) >= listing.page_size, author=name)

        return await self._one(("author", author.casefold(), listing), ask, left_s)

    async def search(
        self, q: str, listing: Listing, *, column: str, match_all: bool, left_s: float
    ) -> tuple[Found, int]:
        """One page of the books that match a text."""
        # Without shouldMatchAll one word is enough, which finds half the catalogue.
        query = {**({"column": column} if column else {}), "shouldMatchAll": str(int(match_all)), **listing.query()}

        async def ask() -> Found:
            answer = await self._upstream.get(("books", q), query, left_s=left_s)
            if answer is None:
                return NOTHING
            books = items_of(answer, "books")
            total = _total(answer)
            seen = listing.page * listing.page_size
            more = bool(books) and (len(books) >= listing.page_size if total is None else seen < total)
            return await self._page(books, listing, more=more, total=total or 0)

        return await self._one(("books", q.casefold(), listing, column, match_all), ask, left_s)

    async def book(self, isbn13: str, *, left_s: float) -> tuple[Found, int]:
        """The one book of an ISBN, or NOTHING."""

        async def ask() -> Found:
            answer = await self._upstream.get(("book", isbn13), {"with_prices": "0"}, left_s=left_s)
            if answer is None:
                return NOTHING
            if not isinstance(answer.get("book"), dict):
                raise faults.bad_answer("no object called book")
            return _single(isbn13, record_of(answer["book"], asked_isbn13=isbn13))

        if isbn13 == PLACEHOLDER:
            return NOTHING, 0
        return await self._one(("book", isbn13), ask, left_s)

    async def books(self, isbns: Iterable[str], *, left_s: float) -> tuple[Mapping[str, Found], int]:
        """The books of many ISBNs in as few calls as the plan allows.

        All look-ups are let come to their end even when one fails: what they bring is kept and need not be asked again.
        """
        found = {PLACEHOLDER: NOTHING}
        missing = []
        for isbn13 in dict.fromkeys(isbns):
            kept = found.get(isbn13) or self._cache.get(("book", isbn13))
            if kept is None:
                missing.append(isbn13)
            else:
                found[isbn13] = kept
        size = self._isbns_per_call
        chunks = [tuple(missing[start : start + size]) for start in range(0, len(missing), size)]
        outcomes = await asyncio.gather(*(self._chunk(chunk, left_s) for chunk in chunks), return_exceptions=True)
        calls = 0
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            found.update(outcome[0])
            calls += outcome[1]
        return found, calls

    async def _chunk(self, isbns: Sequence[str], left_s: float) -> tuple[Mapping[str, Found], int]:
        async def ask() -> Mapping[str, Found]:
            answer = await self._upstream.post(("books",), {"isbns": ",".join(isbns)}, left_s=left_s)
            found = dict.fromkeys(isbns, NOTHING)
            async with self._turns.turn(patient=answers_batch()) as turn:
                for book in [] if answer is None else items_of(answer, "data", "books"):
                    await turn.breathe()
                    record = record_of(book)
                    if record is not None and record.edition.isbn_13 in found:
                        found[record.edition.isbn_13] = _single(record.edition.isbn_13, record)
                for isbn13, one in found.items():
                    await turn.breathe()
                    self._cache.put(("book", isbn13), one)
            return found

        found, led = await _fly(self._batches, tuple(isbns), ask, left_s)
        return found, int(led)

    async def _page(
        self, books: Sequence[object], listing: Listing, *, more: bool, author: str = "", total: int = 0
    ) -> Found:
        records = []
        async with self._turns.turn(patient=answers_batch()) as turn:
            for book in books:
                await turn.breathe()
                record = record_of(book)
                if record is not None:
                    records.append(record)
            works = []
            for work in works_in_turn(records, author=author):
                await turn.breathe()
                works.append(work)
        reachable = listing.page * listing.page_size < RESULT_LIMIT
        return Found(
            works=works,
            edition_count=sum(len(work.editions) for work in works),
            total_count=total,
            next_page=listing.page + 1 if more and reachable else 0,
            author=author,
        )

    async def _one(self, key: Hashable, ask: Callable[[], Awaitable[Found]], left_s: float) -> tuple[Found, int]:
        kept = self._cache.get(key)
        if kept is not None:
            return kept, 0

        async def ask_and_keep() -> Found:
            found = await ask()
            self._cache.put(key, found)
            return found

        found, led = await _fly(self._pages, key, ask_and_keep, left_s)
        return found, int(led)


async def _fly(
    flights: Flights[Value], key: Hashable, work: Callable[[], Awaitable[Value]], left_s: float
) -> tuple[Value, bool]:
    """Joins the flight of a key, or begins it; whether this call has begun it."""
    try:
        try:
            return await flights.lead(key, work, limit_s=left_s)
        except ResourceExhaustedError as error:
            # It joined the flight of batch work, which leaves alone what a call that somebody waits for may spend.
            if not refusals.is_for_batch_alone(error) or answers_batch():
                raise
            return await flights.lead(key, work, limit_s=left_s)
    except TimeoutError:
        raise faults.too_slow() from None


def _single(isbn13: str, record: Record | None) -> Found:
    """The book of an ISBN; a record of another ISBN is not what was asked for."""
    if record is None or record.edition.isbn_13 != isbn13:
        return NOTHING
    return Found(works=works_of([record]), edition_count=1)


def _total(answer: Json) -> int | None:
    total = answer.get("total")
    return min(total, _TOTAL_LIMIT) if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
