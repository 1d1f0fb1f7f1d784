"""The warmer on a real key-value server, with a proxy that keeps the contract: what tests of its jobs are made of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceServicer as BooksAdminServicer
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub as BooksAdminStub
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer, BooksServiceStub
from bookmesh.isbndb.v1 import admin_service_pb2 as leaf_admin
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceServicer as LeafAdminServicer
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceStub as LeafAdminStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_ORIGIN, Work
from bookmesh.warmer.v1 import admin_service_pb2 as admin_pb
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from redis.exceptions import ConnectionError as RedisConnectionError

from mesh.background import Background
from mesh.breakers import Breakers
from mesh.context import Context
from mesh.introspection import Introspection
from mesh.stats import Stats
from mesh.status import MeshError, UnavailableError
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.stores.protocol import Kv
from mesh.stores.redis_kv import RedisKv
from mesh.testing import FakeClock, in_process
from services.warmer.entrypoints import Admin, Default
from services.warmer.env import Env
from services.warmer.jobs.asking import Asker
from services.warmer.opening import State, Tempo, state_of
from services.warmer.settings import settings_of

TEMPO = Tempo(poll_s=0.02, beat_s=0.03, watch_s=0.01, dead_ms=400)
"""As the warmer is shipped, but in more of a hurry."""

LIMIT_S = 20.0
"""Seconds that anything is waited for."""

DUNE = "9780441013593"
EMMA = "9780141439587"
UNKNOWN = "9780000000002"

LIBRARY = f"""Title,Author,ISBN13
Dune,Frank Herbert,{DUNE}
Emma,Jane Austen,{EMMA}
Persuasion,Jane Austen,
Nobody wrote this,Nobody,{UNKNOWN}
Emma,Jane Austen,{EMMA}
,,nothing
Mended,Jane Austen,9780441013594
"""
"""Seven rows: four books, one of them mended, one unknown, a duplicate and a reject; three authors."""


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


class Wire:
    """A client of the store whose connections can be cut, for good or while they are down.

    Args:
        raw: the client.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.down = False
        self.left: int | None = None
        """How many writes it carries yet before it is cut; no end of them when None."""

    def carry(self) -> None:
        """Something is written over it.

        Raises:
            RedisConnectionError: it is cut.
        """
        if self.left is not None:
            self.left -= 1
            self.down = self.down or self.left < 0
        if self.down:
            raise RedisConnectionError("cut")

    def __getattr__(self, name: str) -> Any:
        """What the client has, but for whoever is cut off."""
        found = getattr(self._raw, name)
        if not callable(found) or name in {"register_script", "connection_pool"}:
            return found

        async def cut_or_done(*arguments: Any, **more: Any) -> Any:
            if self.down:
                raise RedisConnectionError("cut")
            return await found(*arguments, **more)

        return cut_or_done


class CutKv(RedisKv):
    """A key-value store whose wire a test can cut."""

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__(url, namespace)
        self.wire = Wire(super().raw)

    @property
    def raw(self) -> Any:
        """The client; scripts that are registered with it go over the same wire."""
        wire = self.wire

        class _Raw:
            connection_pool = wire.connection_pool

            def register_script(self, text: str) -> Callable[..., Awaitable[Any]]:
                script = wire.register_script(text)

                async def run(*arguments: Any) -> Any:
                    wire.carry()
                    return await script(*arguments)

                return run

            def __getattr__(self, name: str) -> Any:
                return getattr(wire, name)

        return _Raw()

    @asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        """What does not go through the client goes over the wire as well."""
        async with super()._operation():
            self.wire.carry()
            yield


@dataclass
class House:
    """Everything around the warmer, which outlives its processes."""

    url: str
    """The key-value server."""
    namespace: str
    """Where in it this test's keys are."""
    books: FakeBooks = field(default_factory=FakeBooks)
    leaf: FakeLeafAdmin = field(default_factory=FakeLeafAdmin)
    books_admin: FakeBooksAdmin = field(init=False)
    clock: FakeClock = field(default_factory=FakeClock)
    bucket: MemoryBucket = field(init=False)
    crons: tuple[str, ...] = ()
    slept: list[float] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def __post_init__(self) -> None:
        """Opens the stores."""
        self.bucket = MemoryBucket(self.clock)
        self.books_admin = FakeBooksAdmin(self.books)  # type: ignore[abstract]  # one method is called

    def env(self, kv: Kv | None = None, **settings: int | str) -> Env:
        """The bindings."""
        return Env(
            BOOKS_API_PROXY=in_process(BooksServiceStub, self.books, binding="BOOKS_API_PROXY", deadline_s=LIMIT_S),
            ISBNDB_WORKER=in_process(IsbndbServiceStub, FakeIsbndb()),  # type: ignore[abstract]  # nobody calls it
            BOOKS_ADMIN=in_process(BooksAdminStub, self.books_admin),
            ISBNDB_ADMIN=in_process(LeafAdminStub, self.leaf),
            WARMING_CACHE=kv or MemoryKv(self.clock),
            LIBRARY_DATA=self.bucket,
            ISBNDB_API_KEY=None,
            MESH=Introspection(worker="warmer", stats=Stats(), breakers=Breakers(), crons=self.crons),
            **settings,  # type: ignore[arg-type]  # settings by keyword
        )

    async def sleep(self, seconds: float) -> None:
        """Takes no time but the clock's: how long is waited between two tries."""
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0.005)

    def random_hex(self, size: int) -> str:
        """Counts."""
        return f"{next(self.ids):0{2 * size}x}"

    @asynccontextmanager
    async def process(self, *, tempo: Tempo = TEMPO, **settings: int | str) -> AsyncIterator["Process"]:
        """One life of the warmer; it ends as a process that is told to, unless it was killed before."""
        kv = CutKv(self.url, self.namespace)
        env = self.env(kv, **settings)
        state = state_of(
            env,
            settings_of(env),
            Background(),
            clock=self.clock,
            asker=Asker(env.BOOKS_API_PROXY, sleep=self.sleep),
            random_hex=self.random_hex,
            tempo=tempo,
        )
        stub = in_process(WarmerServiceStub, Default(env, state), deadline_s=LIMIT_S)
        admin = in_process(AdminServiceStub, Admin(env, state), deadline_s=LIMIT_S)
        process = Process(stub, admin, state, kv, asyncio.create_task(state.crew.run()))
        try:
            yield process
        finally:
            await process.end()
            await kv.aclose()


@dataclass
class Process:
    """One life of the warmer."""

    stub: WarmerServiceStub
    admin: AdminServiceStub
    state: State
    kv: CutKv
    crew: "asyncio.Task[None]"

    async def end(self) -> None:
        """Ends it in order: what is in hand is written down."""
        self.crew.cancel()
        await asyncio.wait({self.crew})

    async def kill(self) -> None:
        """Ends it as SIGKILL does: nothing is written any more."""
        self.kv.wire.down = True
        await self.end()

    async def upload(self, text: str | bytes = LIBRARY, *, name: str = "library.csv") -> pb.UploadLibraryResponse:
        """Uploads a library."""
        data = text.encode() if isinstance(text, str) else text
        parts = [pb.UploadLibraryRequest(data=data[at : at + 50]) for at in range(0, len(data), 50)]
        header = pb.UploadLibraryRequest(header=pb.LibraryHeader(file_name=name))
        return await self.stub.UploadLibrary(iter([header, *parts]))

    async def warm(self, library_id: str, **more: object) -> pb.WarmJob:
        """Starts a job."""
        request = pb.WarmRequest(library_id=library_id, **more)  # type: ignore[arg-type]  # fields by keyword
        return (await self.stub.Warm(request)).job

    async def job(self, job_id: str) -> pb.WarmJob:
        """A job as it is now."""
        return (await self.stub.GetWarmJob(pb.GetWarmJobRequest(job_id=job_id))).job

    async def watch(self, job_id: str) -> list[pb.WarmJob]:
        """All that is told of a job until it ends."""
        call = self.stub.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job_id))
        return [change.job async for change in call]

    async def finished(self, job_id: str) -> pb.WarmJob:
        """A job as it ended."""
        return (await self.watch(job_id))[-1]

    async def report(self, job_id: str) -> str:
        """What became of every row."""
        call = self.stub.GetWarmReport(pb.GetWarmReportRequest(job_id=job_id))
        return b"".join([part.data async for part in call]).decode()

    async def verify(
        self, library_id: str = "", sample: int = 0, *, repair: bool = False
    ) -> admin_pb.VerifyCacheResponse:
        """Looks whether a library is cached."""
        request = admin_pb.VerifyCacheRequest(library_id=library_id, sample_count=sample, repair=repair)
        return await self.admin.VerifyCache(request)


def settled(progress: pb.WarmProgress) -> int:
    """Searches that are done with."""
    done = progress.fresh_count + progress.warmed_count + progress.not_found_count
    return done + progress.failed_count + progress.parked_count


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """Waits until something holds.

    Raises:
        TimeoutError: it does not within LIMIT_S.
    """
    async with asyncio.timeout(LIMIT_S):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)
