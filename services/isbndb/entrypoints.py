"""What the leaf answers: its default entrypoint, its Admin, and what both live on."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bookmesh.isbndb.v1 import admin_service_pb2 as admin_pb
from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceServicer
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer

from mesh.admin import AdminMethods
from mesh.background import Background
from mesh.call import Clock, answers_batch
from mesh.context import Context
from mesh.flights import Flights
from mesh.quota.account import Account
from mesh.quota.key_ring import KeyRing
from mesh.turns import Turns
from services.isbndb import faults, validate
from services.isbndb.cache import AnswerCache
from services.isbndb.env import Env
from services.isbndb.keys import account_of, keys_of
from services.isbndb.lookup import Listing, Lookup
from services.isbndb.plans import PAGE_SIZE_LIMIT, Terms, terms_of
from services.isbndb.upstream import CALL_LIMIT_S, Upstream, open_session
from services.isbndb.works import trim

REPLY_BYTES = 3_500_000
"""Works that one answer carries at most, below gRPC's limit of 4 MB for a message."""

_RESERVE = 0.1
_LONGEST_RESERVE_S = 0.1
"""The part of a call's time that is kept for the way back: the caller hears what went wrong before it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What both entrypoints live on."""

    terms: Terms
    """The plan with the settings applied."""
    accounts: Sequence[Account]
    """The keys, each once; what one would have while there is none."""
    upstream: Upstream
    """ISBNdb."""
    lookup: Lookup
    """Questions to answers."""
    turns: Turns
    """When what takes its time is done."""


@asynccontextmanager
async def lifespan(env: Env, *, monotonic: Clock = time.monotonic) -> AsyncIterator[State]:
    """Opens what the leaf needs, and closes it.

    Args:
        env: the bindings.
        monotonic: seconds, never going back, for the age of answers.

    Raises:
        ConfigurationError: some settings make no sense, each of them a problem.
    """
    terms = terms_of(env)
    ledger = env.MESH.ledger
    accounts = [account_of(terms, key) for key in keys_of(env)]
    keys = KeyRing(accounts, ledger, clock=time.monotonic) if accounts else None
    turns = env.MESH.turns
    # The tasks end before the session that they use.
    async with open_session() as session, Background() as background:
        upstream = Upstream(session, base_url=terms.base_url, keys=keys, ledger=ledger)
        lookup = Lookup(
            upstream,
            cache=AnswerCache(monotonic),
            pages=Flights(background),
            batches=Flights(background),
            isbns_per_call=terms.isbns_per_call,
            turns=turns,
        )
        known = keys.accounts if keys else (account_of(terms, None),)
        yield State(terms=terms, accounts=known, upstream=upstream, lookup=lookup, turns=turns)


class Default(IsbndbServiceServicer):
    """ISBNdb for the mesh.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        self._terms = state.terms
        self._lookup = state.lookup
        self._turns = state.turns

    async def AuthorBibliography(
        self, request: pb.AuthorBibliographyRequest, context: Context
    ) -> pb.AuthorBibliographyResponse:
        """One page of what an author wrote."""
        author = validate.tidied(request.author)
        listing = _listing(request.page, request.page_size, request.language, limit=self._terms.books_per_page)
        found, calls = await self._lookup.bibliography(author, listing, left_s=_left_s(context))
        response = pb.AuthorBibliographyResponse(
            works=found.works,
            author=found.author,
            page=listing.page,
            edition_count=found.edition_count,
            next_page=found.next_page,
            provider_call_count=calls,
        )
        trim(response.works, REPLY_BYTES)
        return response

    async def GetBook(self, request: pb.GetBookRequest, context: Context) -> pb.GetBookResponse:
        """One book by its ISBN.

        Raises:
            NotFoundError: BOOK_NOT_FOUND.
        """
        isbn13 = validate.checked_isbn(request.isbn)
        found, calls = await self._lookup.book(isbn13, left_s=_left_s(context))
        if not found.works:
            raise faults.book_not_found(isbn13)
        return pb.GetBookResponse(work=found.works[0], provider_call_count=calls)

    async def BatchGetBooks(self, request: pb.BatchGetBooksRequest, context: Context) -> pb.BatchGetBooksResponse:
        """Many books by their ISBNs."""
        asked = validate.isbns_of(request.isbns)
        valid = [isbn13 for isbn13 in asked.values() if isbn13]
        found, calls = await self._lookup.books(valid, left_s=_left_s(context))
        response = pb.BatchGetBooksResponse(provider_call_count=calls)
        async with self._turns.turn(patient=answers_batch()) as turn:
            for isbn in request.isbns:
                await turn.breathe()
                isbn13 = asked[isbn]
                if not isbn13:
                    response.invalid_isbns.append(isbn)
                elif found[isbn13].works:
                    response.books.add(isbn=isbn, work=found[isbn13].works[0])
                else:
                    response.not_found_isbns.append(isbn)
        if response.ByteSize() > REPLY_BYTES:
            trim((book.work for book in response.books), REPLY_BYTES)
        return response

    async def SearchBooks(self, request: pb.SearchBooksRequest, context: Context) -> pb.SearchBooksResponse:
        """One page of the books that match a text."""
        q = validate.tidied(request.q)
        column = validate.COLUMNS[request.column]
        listing = _listing(request.page, request.page_size, request.language, limit=PAGE_SIZE_LIMIT)
        found, calls = await self._lookup.search(
            q, listing, column=column, match_all=request.match_all, left_s=_left_s(context)
        )
        response = pb.SearchBooksResponse(
            works=found.works,
            edition_count=found.edition_count,
            total_count=found.total_count,
            next_page=found.next_page,
            provider_call_count=calls,
        )
        trim(response.works, REPLY_BYTES)
        return response


class Admin(AdminMethods, AdminServiceServicer):
    """The leaf for operators.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        super().__init__(env.MESH)
        self._ledger = env.MESH.ledger
        self._state = state

    async def GetQuota(self, request: admin_pb.GetQuotaRequest, context: Context) -> admin_pb.GetQuotaResponse:
        """What the plan allows all keys together, and what of it is used."""
        terms, accounts = self._state.terms, self._state.accounts
        usages = [await self._ledger.usage(account) for account in accounts]
        shared = all(usage.shared for usage in usages)
        response = admin_pb.GetQuotaResponse(
            plan=terms.plan,
            calls_per_second=terms.calls_per_second * len(accounts),
            day_limit=terms.calls_per_day * len(accounts),
            day_used=sum(usage.day_used for usage in usages),
            live_reserve=sum(usage.reserve for usage in usages),
            scope=admin_pb.QUOTA_SCOPE_SHARED if shared else admin_pb.QUOTA_SCOPE_PROCESS,
            call_count=self._state.upstream.call_count,
        )
        response.reset_time.FromSeconds(int(min(usage.reset_at for usage in usages)))
        return response


def _listing(page: int, page_size: int, language: str, *, limit: int) -> Listing:
    size = validate.page_size_of(page_size, limit)
    return Listing(page=validate.checked_page(page, size), page_size=size, language=validate.language_of(language))


def _left_s(context: Context) -> float:
    """Seconds that ISBNdb may take."""
    left: float | None = context.time_remaining()
    if left is None:
        return CALL_LIMIT_S
    return min(CALL_LIMIT_S, left - min(left * _RESERVE, _LONGEST_RESERVE_S))
