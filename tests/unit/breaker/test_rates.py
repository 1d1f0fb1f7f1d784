"""Failure rate and slow rate over the window: when they open a breaker, and when they mean nothing."""

import pytest

from mesh.breaker import Measured
from mesh.status import Outcome
from tests.unit.breaker.driving import CLOSED, NEVER_IN_A_ROW, OPEN, F, N, S, made


@pytest.mark.case(1)
def test_failure_rate_opens_at_its_threshold() -> None:
    """Two failures of five calls, a second apart, leave it closed; a third of six opens it."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, window_s=20, minimum_calls=5)
    for outcome in (S, S, S, F, F):
        driven.call(outcome)
        driven.clock.advance(1)
    before = driven.state
    driven.call(F)
    assert (before, driven.state, driven.told[-1].why) == (CLOSED, OPEN, "failure_rate")


@pytest.mark.case(2)
def test_slow_calls_open_though_they_succeed() -> None:
    """Three slow calls of five, two of them successes, open a breaker whose failure rate is far off."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, slow_rate=0.6, slow_s=4, minimum_calls=5)
    for outcome, took_s in ((S, 4.0), (S, 3.999), (S, 4.0), (S, 1.0)):
        driven.call(outcome, took_s=took_s)
    before = driven.state
    driven.call(F, took_s=4.0)
    assert (before, driven.state, driven.told[-1].why) == (CLOSED, OPEN, "slow_rate")


@pytest.mark.case(2)
def test_a_slow_success_may_be_the_one_that_opens() -> None:
    """It takes no failure at all to open by slowness."""
    driven = made(slow_rate=1, slow_s=4, minimum_calls=2)
    driven.call(S, S, took_s=4)
    assert (driven.state, driven.told[-1].why) == (OPEN, "slow_rate")


def test_one_slow_call_among_many_opens_nothing() -> None:
    """A call that is slow is looked at against all calls of the window."""
    driven = made(slow_rate=0.5, slow_s=4, minimum_calls=4)
    driven.call(*[S] * 8, took_s=0.0)
    driven.call(S, S, took_s=4.0)
    assert (driven.state, driven.breaker.measured().slow_rate) == (CLOSED, 0.2)


def test_call_without_a_time_is_quick() -> None:
    """Who does not tell how long a call took tells nothing of its slowness."""
    driven = made(slow_rate=0.5, slow_s=0.001, minimum_calls=1)
    driven.breaker.release(driven.permit(), S)
    assert (driven.state, driven.breaker.measured().slow_rate) == (CLOSED, 0.0)


@pytest.mark.case(3)
def test_no_rate_below_the_minimum_volume() -> None:
    """Below the minimum volume there is no rate, and nothing opens by one; at it there is."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, minimum_calls=20)
    driven.call(*[F] * 19)
    before = driven.breaker.measured()
    driven.breaker.release(driven.permit(), S)
    after = driven.breaker.measured()
    assert (before, after, driven.state) == (
        Measured(calls=19, failure_rate=None, slow_rate=None),
        Measured(calls=20, failure_rate=0.95, slow_rate=None),
        CLOSED,
    )


def test_only_a_call_that_went_wrong_opens() -> None:
    """A quick success that completes the minimum volume opens nothing; the failure after it does, if the rate holds."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, minimum_calls=4, slow_rate=0.5, slow_s=1)
    driven.call(F, F, F, S)
    before = driven.state
    driven.call(F)
    assert (before, driven.state, driven.told[-1].why) == (CLOSED, OPEN, "failure_rate")


@pytest.mark.case(28)
def test_fourteen_of_twenty_three() -> None:
    """Fourteen failures of twenty-three calls pass a rate of 0.6, and thirteen of twenty-two do not."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, failure_rate=0.6, minimum_calls=20)
    driven.call(*[S] * 9, *[F] * 13)
    before = driven.state
    driven.call(F)
    assert (before, driven.state) == (CLOSED, OPEN)


@pytest.mark.case(28)
def test_old_calls_leave_one_bucket_at_a_time() -> None:
    """Each second's calls leave the rate when they are ten seconds old, and no sooner."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, minimum_calls=1, failure_rate=1)
    driven.call(S, S)
    driven.clock.advance(1)
    driven.call(F)
    seen = []
    for seconds in (8.999, 0.001, 0.999, 0.001):
        driven.clock.advance(seconds)
        seen.append(driven.breaker.measured().calls)
    assert seen == [3, 1, 1, 0]


@pytest.mark.case(29)
def test_neutral_calls_are_let_through_and_not_rated() -> None:
    """A call that says nothing counts among those let through, and not in the rate's denominator."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, minimum_calls=4)
    driven.call(N, N, N, Outcome.BACK_OFF, S, F)
    measured = driven.breaker.measured()
    driven.call(F, F)
    assert (driven.breaker.permitted_count, measured.calls, driven.state) == (8, 2, OPEN)


def test_half_of_twenty_opens_as_shipped() -> None:
    """Without a setting, half of twenty calls that fail open a breaker that never saw two failures in a row."""
    driven = made()
    driven.call(*[S, F] * 9, S)
    before = driven.state
    driven.call(F)
    assert (before, driven.state, driven.told[-1].why) == (CLOSED, OPEN, "failure_rate")


def test_rate_of_zero_looks_at_none() -> None:
    """Without rates no call is counted over time and none is timed; with a slow rate alone no failure rate opens."""
    without, slow_alone = (
        made(consecutive_failures=NEVER_IN_A_ROW, failure_rate=0, slow_rate=rate, minimum_calls=2) for rate in (0, 0.5)
    )
    for driven in (without, slow_alone):
        driven.call(*[F] * 9)
    assert (without.state, slow_alone.state) == (CLOSED, CLOSED)
    assert (without.breaker.measured(), slow_alone.breaker.measured()) == (
        Measured(calls=0, failure_rate=None, slow_rate=None),
        Measured(calls=9, failure_rate=1.0, slow_rate=0.0),
    )
    assert (without.breaker.times_calls, slow_alone.breaker.times_calls) == (False, True)


def test_slow_rate_of_zero_calls_nothing_slow() -> None:
    """Without a slow rate a call may take as long as it likes, as a success and as a probe."""
    driven = made(minimum_calls=1, failure_rate=0.5)
    driven.call(*[S] * 30, took_s=1e9)
    driven.call(F, F, F)
    driven.clock.advance(60)
    driven.call(S, took_s=1e9)
    assert driven.state is CLOSED


@pytest.mark.case("deadline below slow")
def test_deadline_below_the_slow_threshold() -> None:
    """Where calls run out of time before they count as slow, they open by failing, and the slow rate stays 0."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, slow_rate=0.1, slow_s=5, minimum_calls=4, enforced=False)
    driven.call(F, F, F, F, took_s=1.0)
    assert (driven.breaker.measured().slow_rate, driven.told[-1].why) == (0.0, "failure_rate")


@pytest.mark.case("clock jump")
def test_clock_that_jumps() -> None:
    """A jump ahead empties the window; a clock that is set back loses no call and counts on."""
    driven = made(consecutive_failures=NEVER_IN_A_ROW, minimum_calls=3)
    driven.call(F, F)
    driven.clock.advance(1e6)
    emptied = driven.breaker.measured().calls
    driven.call(F)
    driven.clock.advance(-500_000)
    driven.call(F)
    kept = driven.breaker.measured().calls
    driven.call(F)
    assert (emptied, kept, driven.state) == (0, 2, OPEN)
