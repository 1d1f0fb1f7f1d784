"""How fast a job goes."""

from dataclasses import replace

import pytest

from services.warmer.jobs.job import Job, Speed, State
from services.warmer.jobs.outcome import Tally
from services.warmer.jobs.rate import FORGET_S, STEP_S, per_second, remaining_ms

RUNNING = Job(id="j", state=State.RUNNING, create_time=0.0, update_time=0.0)


def at(settled: int, speed: Speed, now: float) -> float:
    """The rate of a job that has settled so many."""
    return per_second(replace(RUNNING, tally=Tally(warmed=settled), speed=speed), now)


def test_unknown_is_nothing() -> None:
    """Before anything was reckoned there is no rate."""
    assert at(5, Speed(), 100.0) == 0.0


def test_what_was_reckoned_is_told() -> None:
    """A reckoning that is not old is the rate."""
    assert at(10, Speed(per_second=3.0, settled=10, time=100.0), 100.0 + STEP_S) == 3.0


def test_the_first_seconds() -> None:
    """Where there is a beginning and no reckoning yet, the rate is what came since."""
    assert at(6, Speed(settled=0, time=100.0), 103.0) == 2.0


def test_standing_still_shows() -> None:
    """A job that settles nothing any more has no rate, however fast it was."""
    assert at(10, Speed(per_second=50.0, settled=10, time=100.0), 100.0 + FORGET_S) == 0.0


@pytest.mark.parametrize("state", sorted(set(State) - {State.RUNNING}, key=str))
def test_only_what_runs_has_a_rate(state: State) -> None:
    """A job that is not at work has no rate."""
    assert per_second(replace(RUNNING, state=state, speed=Speed(per_second=3.0, time=99.0)), 100.0) == 0.0


@pytest.mark.parametrize(("left", "speed", "expected"), [(0, 0.0, 0), (10, 0.0, -1), (10, 4.0, 2_500)])
def test_remaining(left: int, speed: float, expected: int) -> None:
    """The time left is what is left at the rate; unknown without one, and none when nothing is left."""
    assert expected == remaining_ms(left, speed)
