import asyncio

import pytest

from mesh.quota.account import Account
from mesh.quota.ledger import LocalLedger, Usage
from mesh.secrets import Secret
from mesh.status import ResourceExhaustedError
from mesh.testing import FakeClock

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

HALF_DAY_S = 43_200.0


def account(*, per_s: float = 2.0, burst: int = 1, per_day: int = 0, reserve: float = 0.1) -> Account:
    """An account of a provider that is not there."""
    return Account(
        provider="provider",
        name="Provider",
        key=Secret("KEY", "canary-4711"),
        calls_per_second=per_s,
        burst=burst,
        calls_per_day=per_day,
        live_reserve=reserve,
    )


class Stage:
    """A ledger on a clock that moves when everybody waits for it."""

    def __init__(self, of: Account) -> None:
        self.account = of
        self.clock = FakeClock(NOON)
        self.ledger = LocalLedger(clock=self.clock, monotonic=self.clock, sleep=self.sleep)
        self.starts: list[tuple[str, float]] = []

    async def sleep(self, seconds: float) -> None:
        """Lets everyone else come to rest, then moves the clock."""
        for _ in range(10):
            await asyncio.sleep(0)
        self.clock.advance(seconds)

    async def call(self, name: str, *, left_s: float = 60.0, batch: bool = False) -> None:
        """Waits for a turn and notes when it began."""
        await self.ledger.take(self.account, batch=batch, left_s=left_s)
        self.starts.append((name, round(self.clock() - NOON, 6)))

    async def spend(self, calls: int) -> None:
        """Makes some calls."""
        for _ in range(calls):
            await self.ledger.take(self.account, batch=False, left_s=60.0)

    async def used(self) -> int:
        """Calls of the day."""
        return (await self.ledger.usage(self.account)).day_used


async def test_starts_are_apart() -> None:
    """Calls that come together begin one interval after another, in the order in which they came."""
    stage = Stage(account())
    await asyncio.gather(*(stage.call(name) for name in "abcd"))
    assert stage.starts == [("a", 0.0), ("b", 0.5), ("c", 1.0), ("d", 1.5)]


async def test_pause_is_not_saved_up() -> None:
    """After a pause only one call begins at once, where no burst is allowed: a rate kept on average is not kept."""
    stage = Stage(account())
    await stage.call("a")
    stage.clock.advance(10)
    await asyncio.gather(stage.call("b"), stage.call("c"))
    assert stage.starts[1:] == [("b", 10.0), ("c", 10.5)]


async def test_burst() -> None:
    """After a pause as many calls begin at once as the burst says, and those behind them keep the pace."""
    stage = Stage(account(burst=3))
    await asyncio.gather(*(stage.call(name) for name in "abcde"))
    assert stage.starts == [("a", 0.0), ("b", 0.0), ("c", 0.0), ("d", 0.5), ("e", 1.0)]


async def test_no_rate() -> None:
    """Calls of an account without a rate begin at once, however many there are."""
    stage = Stage(account(per_s=0.0))
    await asyncio.gather(*(stage.call(name) for name in "abc"))
    assert stage.starts == [("a", 0.0), ("b", 0.0), ("c", 0.0)]


async def test_timer_that_fires_early() -> None:
    """A sleep that ends too soon is slept on."""
    stage = Stage(account())

    async def short(seconds: float) -> None:
        await stage.sleep(max(seconds / 2, 0.01))

    stage.ledger = LocalLedger(clock=stage.clock, monotonic=stage.clock, sleep=short)
    await stage.call("a")
    await stage.call("b")
    assert stage.starts[1][1] >= 0.5


async def test_cancelled_call_gives_its_turn_away() -> None:
    """The turn of a call that was given up is the next one's, and it is not counted."""
    stage = Stage(account(per_s=1.0))
    await stage.call("a")
    given_up, later = asyncio.create_task(stage.call("b")), asyncio.create_task(stage.call("c"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up, later])
    assert (stage.starts, await stage.used()) == ([("a", 0.0), ("c", 1.0)], 2)


async def test_call_without_time_is_refused_at_once() -> None:
    """A call whose turn would come after its time is told so at once, with the time after which to come back."""
    stage = Stage(account(per_s=1.0))
    await stage.call("a")
    waiting = asyncio.create_task(stage.call("b"))
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhaustedError) as caught:
        await stage.call("c", left_s=1.5)
    error, at = caught.value, stage.clock()
    await waiting
    assert (
        error.reason,
        error.retry_after_s,
        error.metadata,
        at,
    ) == ("PROVIDER_RATE_LIMITED", 2.0, {"provider": "provider", "wait_ms": "2000", "left_ms": "1500"}, NOON)


async def test_refused_call_takes_no_turn() -> None:
    """A call that was refused delays nobody and is not counted."""
    stage = Stage(account(per_s=1.0))
    await stage.call("a")
    with pytest.raises(ResourceExhaustedError):
        await stage.call("late", left_s=0.1)
    await stage.call("b")
    assert (stage.starts, await stage.used()) == ([("a", 0.0), ("b", 1.0)], 2)


async def test_hold() -> None:
    """When the provider asks for a pause, those who wait already keep it too, and keep their pace after it."""
    stage = Stage(account(per_s=1.0))
    await stage.call("a")
    waiting = asyncio.gather(stage.call("b"), stage.call("c"))
    await asyncio.sleep(0)
    await stage.ledger.hold(stage.account, 5.0)
    await waiting
    assert stage.starts == [("a", 0.0), ("b", 5.0), ("c", 6.0)]


async def test_hold_outlasts_a_call() -> None:
    """A call whose turn is moved past its time by a pause ends with that, and is not counted."""
    stage = Stage(account(per_s=1.0))
    await stage.call("a")
    waiting = asyncio.create_task(stage.call("b", left_s=2.0))
    await asyncio.sleep(0)
    await stage.ledger.hold(stage.account, 5.0)
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
        await waiting
    assert await stage.used() == 1


async def test_day_ends_at_midnight() -> None:
    """At the provider's midnight the day's count begins anew."""
    stage = Stage(account(per_s=0.0, per_day=10))
    await stage.spend(3)
    before = await stage.used()
    stage.clock.advance(HALF_DAY_S)
    assert (before, await stage.used()) == (3, 0)


async def test_spent_day_refuses() -> None:
    """When the day's calls are used up the next is refused, with the time of the reset, and is not counted."""
    stage = Stage(account(per_s=0.0, per_day=2))
    await stage.spend(2)
    with pytest.raises(ResourceExhaustedError) as caught:
        await stage.call("c")
    error = caught.value
    expected = {"provider": "provider", "reset_time": "2026-01-02T00:00:00Z"}
    assert (
        error.reason,
        error.metadata,
        error.retry_after_s,
        await stage.used(),
    ) == ("QUOTA_SPENT", expected, HALF_DAY_S, 2)


async def test_spent_day_is_whole_again() -> None:
    """A call after the reset begins."""
    stage = Stage(account(per_s=0.0, per_day=1))
    await stage.spend(1)
    stage.clock.advance(HALF_DAY_S)
    await stage.call("b")
    assert await stage.used() == 1


async def test_wait_past_midnight() -> None:
    """A call that waits past the reset is one of the new day's."""
    stage = Stage(account(per_s=1.0, per_day=10))
    stage.clock.advance(HALF_DAY_S - 0.5)
    await stage.call("a")
    await stage.call("b")
    assert await stage.used() == 1


async def test_waiting_calls_are_spoken_for() -> None:
    """The last calls of a day are not promised twice: who waits for one has it."""
    stage = Stage(account(per_s=1.0, per_day=2))
    waiting = asyncio.gather(stage.call("a"), stage.call("b"))
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await stage.call("c")
    await waiting
    assert stage.starts == [("a", 0.0), ("b", 1.0)]


async def test_no_daily_limit() -> None:
    """An account without a daily limit is never spent."""
    stage = Stage(account(per_s=0.0))
    await stage.spend(1_000)
    assert not (await stage.ledger.usage(stage.account)).spent


async def test_batch_stops_at_the_reserve() -> None:
    """Batch work leaves the reserve to people, is told so, and people go on to the last call."""
    stage = Stage(account(per_s=0.0, per_day=10, reserve=0.2))
    for at in range(8):
        await stage.call(str(at), batch=True)
    with pytest.raises(ResourceExhaustedError) as caught:
        await stage.call("batch", batch=True)
    await stage.spend(2)
    assert (caught.value.reason, caught.value.metadata["kept"], await stage.used()) == ("QUOTA_SPENT", "2", 10)


async def test_exhausted() -> None:
    """When the provider says that the day is spent no call begins until the reset, whatever was counted."""
    stage = Stage(account(per_s=0.0, per_day=10))
    await stage.ledger.exhaust(stage.account)
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await stage.call("a")
    stage.clock.advance(HALF_DAY_S)
    await stage.call("b")
    assert stage.starts == [("b", HALF_DAY_S)]


async def test_usage() -> None:
    """What is told of an account is what was counted, and what it allows."""
    stage = Stage(account(per_s=0.5, per_day=100, reserve=0.25))
    await stage.call("a")
    expected = Usage(
        day_used=1,
        day_limit=100,
        reserve=25,
        reset_at=NOON + HALF_DAY_S,
        now=NOON,
        exhausted=False,
        calls_per_second=0.5,
        wait_s=2.0,
        shared=False,
    )
    assert expected == await stage.ledger.usage(stage.account)


async def test_what_another_ledger_knew() -> None:
    """Counting goes on from what another ledger knew: its calls of the day, and its pace."""
    stage = Stage(account(per_s=1.0, per_day=10))
    await stage.call("a")
    stage.ledger.remember(stage.account, used=9, exhausted=False, pause_s=3.0)
    await stage.call("b")
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await stage.call("c")
    assert stage.starts == [("a", 0.0), ("b", 3.0)]
