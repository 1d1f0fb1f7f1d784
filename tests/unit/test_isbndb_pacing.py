import asyncio

import pytest

from mesh.status import ResourceExhaustedError
from mesh.testing import FakeClock
from services.isbndb.pacing import Pacer


class Stage:
    """A pacer on a clock that moves when everybody waits for it."""

    def __init__(self, interval_s: float) -> None:
        self.clock = FakeClock(100.0)
        self.pacer = Pacer(interval_s, clock=self.clock, sleep=self.sleep)
        self.starts: list[tuple[str, float]] = []

    async def sleep(self, seconds: float) -> None:
        """Lets everyone else come to rest, then moves the clock."""
        for _ in range(10):
            await asyncio.sleep(0)
        self.clock.advance(seconds)

    async def call(self, name: str, left_s: float = 60.0) -> None:
        """Waits for a turn and notes when it began."""
        await self.pacer.turn(left_s)
        self.starts.append((name, round(self.clock() - 100.0, 6)))


async def test_starts_are_apart() -> None:
    """Calls that come together begin one interval after another, in the order in which they came."""
    stage = Stage(0.5)
    await asyncio.gather(*(stage.call(name) for name in "abcd"))
    assert stage.starts == [("a", 0.0), ("b", 0.5), ("c", 1.0), ("d", 1.5)]


async def test_pause_is_not_saved_up() -> None:
    """After a pause only one call begins at once: a rate kept on average is not kept."""
    stage = Stage(0.5)
    await stage.call("a")
    stage.clock.advance(10)
    await asyncio.gather(stage.call("b"), stage.call("c"))
    assert stage.starts[1:] == [("b", 10.0), ("c", 10.5)]


async def test_timer_that_fires_early() -> None:
    """A sleep that ends too soon is slept on."""
    stage = Stage(0.5)

    async def short(seconds: float) -> None:
        await stage.sleep(max(seconds / 2, 0.01))

    stage.pacer = Pacer(0.5, clock=stage.clock, sleep=short)
    await stage.call("a")
    await stage.call("b")
    assert stage.starts[1][1] >= 0.5


async def test_cancelled_call_gives_its_turn_away() -> None:
    """The turn of a call that was given up is the next one's."""
    stage = Stage(1.0)
    await stage.call("a")
    given_up, later = asyncio.create_task(stage.call("b")), asyncio.create_task(stage.call("c"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up, later])
    assert stage.starts == [("a", 0.0), ("c", 1.0)]


async def test_call_without_time_is_refused_at_once() -> None:
    """A call whose turn would come after its time is told so at once, with the time after which to come back."""
    stage = Stage(1.0)
    await stage.call("a")
    waiting = asyncio.create_task(stage.call("b"))
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhaustedError) as caught:
        await stage.pacer.turn(1.5)
    error, at = caught.value, stage.clock()
    await waiting
    assert (
        error.reason,
        error.retry_after_s,
        error.metadata["wait_ms"],
        error.metadata["left_ms"],
        at,
    ) == ("PROVIDER_RATE_LIMITED", 2.0, "2000", "1500", 100.0)


async def test_refused_call_takes_no_turn() -> None:
    """A call that was refused delays nobody."""
    stage = Stage(1.0)
    await stage.call("a")
    with pytest.raises(ResourceExhaustedError):
        await stage.pacer.turn(0.1)
    await stage.call("b")
    assert stage.starts == [("a", 0.0), ("b", 1.0)]


async def test_hold() -> None:
    """When ISBNdb asks for a pause, those who wait already keep it too."""
    stage = Stage(1.0)
    await stage.call("a")
    waiting = asyncio.create_task(stage.call("b"))
    await asyncio.sleep(0)
    stage.pacer.hold(5.0)
    await waiting
    assert stage.starts == [("a", 0.0), ("b", 5.0)]
