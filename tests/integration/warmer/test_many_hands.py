"""Whatever two replicas do with the batches of a job in whichever order, the job counts what was noted by right."""

from dataclasses import dataclass, field
from random import Random

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.stores.redis_kv import RedisKv
from services.warmer.jobs.job import Extent, Job, Part, State
from services.warmer.jobs.outcome import BatchRecord, Outcome, Settled, Tally
from services.warmer.jobs.store import Hand, JobStore
from tests.integration.warmer.house import House

BATCHES, SIZE = 6, 5
STEPS = 150
EVENTS = ("take", "take", "take", "note", "note", "note", "freeze", "pause", "lose", "die")

JOB = Job(id="warm-1", create_time=1.0, update_time=1.0)


@dataclass(eq=False)
class Holding:
    """A batch that a replica believes to have in hand."""

    replica: int
    hand: Hand
    record: BatchRecord
    frozen: bool = False
    """It gave no word for long."""


@dataclass
class Course:
    """A random course of things, and what must have come of it."""

    random: Random
    kv: RedisKv
    stores: list[JobStore]
    holdings: list[Holding] = field(default_factory=list)
    right: dict[int, Holding] = field(default_factory=dict)
    """By batch, who holds it by right."""
    noted: dict[int, Tally] = field(default_factory=dict)
    """By batch, what was noted by right last."""
    finished: set[int] = field(default_factory=set)
    paused: bool = False
    kept_order: bool = True
    """The stream was never lost, so that nothing in hand may be handed out again."""

    async def step(self) -> None:
        """Something happens."""
        match self.random.choice(EVENTS):
            case "take":
                await self.take(self.random.randrange(2))
            case "note" if self.holdings:
                await self.note(self.random.choice(self.holdings), self.random.choice(["keep", "finish", "release"]))
            case "freeze" if self.holdings:
                await self.freeze(self.random.choice(self.holdings))
            case "die" if self.holdings:
                holding = self.random.choice(self.holdings)
                await self.freeze(holding)
                self.holdings.remove(holding)
            case "pause":
                self.paused = not self.paused
                await self.stores[0].move(JOB, State.PAUSED if self.paused else State.RUNNING)
            case "lose" if self.random.random() < 0.2:
                await self.kv.delete(f"queue:{JOB.id}")
                await self.feed()
                self.kept_order = False

    async def feed(self) -> None:
        """Both replicas see to it that the batches are on the stream."""
        job = await self.job()
        for store in self.stores:
            await store.feed(job, anew=job.is_fed)

    async def take(self, replica: int) -> bool:
        """A replica asks for a batch; whether it got one."""
        hand = await self.stores[replica].take(JOB.id)
        if hand is None:
            return False
        assert not self.paused
        assert hand.number not in self.finished
        before = self.right.get(hand.number)
        assert before is None or before.frozen or not self.kept_order
        record = (BatchRecord.decode(hand.record, SIZE) if hand.record else None) or BatchRecord(SIZE)
        assert record.tally() == self.noted.get(hand.number, Tally())
        self.right[hand.number] = holding = Holding(replica, hand, record)
        self.holdings.append(holding)
        return True

    async def note(self, holding: Holding, way: str) -> None:
        """A replica settles some of what it has in hand, and tells the store, however long ago it was handed out."""
        record, number = holding.record, holding.hand.number
        for place in record.pending():
            if way == "finish" or self.random.random() < 0.4:
                record.settle(place, Settled(self.random.choice(list(Outcome))))
                record.calls += self.random.randrange(3)
        told = await self.stores[holding.replica].note(holding.hand, record, way)
        if self.right.get(number) is not holding:
            assert told is None
            self.holdings.remove(holding)
            return
        assert told is (State.PAUSED if self.paused else State.RUNNING)
        self.noted[number] = record.tally()
        holding.frozen = False
        if way != "keep":
            del self.right[number]
            self.holdings.remove(holding)
        if way == "finish":
            self.finished.add(number)

    async def freeze(self, holding: Holding) -> None:
        """An hour goes by without a word of whoever holds a batch, as the server sees it."""
        entry, key = holding.hand.entry, self.kv.name(f"queue:{JOB.id}")
        if self.right.get(holding.hand.number) is holding:
            await self.kv.raw.xclaim(key, "replicas", "gone", 0, [entry], idle=3_600_000, justid=True)
            holding.frozen = True

    async def job(self) -> Job:
        """The job as it stands."""
        job = await self.stores[0].job(JOB.id)
        assert job is not None
        return job

    async def is_right(self) -> None:
        """The job counts what was noted by right, and nothing else."""
        job = await self.job()
        assert job.tally == sum(self.noted.values(), start=Tally())
        assert (job.done, job.tally.settled <= BATCHES * SIZE) == (len(self.finished), True)


@pytest.mark.parametrize("seed", range(20))
async def test_any_order(house: House, seed: int) -> None:
    """Batches are taken, kept, finished and released by two replicas that freeze, wake and die; each counts once."""
    kv = RedisKv(house.url, house.namespace)
    stores = [JobStore(kv, name, house.clock, dead_ms=60_000) for name in ("one", "two")]
    course = Course(Random(seed), kv, stores)  # noqa: S311 - a course of things, no secret
    await stores[0].begin(JOB, pb.WarmRequest(), "print")
    part = Part(plan_id="p", first=3, end=3 + BATCHES, is_own=True)
    await stores[0].planned(JOB, part, Extent(searches=BATCHES * SIZE))
    await course.feed()
    for _ in range(STEPS):
        await course.step()
        await course.is_right()
    await stores[0].move(JOB, State.RUNNING)
    course.paused = False
    while True:
        for holding in list(course.holdings):
            await course.note(holding, "finish")
        if not await course.take(0):
            break
    await course.is_right()
    job = await course.job()
    await kv.aclose()
    assert (job.is_done, job.tally.settled) == (True, BATCHES * SIZE)
