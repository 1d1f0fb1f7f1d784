"""How fast a job goes."""

from mesh.testing import FakeClock
from services.warmer.rate import WINDOW_S, Rate


def steps(rate: Rate, clock: FakeClock, *, count: int, each: int = 1, every_s: float = 1.0, settled: int = 0) -> int:
    """Settles some each second; how many are settled then."""
    for _ in range(count):
        clock.advance(every_s)
        settled += each
        rate.note(settled)
    return settled


def test_unknown_is_nothing() -> None:
    """Before anything is known, and in the first moment, there is no rate."""
    rate = Rate(FakeClock())
    rate.note(5)
    assert rate.per_second() == 0.0


def test_even_pace() -> None:
    """Three a second are three a second."""
    clock = FakeClock()
    rate = Rate(clock)
    rate.note(0)
    steps(rate, clock, count=30, each=3)
    assert rate.per_second() == 3.0


def test_what_was_settled_before_does_not_count() -> None:
    """A job that goes on does not claim what an earlier process did."""
    clock = FakeClock()
    rate = Rate(clock)
    rate.note(1_000)
    steps(rate, clock, count=5, settled=1_000)
    assert rate.per_second() == 1.0


def test_lately_forgets() -> None:
    """A faster pace shows after the window."""
    clock = FakeClock()
    rate = Rate(clock)
    rate.note(0)
    settled = steps(rate, clock, count=30)
    steps(rate, clock, count=int(WINDOW_S), each=10, settled=settled)
    assert rate.per_second() == 10.0


def test_a_burst_after_a_wait() -> None:
    """A thousand that come at once after a wait were as slow as the wait."""
    clock = FakeClock()
    rate = Rate(clock)
    rate.note(0)
    clock.advance(40)
    rate.note(1_000)
    assert rate.per_second() == 25.0


def test_standing_still_shows() -> None:
    """A job that settles nothing any more has no rate."""
    clock = FakeClock()
    rate = Rate(clock)
    rate.note(0)
    steps(rate, clock, count=5)
    clock.advance(WINDOW_S)
    assert rate.per_second() == 0.0


def test_notes_do_not_pile_up() -> None:
    """Thousands of notes in one second take no more room than a few."""
    clock = FakeClock()
    rate = Rate(clock)
    rate.note(0)
    steps(rate, clock, count=10_000, every_s=0.001)
    assert (len(rate._notes) < 120, round(rate.per_second())) == (True, 1_000)
