"""Turns: work that nobody waits for is done a slice at a time, by one at a time, and people go first."""

import asyncio

import pytest

from mesh.testing import FakeClock
from mesh.turns import Turns


async def work(
    turns: Turns, clock: FakeClock, name: str, done: list[str], *, pieces: int, piece_s: float = 1.0
) -> None:
    """Does some pieces of work, each of which takes its time on the clock."""
    async with turns.turn() as turn:
        for _ in range(pieces):
            await turn.breathe()
            clock.advance(piece_s)
            done.append(name)


async def test_slice_is_not_interrupted() -> None:
    """Pieces that fit a slice are done in one go, while another call waits."""
    clock, done = FakeClock(), list[str]()
    working = asyncio.create_task(work(Turns(clock=clock, slice_s=3.0), clock, "batch", done, pieces=3))
    other = asyncio.create_task(asyncio.sleep(0))
    other.add_done_callback(lambda _: done.append("person"))
    await asyncio.gather(working, other)
    await asyncio.sleep(0)
    assert done == ["batch", "batch", "batch", "person"]


async def test_others_go_on_after_a_slice() -> None:
    """After a slice a call goes on that needs the loop several times, before the next slice begins."""
    clock, done = FakeClock(), list[str]()

    async def person() -> None:
        for _ in range(4):
            clock.advance(0.001)
            await asyncio.sleep(0)
        done.append("person")

    async with asyncio.TaskGroup() as group:
        group.create_task(work(Turns(clock=clock, slice_s=2.0), clock, "batch", done, pieces=4))
        group.create_task(person())
    assert done == ["batch", "batch", "person", "batch", "batch"]


async def test_work_gets_on_however_much_others_do() -> None:
    """Where the loop is never quiet the work goes on all the same."""
    clock, done = FakeClock(), list[str]()
    is_over = False

    async def busy() -> None:
        while not is_over:
            clock.advance(0.01)
            await asyncio.sleep(0)

    others = asyncio.create_task(busy())
    async with asyncio.timeout(5):
        await work(Turns(clock=clock, slice_s=1.0), clock, "batch", done, pieces=10)
    is_over = True
    await others
    assert len(done) == 10


async def test_one_works_at_a_time() -> None:
    """Of two pieces of work one has a slice, then the other, and never both between two rounds of the loop."""
    clock, done = FakeClock(), list[str]()
    turns = Turns(clock=clock, slice_s=2.0)
    async with asyncio.TaskGroup() as group, turns.turn():
        for name in "ab":
            group.create_task(work(turns, clock, name, done, pieces=4))
        await asyncio.sleep(0)
    assert done == ["a", "a", "b", "b", "a", "a", "b", "b"]


async def test_what_somebody_waits_for_stands_behind_nobody() -> None:
    """While patient work has the floor a person's own is done, and lets others go on as well."""
    clock, done = FakeClock(), list[str]()
    turns = Turns(clock=clock, slice_s=1.0)

    async def person(name: str) -> None:
        async with turns.turn(patient=False) as turn:
            for _ in range(2):
                await turn.breathe()
                clock.advance(1.0)
                done.append(name)

    async with turns.turn():
        await asyncio.gather(person("a"), person("b"))
    assert done == ["a", "b", "a", "b"]


@pytest.mark.parametrize("rounds", range(4))
async def test_who_is_cancelled_leaves_the_floor_to_others(rounds: int) -> None:
    """Wherever work is broken off, the next one goes on."""
    clock, done = FakeClock(), list[str]()
    turns = Turns(clock=clock, slice_s=1.0)
    broken = asyncio.create_task(work(turns, clock, "broken", [], pieces=100))
    other = asyncio.create_task(work(turns, clock, "other", done, pieces=3))
    for _ in range(rounds):
        await asyncio.sleep(0)
    broken.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(broken, other, return_exceptions=True)
    assert (done, broken.cancelled()) == (["other"] * 3, True)


async def test_work_rests_while_people_call() -> None:
    """While people call, work rests after each slice; a moment after the last call it does not any more."""
    clock, rests = FakeClock(), list[float]()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        clock.advance(seconds)

    turns = Turns(clock=clock, slice_s=0.01, sleep=sleep)
    await work(turns, clock, "batch", [], pieces=5, piece_s=0.01)
    assert (turns.company.is_there, rests) == (False, [])
    turns.company.meet()
    await work(turns, clock, "batch", [], pieces=5, piece_s=0.01)
    assert (turns.company.is_there, len(rests), {*rests}) == (True, 4, {0.001})
    clock.advance(0.25)
    await work(turns, clock, "batch", [], pieces=5, piece_s=0.01)
    assert (turns.company.is_there, len(rests)) == (False, 4)


async def test_what_somebody_waits_for_never_rests() -> None:
    """Work that a person waits for goes on at once, however many call."""
    clock, rests = FakeClock(), list[float]()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    turns = Turns(clock=clock, slice_s=0.01, sleep=sleep)
    turns.company.meet()
    async with turns.turn(patient=False) as turn:
        for _ in range(5):
            await turn.breathe()
            clock.advance(0.01)
    assert rests == []
