"""An open breaker: what it refuses, for how long, and how much longer the next time."""

import pytest

from mesh.breaker import Refusal
from tests.unit.breaker.driving import (
    CLOSED,
    FORCED_OPEN,
    HALF_OPEN,
    NEVER_IN_A_ROW,
    OPEN,
    F,
    S,
    half_opened,
    made,
    opened,
)


@pytest.mark.case(4)
def test_open_refuses_counts_and_says_until_when() -> None:
    """An open breaker refuses, counts that, and says when a probe may pass."""
    driven = opened()
    driven.clock.advance(20)
    refusals = [driven.breaker.acquire(), driven.breaker.acquire()]
    assert (refusals, driven.breaker.refused_count, driven.breaker.permitted_count) == (
        [Refusal(40.0), Refusal(40.0)],
        2,
        3,
    )


@pytest.mark.case(5)
def test_when_its_time_is_over_a_probe_passes_and_the_counts_are_new() -> None:
    """The first call after the time is over finds it half-open, with nothing left of what was counted before."""
    driven = opened(minimum_calls=3)
    driven.clock.advance(60)
    driven.permit()
    assert (driven.state, driven.breaker.consecutive_failures, driven.breaker.measured().calls) == (HALF_OPEN, 0, 0)


@pytest.mark.case(6)
def test_each_opening_in_a_row_is_longer() -> None:
    """After five seconds comes an opening of seven and a half: six seconds on it is still open."""
    driven = half_opened(open_s=5)
    driven.call(F)
    driven.clock.advance(6)
    refused = driven.refusal()
    driven.clock.advance(1.5)
    driven.permit()
    assert (refused, driven.state) == (Refusal(1.5), HALF_OPEN)


@pytest.mark.case(6)
def test_the_growth_has_an_end() -> None:
    """Openings grow by half as much again, up to the longest."""
    driven = opened()
    times = []
    for _ in range(8):
        driven.clock.advance(driven.breaker.retry_after_s())
        driven.call(F)
        times.append(driven.breaker.retry_after_s())
    assert times == [90.0, 135.0, 202.5, 303.75, 455.625, 600.0, 600.0, 600.0]


def test_the_growth_never_overflows() -> None:
    """A thousand openings in a row are as long as the longest, and no number is too large on the way."""
    driven = opened(growth=10, longest_open_s=1e300)
    for _ in range(1_000):
        driven.clock.now = driven.breaker._probe_at
        driven.call(F)
    assert driven.breaker._probe_at - driven.breaker.changed_at == pytest.approx(60e64)


def test_a_longest_time_below_the_first_counts_as_the_first() -> None:
    """An opening is never shorter than its setting."""
    assert opened(open_s=60, longest_open_s=1).breaker.retry_after_s() == 60.0


def test_success_ends_the_growth() -> None:
    """After a probe that succeeds the next opening is as short as the first."""
    driven = half_opened()
    driven.call(F)
    driven.clock.advance(90)
    driven.call(S)
    driven.call(F, F, F)
    assert driven.breaker.retry_after_s() == 60.0


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 60.0), (0.5, 63.0), (1.0, 66.0)])
def test_chance_lengthens_an_opening(chance: float, expected: float) -> None:
    """Chance lengthens an opening by a tenth at most, so that callers do not come back together."""
    driven = made()
    driven.chance = chance
    driven.call(F, F, F)
    assert driven.breaker.retry_after_s() == pytest.approx(expected)


def test_chance_lengthens_the_longest_opening_too() -> None:
    """Breakers that have long been open would otherwise meet again at every longest time."""
    driven = made(open_s=600, jitter=1)
    driven.chance = 0.5
    driven.call(F, F, F)
    assert driven.breaker.retry_after_s() == pytest.approx(900)


@pytest.mark.case(23)
def test_a_millisecond_too_early_it_refuses() -> None:
    """A millisecond before its time is over it refuses, and at it a probe passes."""
    driven = opened()
    driven.clock.advance(59.999)
    refusal = driven.refusal()
    driven.clock.advance(0.001)
    driven.permit()
    assert refusal.retry_after_s == pytest.approx(0.001)


def test_who_waits_as_told_is_let_through() -> None:
    """A caller that waits exactly as long as the refusal said is not refused again, whatever the jitter."""
    driven = made(open_s=0.1, jitter=1)
    driven.clock.now = 86_399.7
    driven.chance = 1 / 3
    driven.call(F, F, F)
    driven.clock.advance(0.0371)
    driven.clock.advance(driven.refusal().retry_after_s)
    driven.permit()
    assert driven.state is HALF_OPEN


@pytest.mark.case(43)
@pytest.mark.parametrize("state", [CLOSED, FORCED_OPEN])
def test_no_time_is_left_where_none_was_set(state: object) -> None:
    """A breaker that has never opened by itself has no time to wait for: 0, and no error."""
    driven = made()
    if state is FORCED_OPEN:
        driven.breaker.set(FORCED_OPEN)
    assert driven.breaker.retry_after_s() == 0.0


def test_time_to_wait_never_falls_below_zero() -> None:
    """Nobody asked for a while, so a probe has long been due: 0."""
    driven = opened()
    driven.clock.advance(1e6)
    assert (driven.breaker.retry_after_s(), driven.state) == (0.0, OPEN)


@pytest.mark.case("clock jump")
def test_clock_that_jumps_ahead() -> None:
    """After a jump ahead an open breaker lets one probe pass, not one for each time that went by."""
    driven = opened()
    driven.clock.advance(1e9)
    driven.permit()
    assert isinstance(driven.breaker.acquire(), Refusal)


def test_a_rate_opens_for_as_long_as_a_row() -> None:
    """What opened a breaker does not change for how long."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, minimum_calls=2)
    driven.call(F, F)
    assert (driven.told[-1].why, driven.breaker.retry_after_s()) == ("failure_rate", 60.0)
