"""The warmer before the proxy, the leaf and the sandbox: real HTTP, a real key-value server, real directories."""

import asyncio
import csv
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub as BooksAdminStub
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceStub as LeafAdminStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.warmer.v1 import admin_service_pb2 as admin_pb
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub

from mesh.background import Background
from mesh.breakers import Breakers
from mesh.hosting.embedded import embedded_valkey
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.status import NotFoundError
from mesh.stores.directory_bucket import DirectoryBucket
from mesh.stores.redis_kv import RedisKv
from mesh.testing import in_process
from sandbox.app import Settings, create_app
from sandbox.catalogue import Catalogue, load
from sandbox.isbn import to13
from sandbox.limits import Plan
from sandbox.shelf import read
from services.books import entrypoints as books
from services.books.env import Env as BooksEnv
from services.isbndb import entrypoints as leaf
from services.isbndb.env import Env as LeafEnv
from services.warmer import entrypoints as warmer
from services.warmer.env import Env
from services.warmer.jobs.asking import Asker
from services.warmer.opening import Tempo, state_of
from services.warmer.plan.making import TEXT_BATCH
from services.warmer.settings import settings_of

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
LOOSE = Plan(name="loose", host="api.example", per_second=0, per_day=0, bulk=1_000)


@cache
def catalogue() -> Catalogue:
    """The sandbox's own books."""
    return load(read(ROOT / "sandbox" / "catalog" / "loc.csv"))


def introspection(worker: str) -> Introspection:
    """A service's own runtime."""
    return Introspection(worker=worker, stats=Stats(), breakers=Breakers())


@dataclass(slots=True, kw_only=True)
class House:
    """All but the warmer, and what can be broken."""

    books: BooksServiceStub
    env: Env
    cold: DirectoryBucket
    url: str
    http: aiohttp.ClientSession
    sandbox: AsyncExitStack

    @asynccontextmanager
    async def warmer(self) -> AsyncIterator[WarmerServiceStub]:
        """One life of the warmer."""
        async with self.both() as (default, _):
            yield default

    @asynccontextmanager
    async def both(self) -> AsyncIterator[tuple[WarmerServiceStub, AdminServiceStub]]:
        """One life of the warmer with both entrypoints, which is not made to wait between two tries."""

        async def sleep(_: float) -> None:
            await asyncio.sleep(0.01)

        asker = Asker(self.env.BOOKS_API_PROXY, self.env.MESH.turns, sleep=sleep)
        async with Background() as background:
            state = state_of(self.env, settings_of(self.env), background, asker=asker, tempo=Tempo(poll_s=0.05))
            background.spawn(state.crew.run(), name="jobs")
            yield (
                in_process(WarmerServiceStub, warmer.Default(self.env, state), deadline_s=60),
                in_process(AdminServiceStub, warmer.Admin(self.env, state), deadline_s=60),
            )

    async def calls(self) -> int:
        """Calls that the sandbox has answered."""
        async with self.http.get(f"{self.url}/_sandbox/calls") as response:
            return int((await response.json())["total"])

    async def misses(self, queries: Iterable[str]) -> list[str]:
        """The searches among these that the cache has no answer to."""
        found = []
        for q in queries:
            control = books_pb.CacheControl(only_if_cached=True)
            try:
                await self.books.SearchAuto(books_pb.SearchAutoRequest(q=q, cache_control=control))
            except NotFoundError:
                found.append(q)
        return found


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The proxy, the leaf and the sandbox."""
    async with AsyncExitStack() as closing:
        address = await closing.enter_async_context(embedded_valkey(tmp_path / "valkey"))
        sandbox = await closing.enter_async_context(AsyncExitStack())
        runner = web.AppRunner(create_app(catalogue(), Settings(plan=LOOSE, keys=["canary"])), access_log=None)
        await runner.setup()
        sandbox.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        leaf_env = LeafEnv(
            ISBNDB_API_KEY=Secret("ISBNDB_API_KEY", "canary"),
            RATE_LIMIT_MS=0,
            MAX_BOOKS_PER_AUTHOR=50,
            MESH=introspection("isbndb-biography-worker"),
            ISBNDB_URL=url,
            ISBNDB_PLAN="enterprise",
            ISBNDB_CALLS_PER_SECOND=10_000.0,
        )
        cold = DirectoryBucket(tmp_path / "cold")
        leaf_state = await closing.enter_async_context(leaf.lifespan(leaf_env))
        leaf_stub = in_process(IsbndbServiceStub, leaf.Default(leaf_env, leaf_state))
        stores = [RedisKv(address, name) for name in ("books-cache", "warming")]
        for store in stores:
            closing.push_async_callback(store.aclose)
        books_env = BooksEnv(
            ISBNDB_WORKER=leaf_stub,
            CACHE=stores[0],
            API_CACHE_COLD=cold,
            GOOGLE_BOOKS_API_KEY=None,
            GOOGLE_BOOKS_IOSKEY=None,
            ISBNDB_API_KEY=None,
            ISBN_SEARCH_KEY=None,
            CACHE_HOT_TTL=3_600,
            CACHE_COLD_TTL=604_800,
            MAX_RESULTS_DEFAULT=40,
            RATE_LIMIT_MS=0,
            PROVIDERS="isbndb",
            BATCH_PROVIDERS="isbndb",
            MESH=introspection("books-api-proxy"),
        )
        books_state = await closing.enter_async_context(books.lifespan(books_env))
        books_stub = in_process(BooksServiceStub, books.Default(books_env, books_state))
        env = Env(
            BOOKS_API_PROXY=books_stub,
            ISBNDB_WORKER=leaf_stub,
            BOOKS_ADMIN=in_process(BooksAdminStub, books.Admin(books_env, books_state)),
            ISBNDB_ADMIN=in_process(LeafAdminStub, leaf.Admin(leaf_env, leaf_state)),
            WARMING_CACHE=stores[1],
            LIBRARY_DATA=DirectoryBucket(tmp_path / "libraries"),
            ISBNDB_API_KEY=None,
            MESH=introspection("personal-library-cache-warmer"),
        )
        http = await closing.enter_async_context(aiohttp.ClientSession())
        yield House(books=books_stub, env=env, cold=cold, url=url, http=http, sandbox=sandbox)


async def upload(stub: WarmerServiceStub, data: bytes) -> pb.Library:
    """Uploads a library."""
    return (await stub.UploadLibrary(iter([pb.UploadLibraryRequest(data=data)]))).library


async def warmed(stub: WarmerServiceStub, library: pb.Library, **more: object) -> pb.WarmJob:
    """A job on a library, as it ended."""
    request = pb.WarmRequest(library_id=library.id, **more)  # type: ignore[arg-type]  # fields by keyword
    return await finished(stub, (await stub.Warm(request)).job.id)


async def finished(stub: WarmerServiceStub, job_id: str) -> pb.WarmJob:
    """A job as it ended."""
    call = stub.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job_id), timeout=60)
    return [change.job async for change in call][-1]


def settled(job: pb.WarmJob) -> int:
    """Searches that are done with."""
    progress = job.progress
    done = progress.fresh_count + progress.warmed_count + progress.not_found_count
    return done + progress.failed_count + progress.parked_count


def shelf() -> list[dict[str, str]]:
    """The rows of the sample library, read without any code of the warmer's."""
    with (SAMPLES / "library.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def isbns(cells: Iterable[str]) -> set[str]:
    """The ISBNs among cells, proven by the sandbox's own arithmetic."""
    bare = ["".join(letter for letter in cell.upper() if letter in "0123456789X") for cell in cells]
    return {found for cell in bare if (found := to13(cell))}


async def test_every_row_is_a_hit(house: House) -> None:
    """After warming the sample library, the search for each row's ISBN and for each row's author is a cache hit."""
    async with house.warmer() as stub:
        library = await upload(stub, (SAMPLES / "library.csv").read_bytes())
        await warmed(stub, library)
        call = stub.GetWarmReport(pb.GetWarmReportRequest(job_id=(await listed(stub))[0].id))
        report = b"".join([part.data async for part in call]).decode().splitlines()
    authors = {name for row in csv.DictReader(report) for name in row["authors"].split("; ") if name}
    numbers = isbns(row["ISBN13"] for row in shelf())
    plain = {row["Author"].strip() for row in shelf() if row["Title"].strip() and "," not in row["Author"]}
    singles = {name for name in plain if name and "&" not in name and " and " not in name and ";" not in name}
    assert (len(numbers) > 250, len(singles) > 100) == (True, True)
    assert await house.misses([*numbers, *authors, *singles]) == []


async def listed(stub: WarmerServiceStub) -> list[pb.WarmJob]:
    """All jobs."""
    return list((await stub.ListWarmJobs(pb.ListWarmJobsRequest())).jobs)


async def test_the_calls_told_are_the_calls_made(house: House) -> None:
    """The provider calls that a job tells are those that the provider counted."""
    async with house.warmer() as stub:
        job = await warmed(stub, await upload(stub, (SAMPLES / "goodreads.csv").read_bytes()))
    assert (job.state, job.progress.provider_call_count) == (pb.WARM_JOB_STATE_SUCCEEDED, await house.calls())


async def test_a_second_run_calls_nobody(house: House) -> None:
    """What was warmed once costs no call when it is warmed again, by another process."""
    async with house.warmer() as stub:
        library = await upload(stub, (SAMPLES / "goodreads.csv").read_bytes())
        await warmed(stub, library)
    before = await house.calls()
    async with house.warmer() as stub:
        job = await warmed(stub, library)
    assert (job.progress.warmed_count, job.progress.provider_call_count, await house.calls()) == (0, 0, before)


async def test_the_plan_of_isbns_is_exact(house: House) -> None:
    """The calls that a dry run foretells for ISBNs are the calls that are made."""
    inline = pb.InlineLibrary(isbns=sorted(isbns(row["ISBN13"] for row in shelf())))
    async with house.warmer() as stub:
        plan = (await stub.Warm(pb.WarmRequest(inline=inline, dry_run=True))).plan
        planned = await house.calls()
        job = (await stub.Warm(pb.WarmRequest(inline=inline))).job
        await finished(stub, job.id)
    assert (planned, plan.provider_calls[0].call_count) == (0, await house.calls())


async def test_killed_in_the_middle(house: House) -> None:
    """A job whose process is thrown away in the middle is finished by the next, and its counts add up.

    The calls of the batches in hand are made, and told by nobody: their process is gone.
    """
    async with house.warmer() as stub:
        library = await upload(stub, (SAMPLES / "goodreads.csv").read_bytes())
        request = pb.WarmRequest(library_id=library.id, strategy=pb.STRATEGY_AUTHOR_FIRST)
        job = (await stub.Warm(request)).job
        async for change in stub.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job.id)):
            if settled(change.job) > 10:
                break
    async with house.warmer() as stub:
        ended = await finished(stub, job.id)
    untold = await house.calls() - ended.progress.provider_call_count
    assert settled(ended) == ended.progress.search_count
    assert 0 <= untold <= 2 * TEXT_BATCH * 3


async def test_an_outage_is_never_nothing_found(house: House) -> None:
    """Without the provider, what is not warm is parked and not taken for unknown, and what is warm stays a hit."""
    warm = shelf()[0]["ISBN13"]
    async with house.warmer() as stub:
        inline = pb.InlineLibrary(isbns=[warm])
        await finished(stub, (await stub.Warm(pb.WarmRequest(inline=inline))).job.id)
        await house.sandbox.aclose()
        inline = pb.InlineLibrary(isbns=[warm, *(row["ISBN13"] for row in shelf()[1:4])])
        progress = (await finished(stub, (await stub.Warm(pb.WarmRequest(inline=inline))).job.id)).progress
    assert (progress.fresh_count, progress.parked_count, progress.not_found_count) == (1, 3, 0)


async def test_two_jobs_side_by_side(house: House) -> None:
    """Jobs on two libraries with the same books pay for each of them once."""
    rows = "".join(f"{row['ISBN13']}\n" for row in shelf()[:9])
    async with house.warmer() as stub:
        libraries = [await upload(stub, f"ISBN{blank}\n{rows}".encode()) for blank in ("", " ")]
        jobs = await asyncio.gather(*(warmed(stub, library) for library in libraries))
    assert [settled(job) for job in jobs] == [9, 9]


async def test_the_night_mends_the_cold_tier(house: House) -> None:
    """What the cold tier lost while the hot one still has it lies there again after the night, for no provider call."""
    async with house.both() as (stub, admin):
        await warmed(stub, await upload(stub, (SAMPLES / "goodreads.csv").read_bytes()))
        kept = [each.key async for each in house.cold.list()]
        for key in kept:
            await house.cold.delete(key)
        before = await house.calls()
        (found,) = (await admin.VerifyCache(admin_pb.VerifyCacheRequest(repair=True))).libraries
        job = await finished(stub, found.job_id)
    assert (found.present_count, found.cold_count) == (found.key_count, 0)
    after = {each.key async for each in house.cold.list()}
    # "Nothing found" is believed for minutes, and takes no place there where anything else may lie.
    assert (len(set(kept) - after), after - set(kept)) == (job.progress.not_found_count, set())
    assert await house.calls() == before
