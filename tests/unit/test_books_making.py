"""How an answer is made once for all processes, and what is kept of it."""

import asyncio
import time

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE
from bookmesh.type.v1.book_pb2 import TIER_HOT, TIER_ORIGIN

from mesh.status import UnavailableError
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock
from services.books.lease import LEASE_S
from services.books.making import Made
from tests.unit.books_processes import (
    KEY,
    WINDOWS,
    Providers,
    made_of,
    process,
    processes,
    restless,  # noqa: F401 - a fixture
    settle,
    titles,
)

pytestmark = pytest.mark.usefixtures("restless")
DOWN = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")


class SlowWritesKv(MemoryKv):
    """A store that takes an answer in only when its gate opens."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.gate = asyncio.Event()

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value; leases are taken at once."""
        if key == KEY:
            await self.gate.wait()
        await super().put(key, value, ttl_s=ttl_s)


async def test_follower_takes_the_holders_answer() -> None:
    """While one process asks, another waits and is given its answer from the hot tier, and keeps it in memory."""
    async with processes() as (one, other):
        providers, idle = Providers(made_of("Dune")), Providers(made_of("Dune, asked twice"))
        providers.gate.clear()
        leading = asyncio.ensure_future(one.once(providers))
        await settle()
        following = asyncio.ensure_future(other.once(idle))
        await settle()
        assert following.done() is False
        providers.gate.set()
        led, followed = await leading, await following
        assert [(titles(held.entry), held.tier) for held in (led, followed)] == [
            (["Dune"], TIER_ORIGIN),
            (["Dune"], TIER_HOT),
        ]
        assert (providers.calls, idle.calls, one.counts.led, other.counts.followed) == (1, 0, 1, 1)
        assert titles(other.cache.memory.peek(KEY)) == ["Dune"]


async def test_follower_sees_the_answer_before_the_lease_is_gone() -> None:
    """The lease is given back once the answer lies where followers look, so that none of them asks as well."""
    clock = FakeClock()
    hot = SlowWritesKv(clock)
    async with processes(hot) as (one, other):
        assert titles((await one.once(Providers(made_of("Dune")))).entry) == ["Dune"]
        idle = Providers(made_of("Dune, asked twice"))
        following = asyncio.ensure_future(other.once(idle))
        await settle()
        assert (following.done(), await other.leases.is_taken(KEY)) == (False, True)
        hot.gate.set()
        assert (titles((await following).entry), idle.calls) == (["Dune"], 0)
        await settle()
        assert await other.leases.is_taken(KEY) is False


async def test_holder_that_dies_frees_the_others() -> None:
    """Followers of a holder that died wait until its lease is over, and then ask for themselves."""
    clock = FakeClock()
    hot, cold = MemoryKv(clock), MemoryBucket(clock)
    async with process(hot, cold, clock) as other:
        async with process(hot, cold, clock) as dead:
            await dead.leases.take(KEY)
        providers = Providers(made_of("Dune"))
        following = asyncio.ensure_future(other.once(providers))
        clock.advance(LEASE_S - 0.001)
        await settle()
        assert (following.done(), providers.calls) == (False, 0)
        clock.advance(0.001)
        held = await following
        assert (titles(held.entry), held.tier, providers.calls) == (["Dune"], TIER_ORIGIN, 1)


async def test_holder_that_fails_frees_the_others_at_once() -> None:
    """When a holder's providers fail it, a follower asks for itself without waiting for the lease to end."""
    async with processes() as (one, other):
        failing, providers = Providers(made_of(), failure=DOWN), Providers(made_of("Dune"))
        failing.gate.clear()
        leading = asyncio.ensure_future(one.once(failing))
        await settle()
        following = asyncio.ensure_future(other.once(providers))
        await settle()
        failing.gate.set()
        with pytest.raises(UnavailableError):
            await leading
        assert (titles((await following).entry), providers.calls) == (["Dune"], 1)


async def test_holder_that_goes_away_frees_the_others_at_once() -> None:
    """When nobody waits for a holder's answer any more, a follower asks for itself without waiting either."""
    async with processes() as (one, other):
        endless, providers = Providers(made_of()), Providers(made_of("Dune"))
        endless.gate.clear()
        leading = asyncio.ensure_future(one.once(endless))
        await settle()
        following = asyncio.ensure_future(other.once(providers))
        await settle()
        leading.cancel()
        assert (titles((await following).entry), providers.calls) == (["Dune"], 1)


@pytest.mark.parametrize("tiers", ["hot", "both"])
async def test_each_asks_for_itself_without_a_store(tiers: str) -> None:
    """Where the store of leases is down each process asks, and none waits for another."""
    clock = FakeClock()
    hot, cold = MemoryKv(clock), MemoryBucket(clock)
    hot.down, cold.down = True, tiers == "both"
    async with process(hot, cold, clock) as one, process(hot, cold, clock) as other:
        providers = Providers(made_of("Dune"))
        found = await asyncio.gather(one.once(providers), other.once(providers))
        assert [(titles(held.entry), held.tier) for held in found] == [(["Dune"], TIER_ORIGIN)] * 2
        assert providers.calls == 2


async def test_failure_keeps_nothing() -> None:
    """A failure is raised and leaves nothing behind: no answer in any tier, and no lease."""
    clock = FakeClock()
    hot, cold = MemoryKv(clock), MemoryBucket(clock)
    async with process(hot, cold, clock) as it:
        with pytest.raises(UnavailableError):
            await it.once(Providers(made_of("Dune"), failure=DOWN))
        await settle()
        assert ([key async for key in hot.scan("")], [info async for info in cold.list()]) == ([], [])
        assert (await it.kept(), it.told) == ([[], [], []], [])


async def test_answer_of_another_is_not_asked_for_again() -> None:
    """What another process has made since this one looked is taken from the hot tier, and nobody is asked."""
    async with processes() as (one, other):
        await one.once(Providers(made_of("Dune")))
        await settle()
        idle = Providers(made_of("Dune, asked twice"))
        held = await other.once(idle)
        assert (titles(held.entry), held.tier, idle.calls) == (["Dune"], TIER_HOT, 0)


async def test_only_what_is_later_is_news() -> None:
    """Who asks for news is not given what another process asked for before; who takes anything fresh is."""
    async with processes() as (one, other):
        await one.once(Providers(made_of("Dune")))
        await settle()
        one.clock.advance(1)
        providers = Providers(made_of("Dune, revised"))
        held = await other.once(providers, since=one.clock())
        assert (titles(held.entry), held.tier, providers.calls) == (["Dune, revised"], TIER_ORIGIN, 1)


async def test_what_is_past_its_time_is_no_news() -> None:
    """An answer that lies in the hot tier past its time is none that another process has just made."""
    async with processes() as (one, other):
        await one.once(Providers(made_of("Dune")))
        await settle()
        one.clock.advance(WINDOWS.fresh_s)
        assert (await other.once(Providers(made_of("Dune, revised")))).tier == TIER_ORIGIN


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (made_of("Whole"), made_of("Part", partial=True), "Whole"),
        (made_of("Whole"), made_of("New"), "New"),
        (made_of("Part", partial=True), made_of("New part", partial=True), "New part"),
        (made_of("Part", partial=True), made_of("New"), "New"),
    ],
)
async def test_partial_answer_replaces_no_whole_one(old: Made, new: Made, expected: str) -> None:
    """While a whole answer is being given no partial one takes its place in any tier; all else is replaced."""
    async with processes() as (it, _):
        given = (await it.once(Providers(old))).entry
        await it.cache.flush()
        it.clock.advance(1)
        await it.once(Providers(new), since=given.cache_time, old=given)
        memory, hot, _cold = await it.kept()
        assert [memory, hot] == [[expected]] * 2
        assert it.told == ([] if expected == "Whole" else [(KEY, it.clock())])


async def test_partial_answer_of_another_replaces_no_whole_one() -> None:
    """A partial answer that another process has put into the hot tier is no news to one that gives a whole one."""
    async with processes() as (one, other):
        whole = (await one.once(Providers(made_of("Whole")))).entry
        await settle()
        one.clock.advance(1)
        await other.making.alone(KEY, Providers(made_of("Part", partial=True)), None, renews=False)
        await other.cache.flush()
        await one.once(Providers(made_of("Part", partial=True)), since=whole.cache_time, old=whole)
        assert titles(one.cache.memory.peek(KEY)) == ["Whole"]


async def test_age_counts_from_the_question() -> None:
    """An answer is as old as its question, and fresh from then on, however long the providers took."""
    async with processes() as (it, _):
        asked = it.clock()
        held = await it.once(Providers(made_of("Dune"), meanwhile=lambda: it.clock.advance(5)))
        assert (held.entry.cache_time, held.entry.fresh_until) == (asked, asked + WINDOWS.fresh_s)


@pytest.mark.parametrize(("renews", "expected"), [(True, [KEY]), (False, [])])
async def test_others_are_told_of_what_takes_anothers_place(*, renews: bool, expected: list[str]) -> None:
    """Other processes are told of an answer only where they may hold an earlier one, with the time of the new one."""
    async with processes() as (it, _):
        held = await it.making.alone(KEY, Providers(made_of("Dune")), None, renews=renews)
        assert it.told == [(key, held.entry.cache_time) for key in expected]


async def test_providers_are_told_what_time_is_left() -> None:
    """The providers learn how long their caller waits: without end, for so many seconds, or not at all any more."""
    async with processes() as (it, _):
        providers = Providers(made_of("Dune"))
        for deadline in (None, time.monotonic() + 60, time.monotonic() - 60):
            await it.making.alone(KEY, providers, deadline, renews=False)
        endless, some, none = providers.left_s
        assert (endless, none) == (None, 0.0)
        assert some is not None
        assert 30 < some <= 60
