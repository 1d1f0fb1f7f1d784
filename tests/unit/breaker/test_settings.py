"""Settings under which a breaker would make no sense."""

import math
from typing import Any

import pytest

from mesh.config.breaker_settings import DURATIONS, BreakerSettings


@pytest.mark.case(20)
@pytest.mark.case(31)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in DURATIONS for value in (0, -1, math.inf, math.nan)),
        *((name, value) for name in ("buckets", "minimum_calls", "probes") for value in (0, -1)),
        *((name, value) for name in ("failure_rate", "slow_rate", "jitter") for value in (-0.1, 1.1, math.nan)),
        ("consecutive_failures", -1),
        *(("growth", value) for value in (0.99, 10.01, math.nan)),
    ],
)
def test_settings_without_sense_are_refused(name: str, value: Any) -> None:
    """What is out of range is refused by its name; nothing is silently replaced by a default."""
    with pytest.raises(ValueError, match=f"^out of range: {name}$"):
        BreakerSettings(**{name: value})


def test_all_faults_are_named_at_once() -> None:
    """A person sees all that is to be mended."""
    with pytest.raises(ValueError, match=r"^out of range: open_s, probes, jitter, consecutive_failures, growth$"):
        BreakerSettings(open_s=0, probes=0, jitter=2, consecutive_failures=-1, growth=11)


@pytest.mark.case(20)
@pytest.mark.parametrize(
    "settings",
    [
        {"consecutive_failures": 0, "failure_rate": 0},
        {"failure_rate": 1, "slow_rate": 1, "jitter": 1},
        {"growth": 1},
        {"growth": 10},
        {"buckets": 1, "minimum_calls": 1, "probes": 1},
        {"minimum_calls": 1_000_000, "window_s": 0.001},
    ],
)
def test_the_ends_of_each_range_are_settings(settings: dict[str, Any]) -> None:
    """The ends belong to the ranges, and a time window sets no bound to the minimum volume."""
    made = BreakerSettings(**settings)
    assert {name: getattr(made, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("failure_rate", "slow_rate", "expected"), [(0, 0, False), (0.1, 0, True), (0, 0.1, True), (1, 1, True)]
)
def test_whether_calls_are_counted_over_time(failure_rate: float, slow_rate: float, *, expected: bool) -> None:
    """Either rate needs the window."""
    assert BreakerSettings(failure_rate=failure_rate, slow_rate=slow_rate).has_rates is expected
