import pytest

from mesh.status import ResourceExhaustedError
from mesh.testing import FakeClock
from services.isbndb.quota import Quota

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""


def spend(quota: Quota, calls: int) -> None:
    """Counts some calls."""
    for _ in range(calls):
        quota.take()


def test_counts_by_day_and_process() -> None:
    """At midnight of UTC the day's count begins anew, and the process's goes on."""
    clock = FakeClock(NOON)
    quota = Quota(10, clock)
    spend(quota, 3)
    clock.advance(12 * 3600)
    before = quota.used
    spend(quota, 2)
    assert (before, quota.used, quota.call_count) == (0, 2, 5)


def test_reset_time() -> None:
    """The day ends at the next midnight of UTC."""
    assert Quota(10, FakeClock(NOON)).reset_at() == NOON + 12 * 3600


def test_spent_quota_refuses() -> None:
    """When the day's calls are used up, the next is refused with the time of the reset, and is not counted."""
    quota = Quota(2, FakeClock(NOON))
    spend(quota, 2)
    with pytest.raises(ResourceExhaustedError) as caught:
        quota.take()
    error = caught.value
    assert (
        error.reason,
        error.metadata,
        error.retry_after_s,
        quota.used,
    ) == ("QUOTA_SPENT", {"provider": "isbndb", "reset_time": "2026-01-02T00:00:00Z"}, 43_200.0, 2)


def test_reset_allows_again() -> None:
    """A spent quota is whole again after midnight."""
    clock = FakeClock(NOON)
    quota = Quota(1, clock)
    spend(quota, 1)
    clock.advance(12 * 3600)
    assert not quota.spent


def test_no_limit() -> None:
    """A plan without a daily limit is never spent."""
    quota = Quota(0, FakeClock(NOON))
    spend(quota, 1_000)
    assert not quota.spent
