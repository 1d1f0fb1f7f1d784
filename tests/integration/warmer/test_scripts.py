"""The scripts that move jobs: sent twice they do the same as once, and a lost stream costs no batch."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from redis.exceptions import ConnectionError as RedisConnectionError

from mesh.stores.redis_kv import RedisKv
from services.warmer.jobs.job import Extent, Failure, Job, Part, State
from services.warmer.jobs.outcome import BatchRecord, Outcome, Settled
from services.warmer.jobs.store import Hand, JobStore
from tests.integration.warmer.house import House

NEVER_MS = 3_600_000
"""Nobody is taken for dead."""

JOB = Job(id="warm-1", library_id="ab", request_id="r", create_time=1.0, update_time=1.0)


class DeafKv(RedisKv):
    """A store whose answers to scripts are lost on the way at first, so that each script is sent twice."""

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__(url, namespace)
        self.deaf = False
        """Answers are lost from now on."""
        self.lost = 0
        """How many were."""

    @property
    def raw(self) -> Any:
        """The client."""
        return _DeafClient(self, super().raw)


class _DeafClient:
    def __init__(self, kv: DeafKv, raw: Any) -> None:
        self._kv = kv
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def register_script(self, text: str) -> Callable[..., Awaitable[Any]]:
        script = self._raw.register_script(text)
        kv = self._kv
        again = False

        async def run(*arguments: Any) -> Any:
            nonlocal again
            found = await script(*arguments)
            again = kv.deaf and not again
            if again:
                kv.lost += 1
                raise RedisConnectionError("the answer was lost")
            return found

        return run


class Desk:
    """A replica's hold on the jobs of a house."""

    def __init__(self, house: House, replica: str, *, dead_ms: int = NEVER_MS) -> None:
        self.kv = DeafKv(house.url, house.namespace)
        self.store = JobStore(self.kv, replica, house.clock, dead_ms=dead_ms)

    async def begun(self, batches: int = 3) -> Job:
        """A job whose batches lie on the stream."""
        await self.store.begin(JOB, pb.WarmRequest(library_id="ab"), "print")
        await self.store.planned(JOB, Part(plan_id="p", first=0, end=batches, is_own=True), Extent(searches=4))
        await self.store.feed(await self.job())
        return await self.job()

    async def job(self) -> Job:
        """The job as it stands."""
        job = await self.store.job(JOB.id)
        assert job is not None
        return job

    async def taken(self) -> Hand:
        """A batch, of which there must be one."""
        hand = await self.store.take(JOB.id)
        assert hand is not None
        return hand

    async def queued(self) -> int:
        """Batches on the stream, those in hand included."""
        return int(await self.kv.raw.xlen(self.kv.name(f"queue:{JOB.id}")))

    async def lose_stream(self) -> None:
        """What happens where the store comes back without its last seconds."""
        await self.kv.delete(f"queue:{JOB.id}")


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    """One replica."""
    desk = Desk(house, "one")
    yield desk
    await desk.kv.aclose()


@pytest.fixture
async def other(house: House) -> AsyncIterator[Desk]:
    """Another replica, which gives no batch the time to be in hand."""
    desk = Desk(house, "two", dead_ms=0)
    yield desk
    await desk.kv.aclose()


@pytest.fixture
async def patient(house: House) -> AsyncIterator[Desk]:
    """Another replica, which takes nobody for dead."""
    desk = Desk(house, "three")
    yield desk
    await desk.kv.aclose()


def record(*outcomes: Outcome, calls: int = 0) -> BatchRecord:
    """What became of the first searches of a batch of four."""
    made = BatchRecord(4, calls)
    for place, outcome in enumerate(outcomes):
        made.settle(place, Settled(outcome))
    return made


async def test_begun_twice_is_one_job(desk: Desk) -> None:
    """A job whose beginning is sent twice is one job, which its request knows as its own."""
    desk.kv.deaf = True
    claim = await desk.store.begin(JOB, pb.WarmRequest(library_id="ab"), "print")
    jobs = await desk.store.page(10, "")
    assert (claim.word in {"NEW", "SAME"}, claim.job_id, [job.id for job in jobs], desk.kv.lost) == (
        True,
        JOB.id,
        [JOB.id],
        1,
    )


async def test_a_plan_that_is_known_stays(desk: Desk) -> None:
    """Whoever plans a job that was planned meanwhile changes nothing."""
    job = await desk.begun()
    await desk.store.planned(JOB, Part(plan_id="other", first=0, end=9, is_own=False), Extent(searches=99))
    assert job == await desk.job()


async def test_fed_twice_lies_there_once(desk: Desk) -> None:
    """Batches whose feeding is sent twice lie on the stream once."""
    desk.kv.deaf = True
    job = await desk.begun(7)
    assert (await desk.queued(), job.fed) == (7, 7)


async def test_more_than_one_script_feeds(desk: Desk) -> None:
    """A job of more batches than one script puts there has all of them there, each once."""
    await desk.begun(1_234)
    assert await desk.queued() == 1_234


async def test_two_feed_side_by_side(desk: Desk, patient: Desk) -> None:
    """Replicas that both feed a job, each from what it last saw, put each batch there once."""
    await desk.store.begin(JOB, pb.WarmRequest(library_id="ab"), "print")
    await desk.store.planned(JOB, Part(plan_id="p", first=0, end=700, is_own=True), Extent(searches=4))
    seen = await desk.job()
    await desk.store.feed(seen)
    await patient.store.feed(seen)
    assert await desk.queued() == 700


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_lost_stream_is_fed_anew_once(desk: Desk, deaf: bool) -> None:  # noqa: FBT001 - a case
    """What is not finished lies there once again, though the feeding is sent twice."""
    job = await desk.begun(5)
    await desk.store.note(await desk.taken(), record(Outcome.WARMED), "finish")
    await desk.lose_stream()
    desk.kv.deaf = deaf
    await desk.store.feed(job, anew=True)
    assert await desk.queued() == 4


async def test_two_feed_a_lost_stream(desk: Desk, patient: Desk) -> None:
    """Of replicas that both find the stream lost, one feeds it."""
    job = await desk.begun(5)
    await desk.lose_stream()
    await desk.store.feed(job, anew=True)
    await patient.store.feed(job, anew=True)
    assert await desk.queued() == 5


async def test_a_stream_that_is_lost_while_it_is_fed(desk: Desk) -> None:
    """A stream that is lost before all batches lay there gets those that lay there already as well."""
    await desk.begun(700)
    await desk.kv.raw.hset(desk.kv.name(f"job:{JOB.id}"), "fed", 500)
    halfway = await desk.job()
    await desk.lose_stream()
    await desk.store.feed(halfway)
    assert (await desk.queued(), (await desk.job()).fed) == (700, 700)


async def test_an_ended_job_is_not_fed(desk: Desk) -> None:
    """A job that is ended while a replica means to feed it leaves no stream behind."""
    job = await desk.begun(5)
    await desk.store.move(job, State.CANCELLED)
    await desk.store.feed(job, anew=True)
    assert not await desk.store.has_queue(JOB.id)


async def test_a_batch_whose_taking_was_not_heard_of(desk: Desk, other: Desk) -> None:
    """A batch that was handed out to somebody who did not hear of it is handed out again, when he is taken for dead."""
    await desk.begun(3)
    desk.kv.deaf = True
    heard = await desk.taken()
    again = await other.taken()
    assert (heard.number, again.number, desk.kv.lost) == (1, 0, 1)


@pytest.mark.parametrize("way", ["keep", "release", "finish"])
async def test_noted_twice_counts_once(desk: Desk, way: str) -> None:
    """A note that is sent twice counts its searches, its calls and its batch once."""
    await desk.begun()
    hand = await desk.taken()
    desk.kv.deaf = True
    noted = record(Outcome.WARMED, Outcome.FRESH, calls=3)
    await desk.store.note(hand, noted, way)
    job = await desk.job()
    assert (job.tally, job.done) == (noted.tally(), int(way == "finish"))


async def test_counts_are_those_of_the_last_note(desk: Desk) -> None:
    """However often a batch is noted, each of its searches counts once, and each of its calls."""
    await desk.begun()
    hand = await desk.taken()
    for noted in (record(Outcome.WARMED, calls=1), record(Outcome.WARMED, Outcome.PARKED, calls=5)):
        await desk.store.note(hand, noted, "keep")
    assert (await desk.job()).tally == record(Outcome.WARMED, Outcome.PARKED, calls=5).tally()


async def test_a_released_batch_goes_on_elsewhere(desk: Desk, patient: Desk) -> None:
    """A batch that is released is the next replica's at once, with what became of it so far."""
    await desk.begun(1)
    noted = record(Outcome.WARMED)
    await desk.store.note(await desk.taken(), noted, "release")
    hand = await patient.taken()
    assert (hand.number, hand.record) == (0, noted.encode())


async def test_a_released_batch_is_found_behind_many(desk: Desk, patient: Desk) -> None:
    """However many batches are in hand before it, a released one is found."""
    await desk.begun(40)
    hands = [await desk.taken() for _ in range(40)]
    await desk.store.note(hands[-1], record(), "release")
    assert (await patient.taken()).number == 39


async def test_what_is_in_hand_is_nobody_elses(desk: Desk, patient: Desk) -> None:
    """A batch whose holder is alive is not handed out again."""
    await desk.begun(1)
    await desk.taken()
    assert await patient.store.take(JOB.id) is None


async def test_a_note_of_a_batch_that_was_taken_over(desk: Desk, other: Desk) -> None:
    """Whoever lost a batch to another is told so, whatever he notes, and it counts nothing."""
    await desk.begun(1)
    hand = await desk.taken()
    await other.taken()
    told = [await desk.store.note(hand, record(Outcome.WARMED), way) for way in ("keep", "release", "finish")]
    job = await desk.job()
    assert (told, job.tally.settled, job.done) == ([None] * 3, 0, 0)


@pytest.mark.parametrize("to", [State.PAUSED, State.WAITING])
async def test_a_halted_job_hands_out_nothing(desk: Desk, to: State) -> None:
    """No batch of a job is taken while it is halted; who has one in hand is told by the next note, which counts."""
    job = await desk.begun()
    hand = await desk.taken()
    await desk.store.move(job, to, resume_time=5.0)
    told = await desk.store.note(hand, record(Outcome.WARMED), "keep")
    assert (await desk.store.take(JOB.id), told, (await desk.job()).tally.warmed) == (None, to, 1)


@pytest.mark.parametrize("to", [State.CANCELLED, State.FAILED, State.SUCCEEDED])
async def test_an_ended_job_leaves_no_work(desk: Desk, to: State) -> None:
    """When a job ends, by a word that is sent twice, nothing can be taken of it; its library stays its own."""
    job = await desk.begun()
    hand = await desk.taken()
    desk.kv.deaf = True
    failure = Failure(code="INTERNAL", reason="INTERNAL", message="broke") if to is State.FAILED else None
    reached = await desk.store.move(job, to, failure=failure)
    told = await desk.store.note(hand, record(Outcome.WARMED), "finish")
    assert (reached, told, await desk.store.take(JOB.id), await desk.store.open_ids()) == (to, None, None, [JOB.id])
    assert (await desk.store.runs_on("ab"), await desk.store.has_queue(JOB.id)) == (JOB.id, False)


async def test_a_closed_job_leaves_a_trace_of_itself(desk: Desk) -> None:
    """A job that is closed, by words that are sent twice, is known, with its counts, and all else of it is gone."""
    job = await desk.begun(1)
    await desk.store.note(await desk.taken(), record(*[Outcome.WARMED] * 4), "finish")
    desk.kv.deaf = True
    reached = await desk.store.kept(job)
    await desk.store.closed(job)
    left = [name for kind in ("queue", "hand", "record", "tally") if await desk.kv.get(name := f"{kind}:{JOB.id}")]
    closed = await desk.job()
    assert (reached, closed.is_kept, closed.tally.warmed, left) == (State.SUCCEEDED, True, 4, [])
    assert (await desk.store.open_ids(), await desk.store.runs_on("ab"), desk.kv.lost) == ([], "", 2)


async def test_a_job_without_report_keeps_its_records(desk: Desk) -> None:
    """Where no report could be kept, what the job was asked and what came of it stay, and its library is free."""
    job = await desk.begun(1)
    await desk.store.note(await desk.taken(), record(Outcome.WARMED), "finish")
    await desk.store.move(job, State.CANCELLED)
    await desk.store.closed(job)
    records = await desk.store.records(JOB.id, range(1))
    assert (await desk.store.open_ids(), await desk.store.runs_on("ab"), records[0] is None) == ([], "", False)
    assert (await desk.store.asked(JOB.id)).library_id == "ab"


@pytest.mark.parametrize("halted", [State.PAUSED, State.WAITING])
async def test_a_halted_job_has_not_succeeded(desk: Desk, halted: State) -> None:
    """A job that was halted while its report was kept is not closed: whoever goes on with it does that."""
    job = await desk.begun()
    await desk.store.move(job, halted)
    assert (await desk.store.kept(job), (await desk.job()).is_kept) == (halted, False)


async def test_a_forgotten_job(desk: Desk) -> None:
    """A job that is forgotten, by a word that is sent twice, is gone, and its request may be made anew."""
    job = await desk.begun()
    await desk.store.kept(job)
    await desk.store.closed(job)
    desk.kv.deaf = True
    await desk.store.forget(job)
    desk.kv.deaf = False
    claim = await desk.store.begin(replace(JOB, id="warm-2"), pb.WarmRequest(library_id="ab"), "print")
    assert (await desk.store.job(JOB.id), claim.word, await desk.store.ids_of("ab")) == (None, "NEW", ["warm-2"])


async def test_a_job_at_work_is_not_forgotten(desk: Desk) -> None:
    """A job that somebody is at work on stays, whoever wants it gone."""
    job = await desk.begun()
    await desk.store.forget(job)
    assert (await desk.store.job(JOB.id), await desk.store.ids_of("ab")) == (job, [JOB.id])


async def test_no_way_is_no_way(desk: Desk) -> None:
    """A job that can't go to a state stays as it is, and the state that it has is told."""
    job = await desk.begun()
    await desk.store.move(job, State.PAUSED)
    before = await desk.job()
    assert (await desk.store.move(job, State.SUCCEEDED), await desk.job()) == (State.PAUSED, before)


async def test_nothing_is_known_of_a_job_that_never_was(desk: Desk) -> None:
    """A job that is gone can't be moved, and has no batches."""
    assert (await desk.store.move(JOB, State.PAUSED), await desk.store.take(JOB.id)) == (None, None)


async def test_a_job_that_was_paused_while_it_was_planned_starts_when_it_runs(desk: Desk) -> None:
    """A job tells when its work began, though it was halted when its plan was made."""
    await desk.store.begin(JOB, pb.WarmRequest(library_id="ab"), "print")
    await desk.store.move(JOB, State.PAUSED)
    await desk.store.planned(JOB, Part(plan_id="p", first=0, end=1, is_own=True), Extent(searches=4))
    before = await desk.job()
    await desk.store.move(JOB, State.RUNNING)
    assert (before.state, before.start_time, (await desk.job()).start_time) == (State.PAUSED, None, 1_000_000.0)
