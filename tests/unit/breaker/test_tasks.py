"""Many tasks, one breaker: counts stay exact, and each move happens once."""

import asyncio
import random

import pytest

from mesh.breaker import Permit
from mesh.status import Outcome
from tests.unit.breaker.driving import CLOSED, HALF_OPEN, METRICS_ONLY, OPEN, Driven, F, S, half_opened, made

TASKS = 10


async def calls(driven: Driven, count: int, outcome: Outcome) -> tuple[int, int]:
    """Makes calls that take a turn of the loop each; how many passed and how many were refused."""
    passed = 0
    for _ in range(count):
        permit = driven.breaker.acquire()
        await asyncio.sleep(0)
        if isinstance(permit, Permit):
            passed += 1
            driven.breaker.release(permit, outcome)
    return passed, count - passed


@pytest.mark.case(30)
async def test_counts_are_exact() -> None:
    """Ten tasks with two thousand calls each are twenty thousand calls, in every count."""
    driven = made(minimum_calls=10**9, window_s=60)
    await asyncio.gather(*(calls(driven, 2_000, S) for _ in range(TASKS)))
    assert (driven.breaker.permitted_count, driven.breaker.measured().calls) == (20_000, 20_000)


@pytest.mark.case(35)
async def test_one_half_open_for_all_who_come_at_once() -> None:
    """Ten tasks that find the time over at once make one move to half-open and one probe; nine are refused."""
    driven = half_opened()
    results = await asyncio.gather(*(calls(driven, 1, S) for _ in range(TASKS)))
    moves = [new for _, new, _ in driven.moves()]
    assert (moves.count("HALF_OPEN"), sum(passed for passed, _ in results), driven.state) == (1, 1, CLOSED)


@pytest.mark.case(36)
async def test_failures_at_once_open_once() -> None:
    """Of ten calls under way that all fail, three open it, once, and the count says three."""
    driven = made()
    await asyncio.gather(*(calls(driven, 1, F) for _ in range(TASKS)))
    assert (driven.state, driven.breaker.consecutive_failures, len(driven.told)) == (OPEN, 3, 1)


@pytest.mark.case(36)
async def test_failures_at_once_all_count_where_nothing_opens() -> None:
    """A breaker that only measures counts all ten."""
    driven = made(enforced=False)
    await asyncio.gather(*(calls(driven, 1, F) for _ in range(TASKS)))
    assert (driven.state, driven.breaker.consecutive_failures) == (METRICS_ONLY, 10)


@pytest.mark.case("two loops")
def test_two_loops_one_after_the_other() -> None:
    """Nothing in a breaker belongs to a loop: what opened in one is probed in the next."""
    driven = made()
    asyncio.run(calls(driven, 3, F))
    driven.clock.advance(60)
    asyncio.run(calls(driven, 1, S))
    assert driven.state is CLOSED


@pytest.mark.case(25)
async def test_probes_at_once_in_any_order() -> None:
    """Probes that end in any order decide alike: three successes close, whichever came first."""
    for seed in range(20):
        driven = half_opened(probes=3)
        probes = driven.permits(3)
        random.Random(seed).shuffle(probes)  # noqa: S311 - an order, not a secret
        before = []
        for probe in probes:
            before.append(driven.state)
            driven.release([probe], S)
        assert (before, driven.state) == ([HALF_OPEN] * 3, CLOSED)
