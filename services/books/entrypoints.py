"""What the proxy answers: its default entrypoint, its Admin, and what both live on."""

import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bookmesh.books.v1 import admin_service_pb2 as admin_pb
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceServicer
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_INVALID_ISBN,
    ErrorReason,
)

from mesh.admin import AdminMethods
from mesh.background import Background
from mesh.call import Clock, answers_batch
from mesh.context import Context, ready
from mesh.quota.account import Account
from mesh.quota.report import key_quotas
from mesh.status import InvalidArgumentError
from services.books.answering import Answering
from services.books.bans import Kind
from services.books.batch import Batch
from services.books.bibliography import Bibliography
from services.books.bulk import Bulk
from services.books.cache import Cache
from services.books.checks import checked_bibliography, checked_query, checked_search
from services.books.env import Env
from services.books.inspection import inspected, metrics
from services.books.lease import Leases
from services.books.memory import Memory
from services.books.panel_opening import open_panel
from services.books.purging import Purging
from services.books.query import cache_key
from services.books.search import Search
from services.books.settings import Settings, settings_of
from services.books.shelf import cold_shelf, hot_shelf
from services.books.windows import Chance

_NO_TARGET: Mapping[Kind, ErrorReason.ValueType] = {
    "key": ERROR_REASON_INVALID_FIELD,
    "prefix": ERROR_REASON_INVALID_FIELD,
    "author": ERROR_REASON_INVALID_FIELD,
    "isbn": ERROR_REASON_INVALID_ISBN,
}
"""What is wrong with a text that names nothing to purge."""

_DRAIN_S = 5.0
"""Seconds that writes to the cache get to end when the service drains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What both entrypoints live on."""

    settings: Settings
    """The settings, checked."""
    cache: Cache
    """The tiers."""
    purging: Purging
    """Takes answers out of them."""
    answering: Answering
    """Finds answers, or has them made."""
    search: Search
    """Answers one search."""
    batch: Batch
    """Answers many."""
    bibliography: Bibliography
    """Answers with an author's works."""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """The keys of the providers that the proxy itself speaks to, by what people call them."""


@asynccontextmanager
async def lifespan(
    env: Env, *, clock: Clock = time.time, monotonic: Clock = time.monotonic, chance: Chance = random.random
) -> AsyncIterator[State]:
    """Opens what the proxy needs, and closes it.

    Args:
        env: the bindings.
        clock: seconds since the epoch, for the age of answers.
        monotonic: seconds, never going back, for leaving failing stores alone.
        chance: spreads times to live and refreshes.

    Raises:
        ValueError: some settings make no sense; the message names each of them.
    """
    settings, turns = settings_of(env), env.MESH.turns
    # What listens for ever is not waited for when the service drains; what writes is.
    async with (
        open_panel(env, settings) as opened,  # the tasks end before the session that they use
        Background(vitals=env.MESH.vitals) as listening,
        Background(grace_s=_DRAIN_S) as background,
    ):
        hot = hot_shelf(env.CACHE, ttl_s=settings.hot_ttl_s, background=background, clock=monotonic, chance=chance)
        cold = cold_shelf(env.API_CACHE_COLD, background=background, clock=monotonic)
        cache = Cache(
            Memory(settings.memory_bytes, clock=monotonic),
            [hot, cold],
            settings.windows,
            background,
            clock=clock,
            chance=chance,
            memory_s=settings.memory_ttl_s,
            hot_s=settings.hot_ttl_s,
            patience_s=settings.patience_s,
            turns=turns,
        )
        purging = Purging(cache, env.CACHE, env.API_CACHE_COLD, background, clock=clock)
        answering = Answering(
            cache,
            Leases(env.CACHE, hot.guard, background, patience_s=settings.patience_s),
            settings.windows,
            background,
            clock=clock,
            chance=chance,
            tell=purging.tell_renewed,
        )
        search = Search(answering, opened.panel, clock=clock)
        bulk = Bulk(search, answering, opened.panel, turns, clock=clock)
        batch = Batch(search, bulk, turns, default_results=settings.max_results)
        await purging.open(listening)
        yield State(
            settings=settings,
            cache=cache,
            purging=purging,
            answering=answering,
            search=search,
            batch=batch,
            bibliography=Bibliography(answering, opened.bibliographers, clock=clock),
            accounts=opened.accounts,
        )
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
        told = await self._state.search.answer(ask, is_batch=answers_batch())
        context.set_trailing_metadata(told.trailing())
        return ready(pb.SearchAutoResponse, told.data)

    async def BatchSearchAuto(
        self, request: pb.BatchSearchAutoRequest, context: Context
    ) -> AsyncIterator[pb.BatchSearchAutoResponse]:
        """Finds the books of many searches; each answer lies in the cache before it is given."""
        answers = self._state.batch.answers(
            request.queries, is_batch=answers_batch(), most=request.outcomes_per_response or 1
        )
        async with aclosing(answers):
            async for answer in answers:
                yield ready(pb.BatchSearchAutoResponse, answer)

    async def AuthorBibliography(
        self, request: pb.AuthorBibliographyRequest, context: Context
    ) -> pb.AuthorBibliographyResponse:
        """One page of an author's works; it comes to the cache and goes to the caller as SearchAuto's answers do.

        Raises:
            InvalidArgumentError: INVALID_FIELD or INVALID_PAGE_TOKEN.
        """
        told = await self._state.bibliography.answer(checked_bibliography(request), is_batch=answers_batch())
        context.set_trailing_metadata(told.trailing())
        return ready(pb.AuthorBibliographyResponse, told.data)


class Admin(AdminMethods, AdminServiceServicer):
    """The proxy for operators.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        super().__init__(env.MESH)
        self._state = state
        self._ledger = env.MESH.ledger

    async def GetStats(self, request: Any, context: Any) -> Any:
        """What has been counted since the service started, with what the cache counted."""
        response = await super().GetStats(request, context)
        response.stats.metrics.extend(metrics(self._state.cache, self._state.answering))
        return response

    async def InspectKey(self, request: admin_pb.InspectKeyRequest, context: Context) -> admin_pb.InspectKeyResponse:
        """What lies under a cache key, in every tier.

        Raises:
            InvalidArgumentError: as SearchAuto.
        """
        if request.WhichOneof("target") == "q":
            return await inspected(self._state.cache, cache_key(checked_query(request.q)))
        return await inspected(self._state.cache, request.key)

    async def PurgeCache(self, request: admin_pb.PurgeCacheRequest, context: Context) -> admin_pb.PurgeCacheResponse:
        """Takes answers out of every tier, and of the memory of every process.

        Raises:
            InvalidArgumentError: INVALID_ISBN, or INVALID_FIELD for an author of nothing.
        """
        target = request.WhichOneof("target") or "key"
        try:
            count, unreached = await self._state.purging.purge(target, getattr(request, target))
        except ValueError as error:
            raise InvalidArgumentError(_NO_TARGET[target], str(error), field=target) from None
        return admin_pb.PurgeCacheResponse(key_count=count, unreached_tiers=unreached)

    async def ListQuotas(self, request: admin_pb.ListQuotasRequest, context: Context) -> admin_pb.ListQuotasResponse:
        """What the providers that the proxy itself speaks to allow each key, and what of it is used."""
        return admin_pb.ListQuotasResponse(quotas=await key_quotas(self._ledger, self._state.accounts))
