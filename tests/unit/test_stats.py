"""Counting calls: how many, how they ended, how long they took."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.introspection import dashboard
from mesh.stats import Histogram, Series, Stats
from mesh.status import DeadlineExceededError, UnavailableError


@given(st.lists(st.floats(min_value=2e-6, max_value=3600), min_size=1, max_size=200), st.floats(0.01, 1))
def test_quantiles_are_near(durations: list[float], share: float) -> None:
    """A quantile is within a tenth of the duration that it stands for."""
    histogram = Histogram()
    for duration in durations:
        histogram.record(duration)
    exact = sorted(durations)[max(0, math.ceil(share * len(durations)) - 1)]
    assert histogram.quantile_s(share) == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("seconds", [0.0, 1e-12, 1e9])
def test_any_duration_can_be_recorded(seconds: float) -> None:
    """Durations outside of the buckets are counted in the nearest."""
    histogram = Histogram()
    histogram.record(seconds)
    assert (histogram.count, histogram.max_s) == (1, seconds)


def test_before_the_first_all_is_zero() -> None:
    """A series without calls says zero, not nonsense."""
    histogram = Histogram()
    assert (histogram.mean_s(), histogram.quantile_s(0.99), histogram.max_s) == (0, 0, 0)


def test_series_counts_by_outcome() -> None:
    """Calls are counted by how they ended, refusals of the breaker apart."""
    series = Series("/x", active=4)
    series.ended(0.1, None)
    series.ended(0.1, UnavailableError("CIRCUIT_OPEN", "open"))
    series.ended(0.1, UnavailableError("SERVICE_UNREACHABLE", "gone"))
    series.ended(0.1, DeadlineExceededError("DEADLINE_EXCEEDED", "late"))
    assert (series.call_count, series.failure_count, series.timeout_count, series.circuit_open, series.active) == (
        4,
        3,
        1,
        1,
        0,
    )


def test_dashboard_adds_up_under_the_original_names() -> None:
    """The metric names of the original dashboard get their values from the counted calls."""
    stats = Stats()
    for error in (None, None, None, UnavailableError("CIRCUIT_OPEN", "open")):
        series = stats.called("ISBNDB_WORKER", "isbndb", "/x")
        series.active += 1
        series.ended(0.01, error)
    assert dict(dashboard(stats.all_bindings())) == pytest.approx(
        {
            "service_binding_calls_total": 4,
            "service_binding_calls_successful": 3,
            "service_binding_calls_failed": 1,
            "service_binding_avg_response_time": 10,
            "binding_failure_rate": 0.25,
            "binding_timeout_rate": 0,
            "circuit_breaker_trips": 1,
            "isbndb_worker_calls": 4,
        }
    )


def test_a_series_without_calls_is_not_reported() -> None:
    """A method that nobody has called yet takes no line in a report."""
    stats = Stats()
    stats.served("/never")
    assert stats.all_served() == []
