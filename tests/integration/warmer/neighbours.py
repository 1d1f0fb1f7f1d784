"""What the warmer is bound to, as tests have it: a proxy and a leaf that keep the contract, and count their calls."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceServicer as BooksAdminServicer
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer
from bookmesh.isbndb.v1 import admin_service_pb2 as leaf_admin
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceServicer as LeafAdminServicer
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_ORIGIN, Work

from mesh.context import Context
from mesh.status import MeshError, UnavailableError

UNKNOWN = "9780000000002"


class FakeBooks(BooksServiceServicer):
    """A proxy with a cache. Its providers cost a call for all ISBNs of a batch, and two for a text."""

    def __init__(self) -> None:
        self.cache: dict[str, books_pb.SearchAutoResponse] = {}
        """The answers as they were made, by the query in small letters."""
        self.nothing = {UNKNOWN, "Nobody"}
        """What the providers have nothing of."""
        self.errors: dict[str, list[CallError]] = {}
        """What the next searches for a query fail with."""
        self.refused: dict[str, CallError] = {}
        """What every search for a query fails with, whatever the cache holds."""
        self.partial: dict[str, int] = {}
        """How many of the next answers to a query are partial."""
        self.stale: set[str] = set()
        """Whose answers are past their time."""
        self.breaks: list[int] = []
        """After how many answers the next calls break off."""
        self.strays: list[int] = []
        """Places that the next call answers beside those that it was asked for."""
        self.refusals: list[MeshError] = []
        """What the next calls fail with as a whole."""
        self.asked: list[str] = []
        """Every search but those for the cache alone."""
        self.call_count = 0
        """Calls to providers."""
        self.batches: list[Sequence[str]] = []
        """The queries of each call."""
        self.metadata: list[tuple[str, object]] = []
        """What came with the last call."""
        self.gate = asyncio.Event()
        """Answers wait until it is set."""
        self.gate.set()
        self.waiting = asyncio.Event()
        """Set when an answer waits at the gate."""
        self.hold_at = -1
        """How many searches are asked for before the gate closes; never when negative."""
        self.min_fresh: list[int] = []
        """The seconds that answers had to stay fresh for, by call."""
        self.kinds: list[books_pb.QueryKind.ValueType] = []
        """What the searches were said to be, by search."""
        self.active = 0
        self.most_active = 0
        """Calls at a time."""

    async def BatchSearchAuto(
        self, request: books_pb.BatchSearchAutoRequest, context: Context
    ) -> AsyncIterator[books_pb.BatchSearchAutoResponse]:
        """Answers in order."""
        self.metadata = list(context.invocation_metadata() or ())
        self.batches.append([query.q for query in request.queries])
        self.kinds += [query.kind for query in request.queries]
        self.min_fresh.append(request.queries[0].cache_control.min_fresh.seconds)
        if self.refusals:
            raise self.refusals.pop(0)
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        breaks_after = self.breaks.pop(0) if self.breaks else len(request.queries)
        made: dict[str, books_pb.SearchAutoResponse] = {}
        try:
            while self.strays:
                yield books_pb.BatchSearchAutoResponse(query_index=self.strays.pop(), q="stray")
            for at, query in enumerate(request.queries[:breaks_after]):
                if len(self.asked) == self.hold_at:
                    self.hold_at = -1
                    self.gate.clear()
                if not self.gate.is_set():
                    self.waiting.set()
                    await self.gate.wait()
                answer = books_pb.BatchSearchAutoResponse(query_index=at, q=query.q)
                self._answer(answer, query, made)
                yield answer
            if breaks_after < len(request.queries):
                raise UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "it broke off")
        finally:
            self.active -= 1

    def _answer(
        self,
        answer: books_pb.BatchSearchAutoResponse,
        query: books_pb.SearchAutoRequest,
        made: dict[str, books_pb.SearchAutoResponse],
    ) -> None:
        """Fills an answer. Searches of one call that share a key share an answer from the origin, cost included."""
        q, key, control = query.q, query.q.casefold(), query.cache_control
        if q in self.refused:
            answer.error.CopyFrom(self.refused[q])
        elif key in made:
            answer.response.CopyFrom(made[key])
        elif key in self.cache and not control.no_cache:
            answer.response.CopyFrom(self.cache[key])
            answer.response.provenance.tier = TIER_HOT
            answer.response.provenance.stale = q in self.stale
        elif control.only_if_cached:
            answer.error.CopyFrom(CallError(code="NOT_FOUND", reason="NOT_CACHED", message="not cached"))
        else:
            self.asked.append(q)
            if self.errors.get(q):
                answer.error.CopyFrom(self.errors[q].pop(0))
                return
            is_first = not any(other.isdigit() for other in made)
            made[key] = self.keep(q, calls=int(is_first) if q.isdigit() else 2)
            answer.response.CopyFrom(made[key])

    def keep(self, q: str, *, calls: int = 0) -> books_pb.SearchAutoResponse:
        """Puts the providers' answer to a query into the cache."""
        response = books_pb.SearchAutoResponse()
        response.provenance.key = q.casefold()
        response.provenance.tier = TIER_ORIGIN
        response.providers.add(provider="isbndb", call_count=calls)
        if q not in self.nothing:
            response.results.append(Work(title=q))
        if self.partial.get(q):
            self.partial[q] -= 1
            response.partial = True
        self.call_count += calls
        self.cache[q.casefold()] = response
        return response


class FakeIsbndb(IsbndbServiceServicer):
    """A leaf that nobody asks."""


class FakeLeafAdmin(LeafAdminServicer):
    """A leaf that tells what its plan allows."""

    def __init__(self) -> None:
        self.quota = leaf_admin.GetQuotaResponse(
            plan="premium", calls_per_second=3.0, day_limit=15_000, day_used=100, live_reserve=1_500
        )
        self.failure: MeshError | None = None

    async def GetQuota(self, request: leaf_admin.GetQuotaRequest, context: Context) -> leaf_admin.GetQuotaResponse:
        """The quota, or why it is not told."""
        if self.failure is not None:
            raise self.failure
        return self.quota


class FakeBooksAdmin(BooksAdminServicer):
    """A proxy that tells what lies in the tiers.

    Args:
        books: whose cache it tells of.
    """

    def __init__(self, books: FakeBooks) -> None:
        self._books = books
        self.fresh_until_s: dict[str, int] = {}
        """When answers expire, by query; far in the future for all others."""

    async def InspectKey(
        self, request: books_admin.InspectKeyRequest, context: Context
    ) -> books_admin.InspectKeyResponse:
        """What the fake proxy has is in the hot tier and in the cold one."""
        answer = books_admin.InspectKeyResponse(key=request.q.casefold())
        for tier in (TIER_HOT, TIER_COLD):
            copy = answer.copies.add(tier=tier, present=request.q.casefold() in self._books.cache)
            copy.fresh_until_time.seconds = self.fresh_until_s.get(request.q, 2**33) if copy.present else 0
        return answer
