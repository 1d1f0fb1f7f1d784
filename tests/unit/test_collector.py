import asyncio
import gc
from collections.abc import Iterator

import pytest

from mesh.hosting import collector
from mesh.testing import FakeClock
from mesh.turns import Turns


@pytest.fixture
def as_before() -> Iterator[None]:
    """Leaves the collector as it was."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("as_before")
def test_what_was_there_is_looked_at_no_more() -> None:
    """What a process has started with is in no later look, and what comes later is."""
    kept = [object()]
    collector.settle()
    later = [object()]
    assert gc.get_freeze_count() > 10_000
    assert [any(each is known for known in gc.get_objects()) for each in (kept, later)] == [False, True]


@pytest.mark.usefixtures("as_before")
def test_circles_are_still_found() -> None:
    """A circle that is made later is found by itself, once enough is made after it."""
    collector.settle()
    circle: list[object] = []
    circle.append(circle)
    before = gc.get_stats()[0]["collected"]
    del circle
    kept = [[] for _ in range(collector.YOUNG + 1)]  # type: list[list[object]]
    assert (len(kept), gc.get_stats()[0]["collected"] > before) == (collector.YOUNG + 1, True)


@pytest.mark.usefixtures("as_before")
async def test_all_is_looked_through_in_a_pause() -> None:
    """A circle that has lived long is found a minute later, or once nobody calls, or after ten minutes of calls."""
    clock, slept = FakeClock(), list[float]()
    turns = Turns(clock=clock)
    until_s, looks = 0.0, 0

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)
        if sum(slept) < until_s:
            turns.company.meet()
        if gc.get_stats()[2]["collections"] > looks:
            raise asyncio.CancelledError

    async def waited_s() -> float:
        nonlocal looks
        slept.clear()
        looks = gc.get_stats()[2]["collections"]
        with pytest.raises(asyncio.CancelledError):
            await collector.keep_tidy(turns, sleep=sleep)
        return sum(slept[:-1])

    collector.settle()
    assert await waited_s() == pytest.approx(60)
    until_s = 100
    assert await waited_s() == pytest.approx(100.2, abs=0.2)
    until_s = 10_000
    assert await waited_s() == pytest.approx(660, abs=0.2)
