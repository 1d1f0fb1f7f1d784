import pytest

from mesh.quota.account import Account
from mesh.quota.key_ring import REFUSED_S, KeyRing
from mesh.quota.ledger import LocalLedger
from mesh.secrets import Secret
from mesh.status import ResourceExhaustedError
from mesh.testing import FakeClock

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z, which is 04:00 in Los Angeles."""


def account(key: str, *, per_s: float = 0.0, per_day: int = 1, zone: str = "UTC") -> Account:
    """An account of one of several keys."""
    return Account(
        provider="provider",
        name="Provider",
        key=Secret(key, key),
        calls_per_second=per_s,
        calls_per_day=per_day,
        live_reserve=0.0,
        zone=zone,
    )


class Stage:
    """A ring on a clock that is moved by hand."""

    def __init__(self, *accounts: Account) -> None:
        self.clock = FakeClock(NOON)
        self.ledger = LocalLedger(clock=self.clock, monotonic=self.clock)
        self.ring = KeyRing(accounts, self.ledger, clock=self.clock)
        self.accounts = accounts

    async def call(self, *, left_s: float = 1.0) -> int:
        """Makes a call; which account it went out with, from 0."""
        return self.accounts.index(await self.ring.take(left_s=left_s, batch=False))


async def test_first_key_is_used_until_it_is_spent() -> None:
    """Keys are used in order, each until its day is spent."""
    stage = Stage(account("a", per_day=2), account("b", per_day=1))
    assert [await stage.call() for _ in range(3)] == [0, 0, 1]


async def test_first_key_comes_back_with_its_day() -> None:
    """After the reset the first key is used again."""
    stage = Stage(account("a"), account("b"))
    used = [await stage.call(), await stage.call()]
    stage.clock.advance(43_200)
    assert [*used, await stage.call()] == [0, 1, 0]


async def test_all_spent() -> None:
    """When the days of all keys are spent the error tells the earliest reset."""
    stage = Stage(account("a"), account("b", zone="America/Los_Angeles"))
    for _ in range(2):
        await stage.call()
    with pytest.raises(ResourceExhaustedError) as caught:
        await stage.call()
    assert (caught.value.reason, caught.value.metadata["reset_time"]) == ("QUOTA_SPENT", "2026-01-02T00:00:00Z")


async def test_call_that_can_not_wait_for_the_first_key() -> None:
    """A call that would be too late with one key goes out with another."""
    stage = Stage(account("a", per_s=0.1, per_day=0), account("b", per_s=0.1, per_day=0))
    assert [await stage.call(), await stage.call()] == [0, 1]


async def test_too_fast_is_told_rather_than_spent() -> None:
    """Where one key is only too fast it is that which is told, with its shorter wait."""
    stage = Stage(account("a"), account("b", per_s=0.1, per_day=0))
    for _ in range(2):
        await stage.call()
    with pytest.raises(ResourceExhaustedError) as caught:
        await stage.call()
    assert (caught.value.reason, caught.value.retry_after_s) == ("PROVIDER_RATE_LIMITED", 10.0)


async def test_refused_key_is_passed_over_for_a_while() -> None:
    """A key that the provider refuses is not used while there is another, and is tried again later."""
    stage = Stage(account("a", per_day=0), account("b", per_day=0))
    stage.ring.refuse(stage.accounts[0])
    used = [await stage.call()]
    stage.clock.advance(REFUSED_S)
    assert [*used, await stage.call()] == [1, 0]


async def test_refused_key_is_no_way_out_of_a_spent_day() -> None:
    """When the only key that is not refused is spent the quota is what is told."""
    stage = Stage(account("a", per_day=0), account("b"))
    stage.ring.refuse(stage.accounts[0])
    await stage.call()
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await stage.call()


async def test_all_refused() -> None:
    """While every key is refused the first is tried, so that the provider itself is heard."""
    stage = Stage(account("a", per_day=0), account("b", per_day=0))
    for refused in stage.accounts:
        stage.ring.refuse(refused)
    assert (stage.ring.usable(), await stage.call()) == ((), 0)


def test_one_key_counts_once() -> None:
    """A key that is there twice is one account, at its first place."""
    ring = KeyRing([account("a"), account("b"), account("a")], LocalLedger(), clock=FakeClock())
    assert [each.key for each in ring.accounts] == [Secret("a", "a"), Secret("b", "b")]


def test_no_key() -> None:
    """A ring without a key is a mistake that shows at once."""
    with pytest.raises(ValueError, match="account"):
        KeyRing([], LocalLedger(), clock=FakeClock())
