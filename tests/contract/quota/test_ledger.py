"""What every ledger promises, whichever it is."""

import asyncio
import time

import pytest

from mesh.quota.ledger import Ledger
from mesh.status import ResourceExhaustedError
from tests.contract.quota.conftest import Starts, account


async def used(ledger: Ledger) -> int:
    """Calls of the day."""
    return (await ledger.usage(account())).day_used


async def test_pace(ledger: Ledger) -> None:
    """Calls that come together begin one after another at the account's pace, and all of them do."""
    starts, of = Starts(), account(per_s=20.0)
    await asyncio.gather(*(starts.call(ledger, of) for _ in range(8)))
    assert (starts.early(20.0), len(starts.times)) == ([], 8)


async def test_burst(ledger: Ledger) -> None:
    """As many calls as the burst begin at once, and those behind them keep the pace."""
    starts, of = Starts(), account(per_s=2.0, burst=4)
    await asyncio.gather(*(starts.call(ledger, of) for _ in range(5)))
    at_once = [at for at in starts.times if at < 0.4]
    assert (starts.early(2.0, burst=4), len(at_once)) == ([], 4)


async def test_call_without_time(ledger: Ledger) -> None:
    """A call whose turn would come too late is told so at once, takes no turn, and is not counted."""
    of = account(per_s=1.0)
    await ledger.take(of, batch=False, left_s=5.0)
    began = time.monotonic()
    with pytest.raises(ResourceExhaustedError) as caught:
        await ledger.take(of, batch=False, left_s=0.2)
    took_s = time.monotonic() - began
    usage = await ledger.usage(of)
    assert (caught.value.reason, took_s < 0.2, 0.5 < (caught.value.retry_after_s or 0) <= 1.0) == (
        "PROVIDER_RATE_LIMITED",
        True,
        True,
    )
    assert (usage.day_used, usage.wait_s <= 1.0) == (1, True)


async def test_cancelled_call_gives_back(ledger: Ledger) -> None:
    """Who gives up while waiting is not counted, and its turn is another's."""
    starts, of = Starts(), account(per_s=2.0)
    await starts.call(ledger, of)
    given_up, waits = (asyncio.create_task(starts.call(ledger, of)) for _ in range(2))
    await asyncio.sleep(0.05)
    given_up.cancel()
    await asyncio.wait([given_up])
    await asyncio.sleep(0.05)
    # Without the turn that was given back, this one's would come after a second and a half.
    later = asyncio.create_task(starts.call(ledger, of, left_s=1.2))
    await asyncio.gather(waits, later)
    assert (starts.early(2.0), await used(ledger)) == ([], 3)


async def test_hold(ledger: Ledger) -> None:
    """During a pause that the provider asked for nothing begins, those that waited before it included."""
    starts, of = Starts(), account(per_s=10.0)
    await starts.call(ledger, of)
    waiting = asyncio.gather(*(starts.call(ledger, of) for _ in range(3)))
    await asyncio.sleep(0.02)
    await ledger.hold(of, 0.6)
    await waiting
    begun = sorted(starts.times)
    assert ([at for at in begun[1:] if at < 0.6], [at for at in begun[2:] if at < 0.7]) == ([], [])


async def test_hold_outlasts_a_call(ledger: Ledger) -> None:
    """A call whose turn a pause moves past its time ends with that, and is not counted."""
    of = account(per_s=10.0)
    await ledger.take(of, batch=False, left_s=1.0)
    waiting = asyncio.create_task(ledger.take(of, batch=False, left_s=1.0))
    await asyncio.sleep(0.02)
    await ledger.hold(of, 5.0)
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
        await waiting
    assert await used(ledger) == 1


async def test_day(ledger: Ledger) -> None:
    """When the day's calls are used up the next is refused with the time of the reset, and is not counted."""
    of = account(per_day=3)
    for _ in range(3):
        await ledger.take(of, batch=False, left_s=1.0)
    with pytest.raises(ResourceExhaustedError) as caught:
        await ledger.take(of, batch=False, left_s=1.0)
    usage, midnight = await ledger.usage(of), of.day(time.time()).reset_at
    assert (caught.value.reason, usage.day_used, usage.spent, usage.reset_at) == ("QUOTA_SPENT", 3, True, midnight)


async def test_calls_that_come_together(ledger: Ledger) -> None:
    """Of many that come at once exactly as many begin as the day holds."""
    of = account(per_day=10)
    outcomes = await asyncio.gather(
        *(ledger.take(of, batch=False, left_s=5.0) for _ in range(40)), return_exceptions=True
    )
    begun = [outcome for outcome in outcomes if outcome is None]
    assert (len(begun), await used(ledger)) == (10, 10)


async def test_batch_stops_at_the_reserve(ledger: Ledger) -> None:
    """Batch work leaves the reserve to people, who go on to the last call."""
    of = account(per_day=10, reserve=0.3)
    for _ in range(7):
        await ledger.take(of, batch=True, left_s=1.0)
    with pytest.raises(ResourceExhaustedError) as caught:
        await ledger.take(of, batch=True, left_s=1.0)
    for _ in range(3):
        await ledger.take(of, batch=False, left_s=1.0)
    assert (caught.value.reason, caught.value.metadata["kept"], await used(ledger)) == ("QUOTA_SPENT", "3", 10)


async def test_exhausted(ledger: Ledger) -> None:
    """When the provider says that the day is spent nothing begins, whatever was counted."""
    of = account(per_day=10)
    await ledger.exhaust(of)
    with pytest.raises(ResourceExhaustedError) as caught:
        await ledger.take(of, batch=False, left_s=1.0)
    usage = await ledger.usage(of)
    assert (caught.value.reason, usage.exhausted, usage.day_used) == ("QUOTA_SPENT", True, 0)


async def test_looking_costs_nothing(ledger: Ledger) -> None:
    """Who asks for the counts changes none of them."""
    of = account(per_s=5.0, per_day=10)
    for _ in range(3):
        usage = await ledger.usage(of)
    assert (usage.day_used, usage.wait_s, usage.calls_per_second, usage.day_limit) == (0, 0.0, 5.0, 10)
