"""What the proxy answers: its default entrypoint, its Admin, and what both live on."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bookmesh.books.v1 import admin_service_pb2 as admin_pb
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceServicer
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_BUILT
from bookmesh.type.v1.book_pb2 import Tier

from mesh.admin import AdminMethods
from mesh.background import Background
from mesh.call import Clock
from mesh.context import Context
from mesh.quota.account import Account
from mesh.quota.report import key_quotas
from mesh.status import UnimplementedError
from services.books.batch import Batch
from services.books.cache import Cache
from services.books.checks import checked_query, checked_search
from services.books.env import Env
from services.books.inspection import inspected, metrics
from services.books.panel_opening import open_panel
from services.books.query import cache_key
from services.books.search import Search
from services.books.settings import Settings, settings_of
from services.books.shelf import cold_shelf, hot_shelf

CLASS_KEY = "x-bookmesh-class"
"""Metadata with which a caller says what its call is for; "batch" says that nobody waits for the answer itself."""

TIER_KEY = "x-cache-tier"
"""Trailing metadata: the tier that held the answer, as the contract's Tier without its prefix."""
AGE_KEY = "x-cache-age-ms"
"""Trailing metadata: milliseconds since the answer was made."""
STATE_KEY = "x-cache-state"
"""Trailing metadata: "fresh" or "stale"."""

_DRAIN_S = 5.0
"""Seconds that writes to the cache get to end when the service drains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What both entrypoints live on."""

    settings: Settings
    """The settings, checked."""
    cache: Cache
    """The tiers."""
    search: Search
    """Answers one search."""
    batch: Batch
    """Answers many."""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """The keys of the providers that the proxy itself speaks to, by what people call them."""


@asynccontextmanager
async def lifespan(env: Env, *, clock: Clock = time.time, monotonic: Clock = time.monotonic) -> AsyncIterator[State]:
    """Opens what the proxy needs, and closes it.

    Args:
        env: the bindings.
        clock: seconds since the epoch, for the age of answers.
        monotonic: seconds, never going back, for leaving failing stores alone.

    Raises:
        ValueError: some settings make no sense; the message names each of them.
    """
    settings = settings_of(env)
    # The tasks end before the session that they use.
    async with open_panel(env, settings) as opened, Background(grace_s=_DRAIN_S) as background:
        shelves = [
            hot_shelf(env.CACHE, ttl_s=settings.hot_ttl_s, background=background, clock=monotonic),
            cold_shelf(env.API_CACHE_COLD, background=background, clock=monotonic),
        ]
        cache = Cache(shelves, background, clock=clock, patience_s=settings.patience_s)
        search = Search(cache, opened.panel, settings, background, clock=clock)
        batch = Batch(search, opened.panel, background, default_results=settings.max_results)
        yield State(settings=settings, cache=cache, search=search, batch=batch, accounts=opened.accounts)
        await cache.flush()


class Default(BooksServiceServicer):
    """The book search.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        self._state = state

    async def SearchAuto(self, request: pb.SearchAutoRequest, context: Context) -> pb.SearchAutoResponse:
        """Finds books.

        An answer of the providers is written to the cache while it goes to the caller. A caller that says "batch", or
        no_cache, gets it when it lies there, so that the next search is a hit.
        """
        ask = checked_search(request, default_results=self._state.settings.max_results)
        response = await self._state.search.answer(ask, patient=ask.no_cache or _is_batch(context))
        provenance = response.provenance
        context.set_trailing_metadata(
            (
                (TIER_KEY, Tier.Name(provenance.tier).removeprefix("TIER_")),
                (AGE_KEY, str(provenance.age_ms)),
                (STATE_KEY, "stale" if provenance.stale else "fresh"),
            )
        )
        return response

    async def BatchSearchAuto(
        self, request: pb.BatchSearchAutoRequest, context: Context
    ) -> AsyncIterator[pb.BatchSearchAutoResponse]:
        """Finds the books of many searches; each answer lies in the cache before it is given."""
        async with aclosing(self._state.batch.answers(request.queries)) as answers:
            async for answer in answers:
                yield answer

    async def AuthorBibliography(
        self, request: pb.AuthorBibliographyRequest, context: Context
    ) -> pb.AuthorBibliographyResponse:
        """Not built: the leaf has the pages of one provider.

        Raises:
            UnimplementedError: NOT_BUILT.
        """
        raise UnimplementedError(
            ERROR_REASON_NOT_BUILT,
            "AuthorBibliography over all providers is not built yet",
            metadata={"method": "AuthorBibliography"},
        )


class Admin(AdminMethods, AdminServiceServicer):
    """The proxy for operators.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        super().__init__(env.MESH)
        self._cache = state.cache
        self._ledger = env.MESH.ledger
        self._accounts = state.accounts

    async def GetStats(self, request: Any, context: Any) -> Any:
        """What has been counted since the service started, with what the cache counted."""
        response = await super().GetStats(request, context)
        response.stats.metrics.extend(metrics(self._cache))
        return response

    async def InspectKey(self, request: admin_pb.InspectKeyRequest, context: Context) -> admin_pb.InspectKeyResponse:
        """What lies under a cache key, in every tier.

        Raises:
            InvalidArgumentError: as SearchAuto.
        """
        if request.WhichOneof("target") == "q":
            return await inspected(self._cache, cache_key(checked_query(request.q)))
        return await inspected(self._cache, request.key)

    async def PurgeCache(self, request: admin_pb.PurgeCacheRequest, context: Context) -> admin_pb.PurgeCacheResponse:
        """Takes the answer under a key out of every tier.

        Raises:
            UnimplementedError: NOT_BUILT for authors, ISBNs and prefixes.
        """
        target = request.WhichOneof("target") or ""
        if target != "key":
            raise UnimplementedError(
                ERROR_REASON_NOT_BUILT,
                f"purging by {target} is not built yet; a key can be purged",
                metadata={"method": "PurgeCache", "field": target},
            )
        count, unreached = await self._cache.purge(request.key)
        return admin_pb.PurgeCacheResponse(key_count=count, unreached_tiers=unreached)

    async def ListQuotas(self, request: admin_pb.ListQuotasRequest, context: Context) -> admin_pb.ListQuotasResponse:
        """What the providers that the proxy itself speaks to allow each key, and what of it is used."""
        return admin_pb.ListQuotasResponse(quotas=await key_quotas(self._ledger, self._accounts))


def _is_batch(context: Context) -> bool:
    return any(key == CLASS_KEY and value == "batch" for key, value in context.invocation_metadata() or ())
