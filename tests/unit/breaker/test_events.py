"""What a breaker tells of itself: every move, after it, with its reason and its time."""

import pytest

from mesh.breaker import Breaker, Event
from mesh.config.breaker_settings import BreakerSettings
from mesh.testing import FakeClock
from tests.unit.breaker.driving import CLOSED, FORCED_OPEN, HALF_OPEN, METRICS_ONLY, OPEN, F, S, made


@pytest.mark.case(41)
def test_a_life_is_told_in_order() -> None:
    """Nothing is told when it is made; then every move, in order, and no call."""
    driven = made()
    before = driven.breaker.last_event
    driven.call(S, F, F, F)
    driven.clock.advance(60)
    driven.call(F)
    driven.clock.advance(90)
    driven.call(S)
    driven.breaker.set(FORCED_OPEN)
    assert (before, driven.moves()) == (
        None,
        [
            ("CLOSED", "OPEN", "consecutive_failures"),
            ("OPEN", "HALF_OPEN", "time"),
            ("HALF_OPEN", "OPEN", "probe"),
            ("OPEN", "HALF_OPEN", "time"),
            ("HALF_OPEN", "CLOSED", "probe"),
            ("CLOSED", "FORCED_OPEN", "hand"),
        ],
    )


@pytest.mark.case(41)
def test_listener_hears_after_the_move() -> None:
    """Who listens finds the breaker where the event says that it is, with the time it stays so."""
    heard: list[tuple[object, float, int]] = []
    breaker = Breaker(
        BreakerSettings(consecutive_failures=1),
        FakeClock(),
        tell=lambda event: heard.append((event.new, breaker.retry_after_s(), breaker.consecutive_failures)),
    )
    permit = breaker.acquire()
    breaker.release(permit, F)  # type: ignore[arg-type]  # a closed breaker gives leave
    assert heard == [(OPEN, 60.0, 1)]


def test_last_event_has_its_time() -> None:
    """The last event and the time of the last change are kept for whoever asks."""
    driven = made()
    driven.clock.advance(5)
    driven.call(F, F, F)
    opened_at = driven.clock.now
    driven.clock.advance(2)
    assert driven.breaker.last_event == Event(at=opened_at, old=CLOSED, new=OPEN, why="consecutive_failures")
    assert (driven.breaker.changed_at, driven.told[-1]) == (opened_at, driven.breaker.last_event)


def test_what_would_have_opened_is_no_change() -> None:
    """A breaker that only measures has its event's time, and the time of its change is that of the hand."""
    driven = made(enforced=False)
    made_at = driven.clock.now
    driven.clock.advance(5)
    driven.call(F, F, F)
    expected = Event(at=made_at + 5, old=METRICS_ONLY, new=METRICS_ONLY, why="consecutive_failures")
    assert (driven.breaker.last_event, driven.breaker.changed_at) == (expected, made_at)


def test_half_open_is_told_by_the_call_that_finds_it() -> None:
    """Time alone moves nothing: the first call after it does, and the event has that call's time."""
    driven = made()
    driven.call(F, F, F)
    driven.clock.advance(1_000)
    silent = len(driven.told)
    driven.permit()
    assert (silent, driven.told[-1]) == (1, Event(at=driven.clock.now, old=OPEN, new=HALF_OPEN, why="time"))


def test_without_a_listener() -> None:
    """A breaker that nobody listens to, and that has no chance, works all the same."""
    breaker = Breaker(BreakerSettings(consecutive_failures=1), FakeClock())
    breaker.release(breaker.acquire(), F)  # type: ignore[arg-type]  # a closed breaker gives leave
    assert (breaker.state, breaker.retry_after_s()) == (OPEN, 60.0)
