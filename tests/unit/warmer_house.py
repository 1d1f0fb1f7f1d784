"""The warmer with stores in memory and a proxy that keeps the contract: what tests of it are made of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer, BooksServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.type.v1.book_pb2 import TIER_HOT, TIER_ORIGIN, Work
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub

from mesh.background import Background
from mesh.breakers import Breakers
from mesh.context import Context
from mesh.introspection import Introspection
from mesh.stats import Stats
from mesh.status import MeshError, UnavailableError
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock, in_process
from services.warmer.entrypoints import Default, State, state_of
from services.warmer.env import Env
from services.warmer.settings import settings_of

DUNE = "9780441013593"
EMMA = "9780141439587"
UNKNOWN = "9780000000002"

LIBRARY = f"""Title,Author,ISBN13
Dune,Frank Herbert,{DUNE}
Emma,Jane Austen,{EMMA}
Persuasion,Jane Austen,
Nobody wrote this,Nobody,{UNKNOWN}
Emma,Jane Austen,{EMMA}
,Somebody,
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
        self.active = 0
        self.most_active = 0
        """Calls at a time."""

    async def BatchSearchAuto(
        self, request: books_pb.BatchSearchAutoRequest, context: Context
    ) -> AsyncIterator[books_pb.BatchSearchAutoResponse]:
        """Answers in order."""
        self.metadata = list(context.invocation_metadata() or ())
        self.batches.append([query.q for query in request.queries])
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


class SlowKv(MemoryKv):
    """A store that takes some turns of the loop to write, so that others come in between."""

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Writes, after a while."""
        for _ in range(5):
            await asyncio.sleep(0)
        await super().put(key, value, ttl_s=ttl_s)

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Writes at once, and answers after a while."""
        done = await super().put_if_absent(key, value, ttl_s=ttl_s)
        for _ in range(5):
            await asyncio.sleep(0)
        return done


@dataclass
class House:
    """Everything around the warmer, which outlives its processes."""

    books: FakeBooks = field(default_factory=FakeBooks)
    clock: FakeClock = field(default_factory=FakeClock)
    kv: MemoryKv = field(init=False)
    bucket: MemoryBucket = field(init=False)
    slept: list[float] = field(default_factory=list)
    ids: int = 0
    while_asleep: Callable[[], None] = lambda: None
    """Called in each sleep."""

    def __post_init__(self) -> None:
        """Opens the stores."""
        self.kv, self.bucket = MemoryKv(self.clock), MemoryBucket(self.clock)

    def env(self, **settings: int | str) -> Env:
        """The bindings."""
        return Env(
            BOOKS_API_PROXY=in_process(BooksServiceStub, self.books, binding="BOOKS_API_PROXY"),
            ISBNDB_WORKER=in_process(IsbndbServiceStub, FakeIsbndb()),  # type: ignore[abstract]  # nobody calls it
            WARMING_CACHE=self.kv,
            LIBRARY_DATA=self.bucket,
            ISBNDB_API_KEY=None,
            MESH=Introspection(worker="warmer", stats=Stats(), breakers=Breakers()),
            **settings,  # type: ignore[arg-type]  # settings by keyword
        )

    async def sleep(self, seconds: float) -> None:
        """Takes no time but the clock's."""
        self.slept.append(seconds)
        self.clock.advance(seconds)
        self.while_asleep()
        await asyncio.sleep(0)

    def random_hex(self, size: int) -> str:
        """Counts."""
        self.ids += 1
        return f"{self.ids:0{2 * size}x}"

    @asynccontextmanager
    async def process(self, **settings: int | str) -> AsyncIterator["Process"]:
        """One life of the warmer; at its end all that runs is thrown away."""
        env = self.env(**settings)
        async with Background() as background:
            state = state_of(
                env,
                settings_of(env),
                background,
                clock=self.clock,
                monotonic=self.clock,
                sleep=self.sleep,
                random_hex=self.random_hex,
            )
            await state.jobs.resume_unended()
            yield Process(in_process(WarmerServiceStub, Default(env, state)), state)


@dataclass
class Process:
    """One life of the warmer."""

    stub: WarmerServiceStub
    state: State

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


def settled(progress: pb.WarmProgress) -> int:
    """Searches that are done with."""
    done = progress.fresh_count + progress.warmed_count + progress.not_found_count
    return done + progress.failed_count + progress.parked_count
