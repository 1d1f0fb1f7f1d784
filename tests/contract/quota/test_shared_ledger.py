"""What the shared ledger promises beyond any ledger: to be one for all processes, and to fail none of their calls."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio as redis
from structlog.testing import capture_logs

from mesh.quota.ledger import LocalLedger
from mesh.quota.open import open_ledger
from mesh.quota.shared_ledger import AWAY_S, LIMIT_S
from mesh.status import ResourceExhaustedError
from mesh.testing import FakeClock
from tests.contract.quota.conftest import KEY, Make, Starts, account


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Any]:
    """A plain client of a server."""
    client: Any = redis.Redis.from_url(url)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def frozen(url: str) -> AsyncIterator[None]:
    """Stops a server without ending it: connections stay open, and nothing answers."""
    async with client_of(url) as client:
        pid = int((await client.info("server"))["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_processes_keep_the_pace_together(shared: Make) -> None:
    """Four processes of 25 callers each begin no more than the account allows all of them, and none starves."""
    starts, of = Starts(), account(per_s=20.0)
    ledgers = [await shared() for _ in range(4)]
    await asyncio.gather(*(starts.call(ledger, of) for _ in range(25) for ledger in ledgers))
    usages = [await ledger.usage(of) for ledger in ledgers]
    assert (starts.early(20.0), len(starts.times), {usage.day_used for usage in usages}) == ([], 100, {100})
    assert max(starts.times) < 99 / 20 + 2.0


async def test_day_is_one_for_all(shared: Make) -> None:
    """Processes that ask at once make exactly as many calls as the day holds, and batch work leaves its reserve."""
    of = account(per_day=40, reserve=0.25)
    ledgers = [await shared() for _ in range(4)]
    asked = (ledger.take(of, batch=True, left_s=5.0) for _ in range(25) for ledger in ledgers)
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    live = (ledger.take(of, batch=False, left_s=5.0) for _ in range(5) for ledger in ledgers)
    others = await asyncio.gather(*live, return_exceptions=True)
    assert (outcomes.count(None), others.count(None)) == (30, 10)


async def test_pause_and_reset_are_told_to_all(shared: Make) -> None:
    """What the provider told one process holds for every other."""
    one, other = await shared(), await shared()
    await one.hold(account(per_s=10.0), 5.0)
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
        await other.take(account(per_s=10.0), batch=False, left_s=1.0)
    await one.exhaust(account())
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await other.take(account(), batch=False, left_s=1.0)


@pytest.mark.parametrize("off_s", [-200_000.0, 200_000.0])
async def test_clocks_of_callers_do_not_matter(shared: Make, off_s: float) -> None:
    """A process whose clock is days off counts in the same day as others, and is told its true reset."""
    off, right = await shared(clock=lambda: time.time() + off_s), await shared()
    of = account(per_day=10)
    await off.take(of, batch=False, left_s=1.0)
    await right.take(of, batch=False, left_s=1.0)
    told = await off.usage(of)
    expected = (2, of.day(time.time()).reset_at, True)
    assert (told.day_used, told.reset_at, told.shared) == expected


async def test_new_day(shared: Make, valkey: str) -> None:
    """When the day that was counted is over, counting begins anew, and what the provider said is forgotten."""
    ledger, of = await shared(), account(per_day=1)
    await ledger.take(of, batch=False, left_s=1.0)
    await ledger.exhaust(of)
    async with client_of(valkey) as client:
        await client.hset(f"ledger:{{{of.id}}}:counts", "ends", round((time.time() - 1) * 1e6))
    await ledger.take(of, batch=False, left_s=1.0)
    usage = await ledger.usage(of)
    assert (usage.day_used, usage.exhausted, usage.reset_at) == (1, False, of.day(time.time()).reset_at)


async def test_nothing_stays_and_nothing_tells_the_key(shared: Make, valkey: str) -> None:
    """All that lies in the store ends by itself, and neither names nor values tell the key."""
    ledger, of = await shared(), account(per_s=2.0, per_day=10)
    await ledger.take(of, batch=False, left_s=5.0)
    waiting = [asyncio.create_task(ledger.take(of, batch=False, left_s=5.0)) for _ in range(2)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    await asyncio.sleep(0.05)
    async with client_of(valkey) as client:
        names = sorted([name async for name in client.scan_iter()])
        ends = [await client.pttl(name) for name in names]
        values = [await client.hgetall(names[0]), await client.zrange(names[1], 0, -1)]
    waiting[1].cancel()
    told = f"{names}{values}"
    longest_ms = 86_400_000
    assert ([0 < end <= longest_ms for end in ends], KEY in told) == ([True, True], False)


async def test_frozen_store_costs_one_short_wait(shared: Make, valkey: str) -> None:
    """A store that does not answer costs one call some 50 ms and the others nothing; none fails, and one line says so.

    What was called meanwhile is counted once it answers again.
    """
    monotonic = FakeClock()
    ledger = await shared(monotonic=monotonic)
    of, took = account(per_day=10), list[float]()
    for _ in range(3):
        await ledger.take(of, batch=False, left_s=5.0)
    with capture_logs() as logs:
        async with frozen(valkey):
            for _ in range(4):
                began = time.monotonic()
                await ledger.take(of, batch=False, left_s=5.0)
                took.append(time.monotonic() - began)
            alone = await ledger.usage(of)
        monotonic.advance(AWAY_S)
        await ledger.take(of, batch=False, left_s=5.0)
    back = await ledger.usage(of)
    # What the store had in its buffers when it stopped it counts as well: one call too many rather than one too few.
    assert (alone.shared, alone.day_used, back.shared, back.day_used in {8, 9}) == (False, 7, True, True)
    assert ([line["event"] for line in logs], took[0] < 0.15, max(took[1:]) < 0.04) == (
        ["ledger_away", "ledger_back"],
        True,
        True,
    )


async def test_many_calls_while_the_store_is_frozen(shared: Make, valkey: str) -> None:
    """However many calls meet a store that does not answer at once, none waits longer than for one answer."""
    ledger, of = await shared(), account()
    await ledger.take(of, batch=False, left_s=5.0)
    async with frozen(valkey):
        began = time.monotonic()
        await asyncio.gather(*(ledger.take(of, batch=False, left_s=5.0) for _ in range(200)))
        took_s = time.monotonic() - began
    assert took_s < 0.2


async def test_known_counts_hold_while_the_store_is_away(shared: Make, valkey: str) -> None:
    """What was known before the store went away is not forgotten: a day that was spent stays spent."""
    one, other, of = await shared(), await shared(), account(per_day=3)
    for _ in range(2):
        await one.take(of, batch=False, left_s=1.0)
    await other.take(of, batch=False, left_s=1.0)
    async with frozen(valkey):
        with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
            await other.take(of, batch=False, left_s=1.0)


async def test_store_that_is_not_there() -> None:
    """A process that starts while the store is down counts for itself, and its calls begin."""
    of = account(per_day=10)
    with capture_logs() as logs:
        ledger = await open_ledger("unix:///nowhere/valkey.sock")
        for _ in range(3):
            await ledger.take(of, batch=False, left_s=1.0)
    usage = await ledger.usage(of)
    await ledger.aclose()
    assert (usage.day_used, usage.shared, [line["event"] for line in logs]) == (3, False, ["ledger_away"])


async def test_loop_that_stood_still(shared: Make) -> None:
    """A process that was busy for longer than a store may take does not blame the store for it."""
    ledger, of = await shared(), account(per_day=10)
    with capture_logs() as logs:
        for _ in range(5):
            taking = asyncio.create_task(ledger.take(of, batch=False, left_s=5.0))
            for _ in range(4):
                await asyncio.sleep(0)
            time.sleep(2 * LIMIT_S)  # noqa: ASYNC251 - the loop standing still is what is tried
            await taking
    usage = await ledger.usage(of)
    assert (usage.day_used, usage.shared, logs) == (5, True, [])


async def test_broken_connections_are_made_anew(shared: Make, valkey: str) -> None:
    """Connections that the server has ended cost nothing: the next call is counted with all others."""
    ledger, of = await shared(), account(per_day=10)
    await asyncio.gather(*(ledger.take(of, batch=False, left_s=1.0) for _ in range(5)))
    async with client_of(valkey) as client:
        await client.client_kill_filter(_type="normal", skipme=True)
    with capture_logs() as logs:
        await ledger.take(of, batch=False, left_s=1.0)
    usage = await ledger.usage(of)
    assert (usage.day_used, usage.shared, logs) == (6, True, [])


@pytest.mark.parametrize("url", ["", "memory:"])
async def test_without_a_store(url: str) -> None:
    """Where the address book names no store that processes could share, each counts for itself."""
    ledger = await open_ledger(url)
    assert isinstance(ledger, LocalLedger)
