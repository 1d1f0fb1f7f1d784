"""The house that lives through an outage: the proxy, the leaf and the sandbox in this process, and its hour.

The stores are real, a key-value server and a directory; what passes is the services' time. The server's own clock can't
be moved, so each of its keys loses as much of its time to live as the services' clock moves on, and dies where none is
left. That is what would have become of it.

The clock that ages answers stands still between two steps, so that what is stale is known to the millisecond. The one
that goes by seconds runs on, for a store that was slow for a moment is to be asked again after the next.
"""

import random
import time
import typing
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub

from mesh.breakers import Breakers
from mesh.config.breaker_settings import BreakerSettings
from mesh.config.manifest import read_manifest
from mesh.hosting.bindings import convert
from mesh.hosting.embedded import embedded_valkey
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.stores.directory_bucket import DirectoryBucket
from mesh.stores.redis_kv import RedisKv
from mesh.testing import FakeClock, in_process
from sandbox.app import Settings, create_app
from sandbox.catalogue import Catalogue
from sandbox.limits import Plan
from services.books import entrypoints as books
from services.books.env import Env as BooksEnv
from services.isbndb import entrypoints as leaf
from services.isbndb.env import Env as LeafEnv

ROOT = Path(__file__).parents[2]
SEED = 4
"""Decides what chance takes away from times to live."""

_KEY = "sandbox"
_UNLIMITED = Plan(name="unlimited", host="api.example", per_second=0, per_day=0, bulk=1_000)
_CALL_S = 60.0
"""Seconds that a call gets: a batch warms the whole library."""

_FREE = {
    "RATE_LIMIT_MS": 0,
    "ISBNDB_PLAN": "enterprise",
    "ISBNDB_CALLS_PER_SECOND": 100_000,
    "ISBNDB_CALLS_PER_DAY": 0,
    "GOOGLE_BOOKS_CALLS_PER_DAY": 0,
    "OPEN_LIBRARY_CALLS_PER_SECOND": 100_000,
    "OPEN_LIBRARY_CONTACT": "bench@example.org",
}
"""No pace and no quota: they are not what is measured."""

_BREAKER = BreakerSettings(consecutive_failures=3, open_s=60)
"""Before the leaf, as the proxy's manifest has it."""


@dataclass(slots=True, kw_only=True)
class House:
    """The proxy with all that is behind it."""

    stub: BooksServiceStub
    """The proxy, called in process."""
    clock: FakeClock
    """What answers age by."""
    state: books.State
    """What the proxy lives on."""
    hot: RedisKv
    """The store of the hot tier."""
    sandbox: AsyncExitStack
    """Stops the providers."""

    async def lose_providers(self) -> None:
        """Stops every provider: from now on nobody listens where they were."""
        await self.state.cache.flush()
        await self.sandbox.aclose()

    async def pass_time(self, seconds: float) -> None:
        """Lets time pass for the services, and for what lies in the key-value server."""
        await self.state.cache.flush()
        self.clock.advance(seconds)
        client = self.hot.raw
        names = [name async for name in client.scan_iter(match=self.hot.name("*"))]
        async with client.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.pttl(name)
            left_ms = await pipeline.execute()
            for name, left in zip(names, left_ms, strict=True):
                if left >= 0:  # below are the answers for a key that lives for ever, and for one that is gone
                    pipeline.pexpire(name, left - round(seconds * 1000))  # which removes one that has nothing left
            await pipeline.execute()


@asynccontextmanager
async def running(data: Path, catalogue: Catalogue, variables: Mapping[str, object]) -> AsyncIterator[House]:
    """All of it, until the block ends.

    Args:
        data: a directory for the stores.
        catalogue: what the providers know.
        variables: vars of the proxy that are not as they are shipped.
    """
    clock = FakeClock()

    def monotonic() -> float:
        return clock.now + time.monotonic()

    async with AsyncExitStack() as closing:
        url = await closing.enter_async_context(embedded_valkey(data / "valkey"))
        sandbox = await closing.enter_async_context(AsyncExitStack())
        providers = await _providers(sandbox, catalogue)
        said = {**_FREE, "ISBNDB_URL": providers, "OPEN_LIBRARY_URL": providers}
        leaf_env = LeafEnv(
            ISBNDB_API_KEY=Secret("ISBNDB_API_KEY", _KEY),
            MESH=_introspection("isbndb-biography-worker"),
            **_vars(LeafEnv, "isbndb", said),
        )
        leaf_state = await closing.enter_async_context(leaf.lifespan(leaf_env, monotonic=monotonic))
        hot = RedisKv(url, "books-cache")
        closing.push_async_callback(hot.aclose)
        stub = in_process(IsbndbServiceStub, leaf.Default(leaf_env, leaf_state), clock=monotonic, breaker=_BREAKER)
        env = BooksEnv(
            ISBNDB_WORKER=stub,
            CACHE=hot,
            API_CACHE_COLD=DirectoryBucket(data / "cold"),
            GOOGLE_BOOKS_API_KEY=None,
            GOOGLE_BOOKS_IOSKEY=None,
            ISBNDB_API_KEY=None,
            ISBN_SEARCH_KEY=None,
            MESH=_introspection("books-api-proxy"),
            **_vars(BooksEnv, "books", {**said, "GOOGLE_BOOKS_URL": f"{providers}/books/v1", **variables}),
        )
        chance = random.Random(SEED).random  # noqa: S311 - it spreads times, and guards nothing
        state = await closing.enter_async_context(books.lifespan(env, clock=clock, monotonic=monotonic, chance=chance))
        yield House(
            stub=in_process(BooksServiceStub, books.Default(env, state), clock=monotonic, deadline_s=_CALL_S),
            clock=clock,
            state=state,
            hot=hot,
            sandbox=sandbox,
        )


async def _providers(closing: AsyncExitStack, catalogue: Catalogue) -> str:
    """Starts the sandbox; where it answers."""
    settings = Settings(plan=_UNLIMITED, keys=[_KEY], google_keyless_per_day=None, open_library_per_second=0)
    runner = web.AppRunner(create_app(catalogue, settings), access_log=None)
    await runner.setup()
    closing.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _vars(env_type: type, package: str, said: Mapping[str, object]) -> dict[str, Any]:
    """The vars of a service as its manifest ships them, but for what is said otherwise."""
    shipped = read_manifest(ROOT / "services" / package / "service.toml").vars
    hints = typing.get_type_hints(env_type)
    return {name: convert(hints[name], said.get(name, value)) for name, value in shipped.items()}


def _introspection(worker: str) -> Introspection:
    """A service's own runtime."""
    return Introspection(worker=worker, stats=Stats(), breakers=Breakers())
