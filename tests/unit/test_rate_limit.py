"""How many calls a second a caller may make."""

import pytest

from mesh.rate_limit import RateLimit
from mesh.testing import FakeClock


def test_burst_then_rate() -> None:
    """A caller may make its burst at once, and then one call for each that has grown back."""
    clock = FakeClock()
    limit = RateLimit(per_s=10, burst=3, clock=clock)
    assert [limit.take("a") for _ in range(3)] == [0, 0, 0]
    assert limit.take("a") == pytest.approx(0.1)
    clock.advance(0.1)
    assert (limit.take("a"), limit.take("a") > 0) == (0, True)


def test_callers_do_not_share() -> None:
    """What one caller spends is nobody else's."""
    limit = RateLimit(per_s=1, burst=1, clock=FakeClock())
    assert [limit.take("a"), limit.take("b")] == [0, 0]


def test_bucket_is_never_fuller_than_full() -> None:
    """A caller that was silent for a year may make its burst, and no more."""
    clock = FakeClock()
    limit = RateLimit(per_s=1_000, burst=2, clock=clock)
    limit.take("a")
    clock.advance(3e7)
    assert [limit.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_callers_are_bounded() -> None:
    """However many callers there are, only some are remembered."""
    limit = RateLimit(per_s=1, burst=1, clock=FakeClock())
    for number in range(5_000):
        limit.take(str(number))
    assert len(limit._buckets) <= 1_000
