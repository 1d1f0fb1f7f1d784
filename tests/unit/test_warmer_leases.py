"""Leases on work: one replica at a time, and none that holds what is another's by now."""

import asyncio

import pytest

from mesh.stores.memory import MemoryKv
from mesh.testing import FakeClock
from services.warmer.jobs import leases
from services.warmer.jobs.leases import Leases

KEY = "lease:plan:job"


async def nothing() -> None:
    """Work that is done at once."""


async def test_one_at_a_time() -> None:
    """While one replica is at work, another does nothing; afterwards it may."""
    kv = MemoryKv(FakeClock())
    one, other = Leases(kv, "one"), Leases(kv, "other")
    asked: list[bool] = []

    async def work() -> None:
        asked.append(await other.alone("plan", "job", nothing))

    done = await one.alone("plan", "job", work)
    assert (done, asked, await other.alone("plan", "job", nothing)) == (True, [False], True)


async def test_what_breaks_lets_go() -> None:
    """Work that breaks tells so, and the next replica may try at once."""
    kv = MemoryKv(FakeClock())

    async def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Leases(kv, "one").alone("plan", "job", broken)
    assert await Leases(kv, "other").alone("plan", "job", nothing)


async def test_a_lost_lease_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stood still until another took over gives up as soon as it is told, and leaves the other's lease."""
    monkeypatch.setattr(leases, "LEASE_S", 0.03)
    kv = MemoryKv(FakeClock())
    ended = asyncio.Event()

    async def long() -> None:
        await kv.put(KEY, b"other", ttl_s=60)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert not await Leases(kv, "one").alone("plan", "job", long)
    left = await kv.get(KEY)
    assert (ended.is_set(), left) == (True, b"other")


async def test_a_store_that_is_away_takes_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that can't be extended because the store is away is held: nobody else can have it."""
    monkeypatch.setattr(leases, "LEASE_S", 0.03)
    kv = MemoryKv(FakeClock())

    async def work() -> None:
        kv.down = True
        await asyncio.sleep(0.1)
        kv.down = False

    assert await Leases(kv, "one").alone("plan", "job", work)
