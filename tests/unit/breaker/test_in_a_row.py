"""Failures in a row: what counts, what resets, and how many open a breaker."""

import pytest

from mesh.status import Outcome
from tests.unit.breaker.driving import CLOSED, DISABLED, OPEN, F, S, made


@pytest.mark.case(22)
def test_the_last_of_the_row_opens() -> None:
    """With six in a row set, the fifth failure leaves it closed and the sixth opens it."""
    driven = made(consecutive_failures=6, failure_rate=0)
    driven.call(F, F, F, F, F)
    before = driven.state
    driven.call(F)
    assert (before, driven.state, driven.told[-1].why) == (CLOSED, OPEN, "consecutive_failures")


@pytest.mark.case(22)
def test_a_success_between_resets() -> None:
    """A success between failures begins the row anew."""
    driven = made()
    driven.call(F, F, S, F, F)
    assert (driven.state, driven.breaker.consecutive_failures) == (CLOSED, 2)


def test_as_shipped_three_in_a_row_open_for_a_minute() -> None:
    """Without a setting the third failure in a row opens, and a probe may pass sixty seconds later."""
    driven = made()
    driven.call(F, F)
    before = driven.state
    driven.call(F)
    assert (before, driven.state, driven.breaker.retry_after_s()) == (CLOSED, OPEN, 60.0)


def test_none_in_a_row_counts_none() -> None:
    """With 0 in a row set and no rates, nothing opens it."""
    driven = made(consecutive_failures=0, failure_rate=0)
    driven.call(*[F] * 100)
    assert (driven.state, driven.told) == (CLOSED, [])


@pytest.mark.parametrize("outcome", [Outcome.NEUTRAL, Outcome.BACK_OFF])
def test_what_is_no_failure_neither_counts_nor_resets(outcome: Outcome) -> None:
    """A cancelled call, or a callee that asks for fewer, neither adds to the failures nor forgets them."""
    driven = made()
    driven.call(F, F, outcome)
    assert (driven.state, driven.breaker.consecutive_failures) == (CLOSED, 2)


def test_a_row_is_kept_while_open() -> None:
    """An open breaker still tells how many failures opened it."""
    driven = made()
    driven.call(F, F, F)
    assert driven.breaker.consecutive_failures == 3


def test_a_row_needs_no_speed() -> None:
    """Failures in a row count however far they lie apart, for a quiet callee is as dead as a busy one."""
    driven = made()
    for _ in range(3):
        driven.call(F)
        driven.clock.advance(3_600)
    assert driven.told[-1].why == "consecutive_failures"


def test_disabled_counts_no_row() -> None:
    """A disabled breaker counts no failure."""
    driven = made(enabled=False)
    driven.call(*[F] * 10)
    assert (driven.state, driven.breaker.consecutive_failures) == (DISABLED, 0)
