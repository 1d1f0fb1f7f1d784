"""Who asks the providers for a key, among processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mesh.background import Background
from mesh.stores.memory import MemoryKv
from mesh.testing import FakeClock
from services.books import lease as lease_module
from services.books.guard import Guard
from services.books.lease import LEASE_S, Leases
from tests.unit.books_processes import settle

KEY = "v2:isbn:9780441013593"
STORED = f"lease:{KEY}"


class SlowKv(MemoryKv):
    """A store that takes a lease in only when its gate opens."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()
        self.done = asyncio.Event()

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Sets a value, late."""
        self.asked.set()
        await self.gate.wait()
        is_mine = await super().put_if_absent(key, value, ttl_s=ttl_s)
        self.done.set()
        return is_mine


@asynccontextmanager
async def leases(kv: MemoryKv, clock: FakeClock, *, patience_s: float = 1.0) -> AsyncIterator[tuple[Leases, Guard]]:
    """The leases of one process, which ends as one that is killed does: nothing is given back."""
    async with Background() as background:
        guard = Guard("hot", background, clock=clock)
        yield Leases(kv, guard, background, patience_s=patience_s), guard


async def test_one_holder() -> None:
    """Of two processes one has the lease of a key, and both see that it is taken; another key is free."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        first, second, elsewhere = await one.take(KEY), await other.take(KEY), await other.take("another")
        assert (first is not None and first.is_shared, second, elsewhere is not None) == (True, None, True)
        assert [await each.is_taken(KEY) for each in (one, other)] == [True, True]


async def test_one_holder_of_many() -> None:
    """However many ask for one key at the same moment, in one process or in two, one of them has it."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        taken = await asyncio.gather(*(each.take(KEY) for each in (one, other) * 10))
        assert sum(lease is not None for lease in taken) == 1


async def test_lease_that_is_let_go_is_free() -> None:
    """Who is done gives the lease back, and the next one has it without waiting."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        lease = await one.take(KEY)
        assert lease is not None
        await lease.let_go()
        assert await other.is_taken(KEY) is False
        assert await other.take(KEY) is not None


async def test_lease_dies_with_its_holder() -> None:
    """A holder that dies keeps others from asking for LEASE_S, and no longer."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (other, _):
        async with leases(kv, clock) as (one, _):
            await one.take(KEY)
        clock.advance(LEASE_S - 0.001)
        before = await other.take(KEY)
        clock.advance(0.001)
        assert (before, await other.take(KEY) is not None) == (None, True)


async def test_holder_renews(monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that lives keeps its lease for as long as it needs it, many times LEASE_S."""
    monkeypatch.setattr(lease_module, "RENEW_S", 0.0)
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        await one.take(KEY)
        taken = []
        for _ in range(5):
            clock.advance(LEASE_S * 0.9)
            await settle()
            taken.append(await other.is_taken(KEY))
        assert taken == [True] * 5


async def test_renewal_outlives_a_short_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that was away for less than LEASE_S costs the holder nothing: it goes on renewing."""
    monkeypatch.setattr(lease_module, "RENEW_S", 0.0)
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        await one.take(KEY)
        kv.down = True
        await settle()
        kv.down = False
        clock.advance(LEASE_S / 2)  # the guard has let the store alone, and tries it again
        await settle()
        clock.advance(LEASE_S / 2)
        assert await other.is_taken(KEY) is True


async def test_lease_that_is_let_go_is_renewed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a lease is given back the store is asked nothing more for it, so it is no matter that it goes away."""
    monkeypatch.setattr(lease_module, "RENEW_S", 0.0)
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, guard):
        lease = await one.take(KEY)
        assert lease is not None
        await lease.let_go()
        kv.down = True
        await settle()
        assert guard.failure_count == 0


async def test_lease_that_another_took_over_is_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that stood still for too long neither renews nor deletes the lease that another has taken meanwhile."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        monkeypatch.setattr(lease_module, "RENEW_S", 0.0)
        late = await one.take(KEY)
        monkeypatch.setattr(lease_module, "RENEW_S", 1_000.0)
        clock.advance(LEASE_S)
        assert late is not None
        assert await other.take(KEY) is not None
        clock.advance(1.0)
        await settle()
        assert await kv.ttl_s(STORED) == LEASE_S - 1.0
        await late.let_go()
        assert await other.is_taken(KEY) is True


async def test_store_that_is_down() -> None:
    """Where the store is down each may ask for itself, and gives back what it has for nothing."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    kv.down = True
    async with leases(kv, clock) as (one, guard), leases(kv, clock) as (other, _):
        taken = [await each.take(KEY) for each in (one, other)]
        assert [lease is not None and lease.is_shared for lease in taken] == [False, False]
        assert await one.is_taken(KEY) is False
        failures = guard.failure_count
        for lease in taken:
            assert lease is not None
            await lease.let_go()
        assert guard.failure_count == failures


async def test_store_that_was_found_down_is_not_waited_for() -> None:
    """Who has just found the store failing takes a lease without asking it again."""
    clock = FakeClock()
    kv = MemoryKv(clock)
    kv.down = True
    async with leases(kv, clock) as (one, guard):
        await one.is_taken(KEY)
        failures = guard.failure_count
        assert await one.take(KEY) is not None
        assert guard.failure_count == failures


async def test_slow_store_leaves_no_lease_behind() -> None:
    """A lease that comes too late for whoever asked is taken out again, for nobody is at it."""
    clock = FakeClock()
    kv = SlowKv(clock)
    async with leases(kv, clock, patience_s=0.005) as (one, _):
        lease = await one.take(KEY)
        assert lease is not None
        assert lease.is_shared is False
        kv.gate.set()
        await kv.done.wait()
        await settle()
        assert await kv.get(STORED) is None


async def test_caller_that_leaves_leaves_no_lease_behind() -> None:
    """A caller that goes away while it asks for a lease keeps nobody from having it."""
    clock = FakeClock()
    kv = SlowKv(clock)
    async with leases(kv, clock) as (one, _):
        taking = asyncio.ensure_future(one.take(KEY))
        await kv.asked.wait()
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        kv.gate.set()
        await kv.done.wait()
        await settle()
        assert await kv.get(STORED) is None


async def test_lease_that_could_not_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease whose store was away when it was given back is free after LEASE_S, for it is renewed no more."""
    monkeypatch.setattr(lease_module, "RENEW_S", 0.0)
    clock = FakeClock()
    kv = MemoryKv(clock)
    async with leases(kv, clock) as (one, _), leases(kv, clock) as (other, _):
        lease = await one.take(KEY)
        assert lease is not None
        kv.down = True
        await lease.let_go()
        kv.down = False
        assert await other.take(KEY) is None
        for _ in range(2):
            clock.advance(LEASE_S / 2)
            await settle()
        assert await other.take(KEY) is not None
