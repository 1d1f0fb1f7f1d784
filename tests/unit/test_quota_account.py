from datetime import UTC, datetime
from typing import Any

import pytest

from mesh.quota.account import Account
from mesh.secrets import Secret


def account(**changed: Any) -> Account:
    """An account, with some of it changed."""
    said: dict[str, Any] = {
        "provider": "provider",
        "name": "Provider",
        "key": Secret("KEY", "canary-4711"),
        "calls_per_second": 2.0,
        "calls_per_day": 100,
    }
    return Account(**{**said, **changed})


def at(text: str) -> float:
    """Seconds since the epoch of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("value", ["canary-4711", " canary-4711\n"])
def test_one_key_is_one_account(value: str) -> None:
    """A key under two names, or with a space around it that no provider sees, is one account."""
    assert account(key=Secret("OTHER", value)).id == account().id


@pytest.mark.parametrize("changed", [{"key": Secret("KEY", "canary-4712")}, {"provider": "other"}, {"key": None}])
def test_other_accounts(changed: dict[str, Any]) -> None:
    """Another key is another account, and so is the same key of another provider, and no key."""
    assert account(**changed).id != account().id


def test_keyless() -> None:
    """A provider that asks for no key has one account."""
    assert account(key=None).id == "provider:keyless"


def test_nothing_tells_the_key() -> None:
    """Neither what an account is called nor how it is printed tells its key."""
    told = f"{account().id} {account()!r}"
    assert "canary" not in told


@pytest.mark.parametrize(
    ("zone", "now", "begins", "ends"),
    [
        ("UTC", "2026-07-01T12:00:00", "2026-07-01T00:00:00", "2026-07-02T00:00:00"),
        ("UTC", "2026-07-01T00:00:00", "2026-07-01T00:00:00", "2026-07-02T00:00:00"),
        ("America/Los_Angeles", "2026-07-01T06:59:59", "2026-06-30T07:00:00", "2026-07-01T07:00:00"),
        ("America/Los_Angeles", "2026-03-08T12:00:00", "2026-03-08T08:00:00", "2026-03-09T07:00:00"),
        ("America/Los_Angeles", "2026-11-01T12:00:00", "2026-11-01T07:00:00", "2026-11-02T08:00:00"),
        ("Asia/Tokyo", "2026-07-01T15:00:00", "2026-07-01T15:00:00", "2026-07-02T15:00:00"),
    ],
)
def test_day_is_the_providers(zone: str, now: str, begins: str, ends: str) -> None:
    """A day begins at the midnight of the provider's zone, and has 23 or 25 hours when clocks are changed."""
    assert account(zone=zone).day(at(now)) == (at(begins), at(ends))


@pytest.mark.parametrize(
    ("calls_per_day", "live_reserve", "expected"),
    [
        (100, 0.1, (100, 90)),
        (30, 0.1, (30, 27)),
        (1, 0.1, (1, 1)),
        (100, 0.0, (100, 100)),
        (100, 1.0, (100, 0)),
        (0, 0.1, (None, None)),
    ],
)
def test_what_a_day_holds(calls_per_day: int, live_reserve: float, expected: tuple[int | None, int | None]) -> None:
    """Batch work may make what the reserve leaves; without a limit neither has one."""
    of = account(calls_per_day=calls_per_day, live_reserve=live_reserve)
    assert expected == (of.allows(batch=False), of.allows(batch=True))


@pytest.mark.parametrize(
    "changed",
    [
        {"calls_per_second": -1.0},
        {"calls_per_second": float("inf")},
        {"calls_per_second": float("nan")},
        {"calls_per_day": -1},
        {"burst": 0},
        {"live_reserve": -0.1},
        {"live_reserve": 1.1},
    ],
)
def test_figures_that_make_no_sense(changed: dict[str, Any]) -> None:
    """A figure that nothing can be counted by is refused, and the refusal names the provider."""
    with pytest.raises(ValueError, match="provider"):
        account(**changed)


def test_unknown_zone() -> None:
    """A zone that nobody knows is refused when the account is made, not at midnight."""
    with pytest.raises(ValueError, match="Mars/Olympus"):
        account(zone="Mars/Olympus")
