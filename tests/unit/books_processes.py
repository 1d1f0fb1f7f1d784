"""The cache of one process, and of a second beside it on the same stores: what tests of the walk of a key share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from bookmesh.type.v1.book_pb2 import Work

from mesh.background import Background
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock
from mesh.turns import Turns
from services.books import making as making_module
from services.books.answering import Answering
from services.books.cache import Cache
from services.books.entry import Entry, packed, tags_of
from services.books.lease import Leases
from services.books.making import Counts, Made, Making
from services.books.memory import Memory
from services.books.shelf import cold_shelf, hot_shelf
from services.books.walking import Held
from services.books.windows import Windows

KEY = "v2:isbn:9780441013593"
ISBN = ("isbn", "9780441013593")
HOT_S = 10_000.0
WINDOWS = Windows(
    fresh_s=1_000.0, negative_s=50.0, warmed_negative_s=500.0, partial_s=20.0, revalidate_s=100.0, error_s=500.0
)


def made_of(*titles: str, partial: bool = False) -> Made:
    """An answer that providers gave."""
    works, ends = packed([Work(title=title) for title in titles])
    return Made(works=works, ends=ends, rest=b"", tags=tags_of([ISBN]), is_partial=partial)


def titles(entry: Entry | None) -> list[str]:
    """The titles of an answer; None of which is none."""
    return [] if entry is None else [work.title for work in entry.response().results]


@dataclass(slots=True)
class Providers:
    """What answers are made of: it counts how often it was asked, and fails or waits when it is told to."""

    answer: Made
    calls: int = 0
    left_s: list[float | None] = field(default_factory=list)
    """Seconds that each call had."""
    failure: Exception | None = None
    meanwhile: Callable[[], object] = lambda: None
    """What happens while they are asked."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Closed, every call waits; it is open from the start."""

    def __post_init__(self) -> None:
        """Opens the gate."""
        self.gate.set()

    async def __call__(self, left_s: float | None) -> Made:
        """Asks them."""
        self.calls += 1
        self.left_s.append(left_s)
        await self.gate.wait()
        self.meanwhile()
        if self.failure is not None:
            raise self.failure
        return self.answer


@dataclass(slots=True)
class Dice:
    """Chance that says what it is told to."""

    says: float = 0.0

    def __call__(self) -> float:
        """A number from 0 to 1, 1 left out."""
        return self.says


@dataclass(slots=True, kw_only=True)
class Process:
    """What one process has of the cache."""

    cache: Cache
    leases: Leases
    making: Making
    counts: Counts
    answering: Answering
    clock: FakeClock
    told: list[tuple[str, float]]
    """The keys that other processes were told of, with the times of their answers."""
    dice: Dice
    """What chance says of refreshes."""

    async def once(self, providers: Providers, *, since: float | None = None, old: Entry | None = None) -> Held:
        """The answer of the key, made by whichever process."""
        return await self.making.once(KEY, providers, since, None, renews=old is not None, old=old)

    async def kept(self) -> list[list[str]]:
        """The titles that lie in memory, in the hot tier and in the cold one."""
        await self.cache.flush()
        return [titles(copy.entry) for copy in await self.cache.copies(KEY)]


@asynccontextmanager
async def process(hot: MemoryKv, cold: MemoryBucket, clock: FakeClock) -> AsyncIterator[Process]:
    """A process on these stores; it ends as one that is killed does, with its leases in the store.

    Memory keeps its answers for as long as they are worth anything, so that what it gives goes by their age alone.
    """
    told: list[tuple[str, float]] = []
    dice = Dice()
    async with Background() as background:
        shelves = [
            hot_shelf(hot, ttl_s=HOT_S, background=background, clock=clock, chance=lambda: 0.0),
            cold_shelf(cold, background=background, clock=clock),
        ]
        for shelf in shelves:
            shelf.is_trusted = True
        cache = Cache(
            Memory(1_000_000, clock=clock),
            shelves,
            WINDOWS,
            background,
            clock=clock,
            chance=lambda: 0.0,
            memory_s=10_000.0,
            hot_s=HOT_S,
            patience_s=0.1,
            turns=Turns(),
        )
        leases = Leases(hot, shelves[0].guard, background, patience_s=0.1)

        def tell(keys: Sequence[str], time: float) -> None:
            told.extend((key, time) for key in keys)

        counts = Counts()
        answering = Answering(cache, leases, WINDOWS, background, clock=clock, chance=dice, tell=tell)
        yield Process(
            cache=cache,
            leases=leases,
            making=Making(cache, leases, WINDOWS, background, counts, clock=clock, chance=lambda: 0.0, tell=tell),
            counts=counts,
            answering=answering,
            clock=clock,
            told=told,
            dice=dice,
        )


@asynccontextmanager
async def processes(hot: MemoryKv | None = None) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes on the same stores in memory, and a clock that stands still."""
    clock = FakeClock()
    hot, cold = hot or MemoryKv(clock), MemoryBucket(clock)
    async with process(hot, cold, clock) as one, process(hot, cold, clock) as other:
        yield one, other


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for another process looks again at once."""
    monkeypatch.setattr(making_module, "_FIRST_LOOK_S", 0.0)
    monkeypatch.setattr(making_module, "_LONGEST_LOOK_S", 0.0)


async def settle(turns: int = 60) -> None:
    """Lets every task run as far as it can."""
    for _ in range(turns):
        await asyncio.sleep(0)
