"""Watching a job."""

import asyncio

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.watch import STEP_S, Bell, changes
from tests.unit.warmer_house import House, settled

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(200))


class Thing:
    """Something that changes until it ends."""

    def __init__(self) -> None:
        self.bell = Bell()
        self.value = 0
        self.ended = False

    def change(self, *, ended: bool = False) -> None:
        """Changes it."""
        self.value += 1
        self.ended = ended
        self.bell.ring()


async def test_what_is_comes_first() -> None:
    """The state of now is told at once, before anything changes."""
    thing = Thing()
    told = changes(thing, lambda: thing.value)
    assert await anext(told) == 0
    await told.aclose()


async def test_what_has_ended_is_told_once() -> None:
    """Of a thing that has ended, its end is told, and nothing more."""
    thing = Thing()
    thing.change(ended=True)
    assert [value async for value in changes(thing, lambda: thing.value)] == [1]


async def test_fast_changes_are_told_as_one() -> None:
    """Changes that come faster than ten a second are told together, and the end is never left out."""
    thing = Thing()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        for _ in range(50):
            thing.change()
        thing.change(ended=len(slept) == 3)

    values = []
    async for value in changes(thing, lambda: thing.value, sleep=sleep):
        values.append(value)
        thing.change(ended=thing.ended)
    assert (slept, values) == ([STEP_S] * 3, [0, 52, 104, 156])


async def test_a_change_while_telling_is_not_missed() -> None:
    """What changes between telling and waiting is told next."""
    thing = Thing()

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    told = changes(thing, lambda: thing.value, sleep=sleep)
    await anext(told)
    thing.change(ended=True)
    assert await asyncio.wait_for(anext(told), 1) == 1


async def test_progress_only_grows() -> None:
    """What is told of a job never goes back and never exceeds the plan, and its last word is its end."""
    async with House().process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        told = await process.watch(job.id)
    counts = [settled(change.progress) for change in told]
    assert (counts == sorted(counts), counts[-1], told[-1].state) == (True, 200, pb.WARM_JOB_STATE_SUCCEEDED)


async def test_many_watch_one_job() -> None:
    """Everybody who watches hears the end."""
    async with House().process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        ends = [told[-1].state for told in await asyncio.gather(*(process.watch(job.id) for _ in range(5)))]
    assert ends == [pb.WARM_JOB_STATE_SUCCEEDED] * 5


async def test_watching_what_has_ended() -> None:
    """A job that has ended is told once."""
    async with House().process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        await process.finished(job.id)
        told = await process.watch(job.id)
    assert [change.state for change in told] == [pb.WARM_JOB_STATE_SUCCEEDED]


async def test_a_watcher_that_goes_harms_nobody() -> None:
    """A job goes on when its watcher has gone."""
    house = House()
    async with house.process() as process:
        house.books.gate.clear()
        job = await process.warm((await process.upload(MANY)).library.id)
        watching = asyncio.ensure_future(process.watch(job.id))
        await house.books.waiting.wait()
        watching.cancel()
        await asyncio.wait({watching})
        house.books.gate.set()
        ended = await process.finished(job.id)
    assert ended.state == pb.WARM_JOB_STATE_SUCCEEDED


async def test_the_time_left_is_told() -> None:
    """A job under way tells its rate and the time that is left."""
    house = House()
    async with house.process(WARM_CONCURRENCY=1) as process:
        house.books.hold_at = 100
        job = await process.warm((await process.upload(MANY)).library.id)
        await house.books.waiting.wait()
        house.clock.advance(2)
        progress = (await process.job(job.id)).progress
        expected = round((200 - settled(progress)) / progress.searches_per_second * 1000)
        house.books.gate.set()
    assert (progress.searches_per_second > 0, progress.remaining_ms) == (True, expected)
