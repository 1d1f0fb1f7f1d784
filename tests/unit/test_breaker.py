"""The circuit breaker as a pure state machine on a clock that is moved by hand."""

from typing import Any

import pytest

from mesh.breaker import Breaker, BreakerState, Permit, Refusal
from mesh.breaker_settings import BreakerSettings
from mesh.status import Outcome
from mesh.testing import FakeClock


def made(**settings: Any) -> tuple[Breaker, FakeClock]:
    """A breaker and its clock."""
    clock = FakeClock()
    return Breaker(BreakerSettings(**settings), clock), clock


def call(breaker: Breaker, outcome: Outcome) -> None:
    """One call that is let through and ends."""
    permit = breaker.acquire()
    assert isinstance(permit, Permit)
    breaker.release(permit, outcome)


def opened() -> tuple[Breaker, FakeClock]:
    """A breaker that three failures have opened."""
    breaker, clock = made()
    for _ in range(3):
        call(breaker, Outcome.FAILURE)
    return breaker, clock


def test_two_failures_leave_it_closed() -> None:
    """One failure less than the setting leaves the breaker closed."""
    breaker, _ = made()
    call(breaker, Outcome.FAILURE)
    call(breaker, Outcome.FAILURE)
    assert breaker.state is BreakerState.CLOSED


def test_third_failure_in_a_row_opens() -> None:
    """As many failures in a row as the setting says open the breaker."""
    breaker, _ = opened()
    assert breaker.state is BreakerState.OPEN


def test_success_between_failures_resets() -> None:
    """A success between failures begins the count anew."""
    breaker, _ = made()
    for outcome in (Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE):
        call(breaker, outcome)
    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("outcome", [Outcome.NEUTRAL, Outcome.BACK_OFF])
def test_what_is_no_failure_neither_counts_nor_resets(outcome: Outcome) -> None:
    """A cancelled call, or a callee that asks for fewer, neither adds to the failures nor forgets them."""
    breaker, _ = made()
    for each in (Outcome.FAILURE, Outcome.FAILURE, outcome):
        call(breaker, each)
    assert (breaker.state, breaker.consecutive_failures) == (BreakerState.CLOSED, 2)


def test_open_refuses_and_says_until_when() -> None:
    """An open breaker refuses, counts it, and says when a probe may pass."""
    breaker, clock = opened()
    clock.advance(20)
    assert (breaker.acquire(), breaker.refused_count) == (Refusal(40.0), 1)


def test_just_before_the_time_is_over_it_refuses() -> None:
    """A millisecond before its time an open breaker still refuses."""
    breaker, clock = opened()
    clock.advance(59.999)
    assert isinstance(breaker.acquire(), Refusal)


def test_one_probe_when_the_time_is_over() -> None:
    """When its time is over one probe passes, and a second call is refused."""
    breaker, clock = opened()
    clock.advance(60)
    first, second = breaker.acquire(), breaker.acquire()
    assert (isinstance(first, Permit), isinstance(second, Refusal)) == (True, True)


def test_probe_that_succeeds_closes() -> None:
    """A probe that succeeds closes the breaker and forgets the failures."""
    breaker, clock = opened()
    clock.advance(60)
    call(breaker, Outcome.SUCCESS)
    assert (breaker.state, breaker.consecutive_failures) == (BreakerState.CLOSED, 0)


def test_each_opening_in_a_row_is_longer() -> None:
    """A probe that fails opens the breaker again for half as long once more, up to the longest time."""
    breaker, clock = opened()
    times = []
    for _ in range(8):
        clock.advance(breaker.retry_after_s())
        call(breaker, Outcome.FAILURE)
        times.append(breaker.retry_after_s())
    assert times == [90.0, 135.0, 202.5, 303.75, 455.625, 600.0, 600.0, 600.0]


def test_success_ends_the_growth() -> None:
    """After a probe that succeeds the next opening is as short as the first."""
    breaker, clock = opened()
    clock.advance(60)
    call(breaker, Outcome.FAILURE)
    clock.advance(90)
    call(breaker, Outcome.SUCCESS)
    for _ in range(3):
        call(breaker, Outcome.FAILURE)
    assert breaker.retry_after_s() == 60.0


def test_jitter_lengthens() -> None:
    """Chance lengthens an opening by at most its share, so that callers do not come back together."""
    breaker = Breaker(BreakerSettings(), FakeClock(), lambda: 0.5)
    for _ in range(3):
        call(breaker, Outcome.FAILURE)
    assert breaker.retry_after_s() == pytest.approx(63.0)


def test_failure_rate_opens() -> None:
    """Half of twenty calls that fail open a breaker that never saw three failures in a row."""
    breaker, _ = made()
    for _ in range(10):
        call(breaker, Outcome.SUCCESS)
        assert breaker.state is BreakerState.CLOSED
        call(breaker, Outcome.FAILURE)
    assert breaker.state is BreakerState.OPEN


def test_rate_means_nothing_below_the_minimum() -> None:
    """Nineteen calls are too few for a rate."""
    breaker, _ = made(consecutive_failures=0)
    for _ in range(19):
        call(breaker, Outcome.FAILURE)
    assert breaker.state is BreakerState.CLOSED


def test_old_calls_leave_the_rate() -> None:
    """Failures older than the window count no more."""
    breaker, clock = made(consecutive_failures=0)
    for _ in range(19):
        call(breaker, Outcome.FAILURE)
    clock.advance(10)
    for _ in range(19):
        call(breaker, Outcome.FAILURE)
    assert breaker.state is BreakerState.CLOSED


def test_slow_calls_open() -> None:
    """Slow successes open the breaker where the setting says that they do."""
    breaker, _ = made(slow_rate=0.6, slow_s=4, minimum_calls=5)
    for elapsed in (1.0, 4.0, 1.0, 4.0, 4.0):
        permit = breaker.acquire()
        assert isinstance(permit, Permit)
        breaker.release(permit, Outcome.SUCCESS, elapsed)
    assert breaker.state is BreakerState.OPEN


def test_all_probes_must_succeed() -> None:
    """As many probes pass as the setting says; all must succeed, and one success does not let a further call in."""
    breaker, clock = made(probes=3)
    for _ in range(3):
        call(breaker, Outcome.FAILURE)
    clock.advance(60)
    probes = [breaker.acquire() for _ in range(4)]
    states = []
    for permit in probes[:3]:
        assert isinstance(permit, Permit)
        breaker.release(permit, Outcome.SUCCESS)
        states.append(breaker.state)
    assert (isinstance(probes[3], Refusal), states) == (
        True,
        [BreakerState.HALF_OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED],
    )


def test_events_are_told_once() -> None:
    """Every move is told with its reason, and a breaker that only measures tells once that it would have opened."""
    told: list[tuple[str, str, str]] = []
    breaker = Breaker(
        BreakerSettings(), FakeClock(), tell=lambda event: told.append((event.old.value, event.new.value, event.why))
    )
    breaker.set(BreakerState.METRICS_ONLY)
    for _ in range(9):
        call(breaker, Outcome.FAILURE)
    assert told == [
        ("CLOSED", "METRICS_ONLY", "hand"),
        ("METRICS_ONLY", "METRICS_ONLY", "consecutive_failures"),
    ]


def test_cancelled_probe_frees_its_place() -> None:
    """A probe whose caller went away gives its place to the next call."""
    breaker, clock = opened()
    clock.advance(60)
    call(breaker, Outcome.NEUTRAL)
    assert (breaker.state, isinstance(breaker.acquire(), Permit)) == (BreakerState.HALF_OPEN, True)


def test_lost_probe_cannot_stick() -> None:
    """A probe that is never heard of again gives its place up when its lease is over."""
    breaker, clock = opened()
    clock.advance(60)
    breaker.acquire()
    clock.advance(30)
    assert isinstance(breaker.acquire(), Permit)


def test_late_result_of_an_older_generation_is_ignored() -> None:
    """A call that began before the breaker opened and succeeds after it does not close it."""
    breaker, clock = made()
    late = breaker.acquire()
    assert isinstance(late, Permit)
    for _ in range(3):
        call(breaker, Outcome.FAILURE)
    clock.advance(60)
    probe = breaker.acquire()
    breaker.release(late, Outcome.SUCCESS)
    assert (isinstance(probe, Permit), breaker.state) == (True, BreakerState.HALF_OPEN)


def test_forced_open_never_leaves_by_time() -> None:
    """A breaker that a person forced open stays so."""
    breaker, clock = made()
    breaker.set(BreakerState.FORCED_OPEN)
    clock.advance(1e6)
    assert (breaker.acquire(), breaker.state) == (Refusal(0.0), BreakerState.FORCED_OPEN)


def test_disabled_counts_nothing() -> None:
    """A disabled breaker lets everything pass and counts no failure."""
    breaker, _ = made(enabled=False)
    for _ in range(10):
        call(breaker, Outcome.FAILURE)
    assert (breaker.state, breaker.consecutive_failures) == (BreakerState.DISABLED, 0)


def test_metrics_only_counts_and_refuses_nothing() -> None:
    """A breaker that only measures counts failures and never opens."""
    breaker, _ = made()
    breaker.set(BreakerState.METRICS_ONLY)
    for _ in range(10):
        call(breaker, Outcome.FAILURE)
    assert (breaker.state, breaker.consecutive_failures) == (BreakerState.METRICS_ONLY, 10)


def test_set_closed_resets() -> None:
    """A person who closes an open breaker lets calls pass at once."""
    breaker, _ = opened()
    breaker.set(BreakerState.CLOSED)
    assert (isinstance(breaker.acquire(), Permit), breaker.consecutive_failures) == (True, 0)


@pytest.mark.parametrize("state", [BreakerState.OPEN, BreakerState.HALF_OPEN])
def test_open_and_half_open_are_not_for_hands(state: BreakerState) -> None:
    """OPEN and HALF_OPEN are reached by calls and time alone."""
    breaker, _ = made()
    with pytest.raises(ValueError, match="by hand"):
        breaker.set(state)


@pytest.mark.parametrize("settings", [{"consecutive_failures": -1}, {"open_s": 0}, {"probe_lease_s": -1}])
def test_settings_without_sense_are_refused(settings: dict[str, int]) -> None:
    """A breaker that could never open, or never close, can't be made."""
    with pytest.raises(ValueError, match="out of range"):
        made(**settings)
