"""Outcomes that come late: a call belongs to the state that it began in."""

import pytest

from tests.unit.breaker.driving import CLOSED, DISABLED, HALF_OPEN, METRICS_ONLY, OPEN, F, S, half_opened, made, opened


@pytest.mark.case(26)
def test_late_success_closes_nothing() -> None:
    """A call from before it opened that succeeds while a probe is out does not close it."""
    driven = made()
    late = driven.permit()
    driven.call(F, F, F)
    driven.clock.advance(60)
    probe = driven.permit()
    driven.release([late], S)
    before = driven.state
    driven.release([probe], S)
    assert (before, driven.state) == (HALF_OPEN, CLOSED)


@pytest.mark.case(26)
def test_late_failure_opens_nothing() -> None:
    """Calls from before it opened that fail after it closed again are no failures of the callee that is well now."""
    driven = made()
    late = driven.permits(10)
    driven.call(F, F, F)
    driven.clock.advance(60)
    driven.call(S)
    driven.release(late, F)
    assert (driven.state, driven.breaker.consecutive_failures, driven.breaker.measured().calls) == (CLOSED, 0, 0)


@pytest.mark.case(26)
def test_late_probe_of_an_earlier_half_open() -> None:
    """A probe of the time before, even with the number of one that is out now, decides nothing."""
    driven = half_opened(probes=2)
    first, second = driven.permits(2)
    driven.release([first], F)
    driven.clock.advance(90)
    driven.permits(2)
    driven.release([second], F)
    assert driven.state is HALF_OPEN


@pytest.mark.case(26)
def test_calls_that_were_under_way_do_not_prolong_an_opening() -> None:
    """What fails after it opened neither counts nor makes the opening longer."""
    driven = made()
    late = driven.permits(5)
    driven.call(F, F, F)
    driven.clock.advance(10)
    driven.release(late, F)
    assert (driven.breaker.retry_after_s(), driven.breaker.consecutive_failures, len(driven.told)) == (50.0, 3, 1)


@pytest.mark.case(26)
def test_moves_by_hand_begin_a_generation_too() -> None:
    """A call from before a person closed the breaker counts for nothing after."""
    driven = made()
    late = driven.permits(3)
    driven.breaker.set(CLOSED)
    driven.release(late, F)
    assert (driven.state, driven.breaker.consecutive_failures) == (CLOSED, 0)


@pytest.mark.case(26)
def test_call_from_a_disabled_breaker() -> None:
    """A call that began while it was disabled counts for nothing once it measures."""
    driven = made(enabled=False)
    late = driven.permit()
    driven.breaker.set(METRICS_ONLY)
    driven.release([late], F)
    assert driven.breaker.consecutive_failures == 0


def test_probe_that_ends_after_a_person_disabled_the_breaker() -> None:
    """What a person decided stands."""
    driven = half_opened()
    probe = driven.permit()
    driven.breaker.set(DISABLED)
    driven.release([probe], F)
    assert driven.state is DISABLED


def test_window_of_the_time_before_is_gone() -> None:
    """Failures that opened it once do not open it a second time."""
    driven = opened(minimum_calls=3)
    driven.clock.advance(60)
    driven.call(S)
    driven.call(F)
    assert (driven.state, OPEN in {event.new for event in driven.told[2:]}) == (CLOSED, False)
