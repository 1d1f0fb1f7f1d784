"""What a key may do in a second and in a day."""

import dataclasses
from datetime import datetime

import pytest

from sandbox.limits import PLANS, Limits, Meter, Verdict, pacific_day

DAY_S = 86_400.0


class Clock:
    """A clock that stands until it is put on."""

    def __init__(self, now: float = 20_000 * DAY_S) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time that it shows."""
        return self.now


@pytest.mark.parametrize(
    ("plan", "burst"), [("basic", 1), ("trial", 1), ("premium", 3), ("pro", 5), ("enterprise", 10)]
)
def test_a_plan_lets_its_calls_of_one_second_through(plan: str, burst: int) -> None:
    """At one instant as many calls pass as the plan has per second, and the next does not."""
    meter = Meter(PLANS[plan], Clock())
    assert [Verdict.ADMITTED] * burst + [Verdict.TOO_FAST] == [meter.admit() for _ in range(burst + 1)]


def test_even_calls_at_the_rate_all_pass() -> None:
    """A client that keeps exactly to the rate is never refused, however long it calls."""
    clock = Clock()
    meter = Meter(PLANS["premium"], clock)
    verdicts = []
    for _ in range(3000):
        verdicts.append(meter.admit())
        clock.now += 1 / 3
    assert {Verdict.ADMITTED} == set(verdicts)


def test_calls_faster_than_the_rate_pass_at_the_rate() -> None:
    """Ten calls a second on a plan of one get one a second, after the first that was in store."""
    clock = Clock()
    meter = Meter(PLANS["basic"], clock)
    verdicts = []
    for _ in range(100):
        verdicts.append(meter.admit())
        clock.now += 0.1
    assert verdicts.count(Verdict.ADMITTED) == 10


def test_a_clock_set_back_gives_no_calls() -> None:
    """Time that runs backwards fills nothing."""
    clock = Clock()
    meter = Meter(PLANS["basic"], clock)
    meter.admit()
    clock.now -= 60
    assert Verdict.TOO_FAST is meter.admit()


def test_the_day_is_spent_by_admitted_calls_only() -> None:
    """Refused calls are not billed: after one admitted call the rest of the day's two is one."""
    clock = Clock()
    meter = Meter(dataclasses.replace(PLANS["basic"], per_day=2), clock)
    meter.admit()
    meter.admit()
    assert (meter.spent, meter.left) == (1, 1)


def test_a_spent_day_refuses_everything() -> None:
    """When the day's calls are gone, time within the day brings none back."""
    clock = Clock()
    meter = Meter(dataclasses.replace(PLANS["basic"], per_second=0, per_day=2), clock)
    meter.admit()
    meter.admit()
    clock.now += 3600
    assert Verdict.SPENT is meter.admit()


def test_a_new_day_of_utc_starts_anew() -> None:
    """What was spent before midnight of UTC does not count after it."""
    clock = Clock(20_000 * DAY_S - 1)
    meter = Meter(dataclasses.replace(PLANS["basic"], per_day=1), clock)
    meter.admit()
    clock.now += 2
    assert Verdict.ADMITTED is meter.admit()


@pytest.mark.parametrize(
    ("before", "after"),
    [("2026-01-15T07:59:59Z", "2026-01-15T08:00:00Z"), ("2026-07-15T06:59:59Z", "2026-07-15T07:00:00Z")],
)
def test_googles_day_turns_at_midnight_pacific_time(before: str, after: str) -> None:
    """Eight hours behind UTC in winter, seven in summer: a second earlier the day is still spent."""
    clock = Clock(datetime.fromisoformat(before).timestamp() - 3600)
    meter = Meter(Limits(per_day=1), clock, pacific_day)
    verdicts = [meter.admit()]
    for time in (before, after):
        clock.now = datetime.fromisoformat(time).timestamp()
        verdicts.append(meter.admit())
    assert verdicts == [Verdict.ADMITTED, Verdict.SPENT, Verdict.ADMITTED]


def test_no_limits_mean_no_refusal() -> None:
    """Zero per second and per day let everything through."""
    meter = Meter(dataclasses.replace(PLANS["basic"], per_second=0, per_day=0), Clock())
    assert {Verdict.ADMITTED} == {meter.admit() for _ in range(1000)}


def test_a_charge_is_billed_beside_the_call() -> None:
    """A bulk look-up under a tariff by ISBN costs what it asks for."""
    meter = Meter(PLANS["premium"], Clock())
    meter.admit()
    meter.charge(99)
    assert meter.spent == 100
