"""The proxy on a real key-value server and a directory, before the leaf and the sandbox over real HTTP."""

import asyncio
import csv
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from aiohttp import web
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, TIER_ORIGIN

from mesh.breakers import Breakers
from mesh.hosting.embedded import embedded_valkey
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.status import UnavailableError
from mesh.stores.directory_bucket import DirectoryBucket
from mesh.stores.redis_kv import RedisKv
from mesh.testing import in_process
from sandbox.app import Settings, create_app
from sandbox.catalogue import Catalogue, load
from sandbox.isbn import to13
from sandbox.limits import Plan
from sandbox.shelf import read
from services.books import entrypoints as books
from services.books.env import Env
from services.isbndb import entrypoints as leaf
from services.isbndb.env import Env as LeafEnv

ROOT = Path(__file__).parents[2]
LOOSE = Plan(name="loose", host="api.example", per_second=0, per_day=0, bulk=100)
COPPERFIELD = "9780192100436"


@cache
def catalogue() -> Catalogue:
    """The sandbox's own books."""
    return load(read(ROOT / "sandbox" / "catalog" / "loc.csv"))


@dataclass(slots=True, kw_only=True)
class House:
    """The proxy, and what can be broken behind it."""

    stub: BooksServiceStub
    state: books.State
    hot: RedisKv
    cold: Path
    server: AsyncExitStack
    sandbox: AsyncExitStack
    env: Env
    url: str

    async def search(self, q: str) -> pb.SearchAutoResponse:
        """One search, whose writes have landed when it returns."""
        response = await self.stub.SearchAuto(pb.SearchAutoRequest(q=q))
        await self.state.cache.flush()
        return response


@asynccontextmanager
async def open_house(data: Path) -> AsyncIterator[House]:
    """All of it, on the data in a directory."""
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(AsyncExitStack())
        url = await server.enter_async_context(embedded_valkey(data / "valkey"))
        sandbox = await closing.enter_async_context(AsyncExitStack())
        runner = web.AppRunner(create_app(catalogue(), Settings(plan=LOOSE, keys=["canary"])), access_log=None)
        await runner.setup()
        sandbox.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        leaf_env = LeafEnv(
            ISBNDB_API_KEY=Secret("ISBNDB_API_KEY", "canary"),
            RATE_LIMIT_MS=0,
            MAX_BOOKS_PER_AUTHOR=50,
            MESH=introspection("isbndb-biography-worker"),
            ISBNDB_URL=f"http://127.0.0.1:{runner.addresses[0][1]}",
            ISBNDB_CALLS_PER_SECOND=10_000.0,
        )
        leaf_state = await closing.enter_async_context(leaf.lifespan(leaf_env))
        hot = RedisKv(url, "books-cache")
        closing.push_async_callback(hot.aclose)
        env = Env(
            ISBNDB_WORKER=in_process(IsbndbServiceStub, leaf.Default(leaf_env, leaf_state)),
            CACHE=hot,
            API_CACHE_COLD=DirectoryBucket(data / "cold"),
            GOOGLE_BOOKS_API_KEY=None,
            GOOGLE_BOOKS_IOSKEY=None,
            ISBNDB_API_KEY=None,
            ISBN_SEARCH_KEY=None,
            CACHE_HOT_TTL=3_600,
            CACHE_COLD_TTL=604_800,
            CACHE_MEMORY_BYTES=0,  # what is tested here lies behind the memory of the process
            MAX_RESULTS_DEFAULT=40,
            RATE_LIMIT_MS=100,
            PROVIDERS="isbndb",
            BATCH_PROVIDERS="isbndb",
            MESH=introspection("books-api-proxy"),
        )
        state = await closing.enter_async_context(books.lifespan(env))
        yield House(
            stub=in_process(BooksServiceStub, books.Default(env, state), deadline_s=60),
            state=state,
            hot=hot,
            cold=data / "cold",
            server=server,
            sandbox=sandbox,
            env=env,
            url=url,
        )


def introspection(worker: str) -> Introspection:
    """A service's own runtime."""
    return Introspection(worker=worker, stats=Stats(), breakers=Breakers())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The proxy with nothing cached."""
    async with open_house(tmp_path) as opened:
        yield opened


async def test_hot_hit(house: House) -> None:
    """What was searched once lies in the key-value server."""
    await house.search(COPPERFIELD)
    assert (await house.search(COPPERFIELD)).provenance.tier == TIER_HOT


async def test_hot_entry_has_a_time_to_live(house: House) -> None:
    """The key-value server forgets an answer by itself after CACHE_HOT_TTL, or up to a tenth sooner by chance."""
    await house.search(COPPERFIELD)
    left_s = await house.hot.ttl_s(f"v2:isbn:{COPPERFIELD}")
    assert left_s is not None
    assert 3_600 * 0.9 - 60 <= left_s <= 3_600


async def test_cold_hit_promotes(house: House) -> None:
    """What the key-value server has forgotten comes from the directory, and is hot again."""
    await house.search(COPPERFIELD)
    await house.hot.delete(f"v2:isbn:{COPPERFIELD}")
    tiers = [(await house.search(COPPERFIELD)).provenance.tier for _ in range(2)]
    assert tiers == [TIER_COLD, TIER_HOT]


async def test_torn_object_is_a_miss(house: House) -> None:
    """Files that lost their end are no answers and no errors."""
    await house.search(COPPERFIELD)
    await house.hot.delete(f"v2:isbn:{COPPERFIELD}")
    for file in house.cold.rglob("*.object"):
        file.write_bytes(file.read_bytes()[:-20])
    assert (await house.search(COPPERFIELD)).provenance.tier == TIER_ORIGIN


async def test_dead_server(house: House) -> None:
    """With the key-value server gone, what was searched comes from the directory, and the rest from the provider."""
    await house.search(COPPERFIELD)
    await house.server.aclose()
    tiers = [(await house.search(q)).provenance.tier for q in (COPPERFIELD, "Thoreau")]
    assert tiers == [TIER_COLD, TIER_ORIGIN]


async def test_stuck_server(house: House) -> None:
    """A key-value server that takes questions and answers none costs a search little of its second."""
    await house.search(COPPERFIELD)
    await house.hot.raw.client_pause(3_000)
    started = time.perf_counter()
    found = await house.stub.SearchAuto(pb.SearchAutoRequest(q=COPPERFIELD))
    taken_s = time.perf_counter() - started
    assert found.provenance.tier == TIER_COLD
    assert taken_s < 0.5


async def test_dead_provider(house: House) -> None:
    """With the provider gone, what was searched is answered, and the rest is UNAVAILABLE."""
    await house.search(COPPERFIELD)
    await house.sandbox.aclose()
    assert (await house.search(COPPERFIELD)).provenance.tier == TIER_HOT
    with pytest.raises(UnavailableError):
        await house.search("9780684196787")


async def test_answers_outlive_the_process(tmp_path: Path) -> None:
    """An answer that was just given is written before the service ends, and is a hit for the next start."""
    async with open_house(tmp_path) as first:
        await first.stub.SearchAuto(pb.SearchAutoRequest(q=COPPERFIELD))
    async with open_house(tmp_path) as second:
        assert (await second.search(COPPERFIELD)).provenance.tier == TIER_HOT


def library() -> list[str]:
    """Every ISBN and author of the sample library, as they stand there."""
    with (ROOT / "samples" / "library.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    isbns = [row["ISBN13"] for row in rows if to13(row["ISBN13"] or "")]
    authors = [row["Author"] for row in rows if (row["Author"] or "").strip()]
    return list(dict.fromkeys([*isbns, *authors]))


async def test_every_row_of_the_library_is_a_hit_after_warming(house: House) -> None:
    """What one batch asked for, found or not, is a hit for each search that comes after it."""
    wanted = library()
    requests = [pb.SearchAutoRequest(q=q) for q in wanted]
    call = house.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=requests))
    failed = [answer.q for answer in [answer async for answer in call] if answer.HasField("error")]
    assert failed == []
    control = pb.CacheControl(only_if_cached=True)
    tiers = [
        (await house.stub.SearchAuto(pb.SearchAutoRequest(q=q, cache_control=control))).provenance.tier for q in wanted
    ]
    # On a busy machine the key-value server may be slow for a moment; then the directory answers, which is a hit, too.
    assert len(tiers) == len(wanted)
    assert set(tiers) <= {TIER_HOT, TIER_COLD}


@asynccontextmanager
async def another_process(house: House) -> AsyncIterator[tuple[BooksServiceStub, books.State]]:
    """The proxy once more on the same stores, with connections and a memory of its own, as another process has them."""
    hot = RedisKv(house.url, "books-cache")
    env = replace(house.env, CACHE=hot, CACHE_MEMORY_BYTES=16 * 1024 * 1024)
    try:
        async with books.lifespan(env) as state:
            yield in_process(BooksServiceStub, books.Default(env, state), deadline_s=60), state
    finally:
        await hot.aclose()


async def test_purge_reaches_the_memory_of_another_process(house: House) -> None:
    """What is purged in one process is out of another's memory within a second."""
    async with another_process(house) as (stub, state):
        await stub.SearchAuto(pb.SearchAutoRequest(q=COPPERFIELD))
        await state.cache.flush()
        assert (await stub.SearchAuto(pb.SearchAutoRequest(q=COPPERFIELD))).provenance.tier == TIER_MEMORY
        started = time.monotonic()
        await house.state.purging.purge("author", "Dickens, Charles")
        while state.cache.at_hand(f"v2:isbn:{COPPERFIELD}") and time.monotonic() < started + 5:  # noqa: ASYNC110 - a memory sends no events
            await asyncio.sleep(0.01)
        assert time.monotonic() - started < 1
        assert (await stub.SearchAuto(pb.SearchAutoRequest(q=COPPERFIELD))).provenance.tier == TIER_ORIGIN


async def test_process_that_starts_later_knows_of_a_purge(house: House) -> None:
    """What the object store still holds of what was purged is given by no process that starts later."""
    await house.search(COPPERFIELD)
    kept = {file: file.read_bytes() for file in house.cold.rglob("*.object")}
    await house.state.purging.purge("isbn", COPPERFIELD)
    for file, data in kept.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    async with another_process(house) as (stub, _):
        assert (await stub.SearchAuto(pb.SearchAutoRequest(q=COPPERFIELD))).provenance.tier == TIER_ORIGIN


async def test_full_server(house: House) -> None:
    """A key-value server that takes nothing more costs no search an answer: the directory has it the next time."""
    await house.hot.raw.config_set("maxmemory-policy", "noeviction")
    await house.hot.raw.config_set("maxmemory", 1)
    tiers = [(await house.search(COPPERFIELD)).provenance.tier for _ in range(2)]
    assert tiers == [TIER_ORIGIN, TIER_COLD]
