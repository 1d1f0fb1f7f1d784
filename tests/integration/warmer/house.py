"""The warmer on a real key-value server, beside its neighbours: what tests of its jobs are made of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

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
from mesh.introspection import Introspection
from mesh.stats import Stats
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.stores.protocol import Kv
from mesh.testing import FakeClock, in_process
from services.warmer.entrypoints import Admin, Default
from services.warmer.env import Env
from services.warmer.jobs.asking import Asker
from services.warmer.opening import State, Tempo, state_of
from services.warmer.settings import settings_of
from tests.integration.warmer.cut_kv import CutKv
from tests.integration.warmer.neighbours import UNKNOWN, FakeBooks, FakeBooksAdmin, FakeIsbndb, FakeLeafAdmin

TEMPO = Tempo(poll_s=0.02, beat_s=0.03, watch_s=0.01, dead_ms=400)
"""As the warmer is shipped, but in more of a hurry."""

LIMIT_S = 20.0
"""Seconds that anything is waited for."""

DUNE = "9780441013593"
EMMA = "9780141439587"

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
            asker=Asker(env.BOOKS_API_PROXY, env.MESH.turns, sleep=self.sleep),
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
