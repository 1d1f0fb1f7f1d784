"""Purges among processes: two proxies on the same stores, each with a memory of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bookmesh.books.v1 import admin_service_pb2 as pb
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, TIER_ORIGIN

from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock
from services.books import purging as purging_module
from services.books.bans import ban_of, encoded
from services.books.purging import TOPIC
from tests.unit.books_house import DUNE, DUNE_10, EMMA, FakeLeaf
from tests.unit.books_houses import REVISED, another, found, purge, started, two_houses
from tests.unit.books_processes import settle

KEY, OTHER_KEY = f"v2:isbn:{DUNE}", f"v2:isbn:{EMMA}"


class GatedKv(MemoryKv):
    """A store whose names are told when its gate opens."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.gate = asyncio.Event()

    async def scan(self, prefix: str, *, limit: int | None = None) -> AsyncIterator[str]:
        """The keys that begin so."""
        await self.gate.wait()
        async for key in super().scan(prefix, limit=limit):
            yield key


@pytest.mark.parametrize(
    "target",
    [{"key": KEY}, {"prefix": KEY[:-3]}, {"author": "Herbert, Frank"}, {"isbn": DUNE_10}],
    ids=lambda it: next(iter(it)),
)
async def test_purge_is_heeded_by_every_memory(target: dict[str, str]) -> None:
    """What is purged in one process is given by no other, however it is named; all else stays where it was."""
    async with two_houses() as (one, other):
        purged = await purge(one, **target)
        assert (purged.key_count, list(purged.unreached_tiers)) == (3, [])
        assert other.state.cache.at_hand(KEY) is None
        assert [await found(other), await found(other, EMMA)] == [
            ("Dune, revised", TIER_ORIGIN),
            ("Emma", TIER_MEMORY),
        ]
        assert await found(one) == ("Dune, revised", TIER_HOT)


@pytest.mark.parametrize("tier", [TIER_HOT, TIER_COLD])
async def test_bans_are_learned_at_the_start(tier: int) -> None:
    """A process that starts after a purge does not give what the sweep left lying, in whichever store that is."""
    async with two_houses() as (one, _):
        left = await one.hot.get(KEY)
        assert left is not None
        await purge(one, isbn=DUNE)
        # Each store is left as the only one that has the answer, and the ban of it.
        if tier == TIER_HOT:
            for info in [info async for info in one.cold.list("ban:")]:
                await one.cold.delete(info.key)
            await one.hot.put(KEY, left)
        else:
            one.hot.forget()
            await one.cold.put(KEY, left)
        async with another(one) as late:
            assert await found(late) == ("Dune, revised", TIER_ORIGIN)


async def test_store_is_not_trusted_until_it_told_its_bans(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a store is given only once its bans are known: until then it may have been purged."""
    monkeypatch.setattr(purging_module, "PATIENT_S", 0.01)
    clock = FakeClock()
    hot, cold = GatedKv(clock), MemoryBucket(clock)
    hot.gate.set()
    async with started(FakeLeaf(), hot, cold, clock) as one:
        await one.search(DUNE)
    await cold.delete(KEY)
    hot.gate.clear()
    async with started(FakeLeaf(REVISED), hot, cold, clock) as late:
        copies = (await late.admin.InspectKey(pb.InspectKeyRequest(key=KEY))).copies
        assert [(copy.present, copy.reason) for copy in copies] == [
            (False, ""),
            (False, "STORE_UNAVAILABLE"),
            (False, ""),
        ]
        hot.gate.set()
        await settle()
        assert await found(late) == ("Dune", TIER_HOT)


async def test_store_that_was_away_is_told_late() -> None:
    """A purge while the hot store is away holds here at once, and elsewhere as soon as the store is back."""
    async with two_houses() as (one, other):
        one.hot.down = True
        purged = await purge(one, isbn=DUNE)
        assert list(purged.unreached_tiers) == [TIER_HOT]
        assert one.state.cache.at_hand(KEY) is None
        one.hot.down = False
        one.clock.advance(2)  # the guard has let the store alone
        await settle(200)
        assert await found(other) == ("Dune, revised", TIER_ORIGIN)
        async with another(one) as late:
            assert len(late.state.cache._bans) == 1


async def test_bucket_that_was_away_is_told_late() -> None:
    """A purge while the cold store is away is kept there when it is back, for processes that start later."""
    async with two_houses() as (one, _):
        one.cold.down = True
        purged = await purge(one, isbn=DUNE)
        assert list(purged.unreached_tiers) == [TIER_COLD]
        one.cold.down = False
        one.clock.advance(2)
        await settle(200)
        one.hot.forget()
        async with another(one) as late:
            assert await found(late) == ("Dune, revised", TIER_ORIGIN)


async def test_ban_that_is_told_late_replaces_no_later_one() -> None:
    """When a store is told of a ban after a later one of the same thing, the later stays."""
    async with two_houses() as (one, _):
        await purge(one, isbn=DUNE)
        names = [info.key async for info in one.cold.list("ban:")]
        later = await one.cold.get(names[0])
        early, guard = ban_of("isbn", DUNE, one.clock() - 100), one.state.cache.shelves[1].guard
        async with asyncio.timeout(5):
            await one.state.purging._tell_late(guard, early, lambda: one.cold.put(names[0], encoded(early)))
        assert (len(names), await one.cold.get(names[0])) == (1, later)


async def test_what_was_missed_is_learned() -> None:
    """When messages may have been missed, a process learns anew what was purged."""
    async with two_houses() as (one, other):
        ban = ban_of("isbn", DUNE, one.clock())
        await one.cold.put("ban:missed", encoded(ban))
        one.hot.forget()
        await settle()
        assert other.state.cache.at_hand(KEY) is None
        assert other.state.cache.at_hand(OTHER_KEY) is not None


async def test_renewed_answer_drops_older_copies() -> None:
    """When one process has a later answer to a key, no other goes on giving an earlier one from its memory."""
    async with two_houses() as (one, other):
        await one.search(DUNE, cache_control={"no_cache": True})
        await settle()
        assert await found(other) == ("Dune, revised", TIER_HOT)


@pytest.mark.parametrize(("earlier_s", "expected"), [(0.5, TIER_MEMORY), (1.0, TIER_MEMORY), (0.0, TIER_HOT)])
async def test_renewed_answer_keeps_later_copies(earlier_s: float, expected: int) -> None:
    """What is told of an answer that is no later than the one in memory is passed over."""
    async with two_houses() as (one, other):
        made = one.clock() - 1
        one.state.purging.tell_renewed([KEY], made + 0.25 - earlier_s)
        await settle()
        assert (await found(other))[1] == expected


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff\x00",
        b"{}",
        b"null",
        b'{"renewed":1,"time":2}',
        b'{"kind":"all","value":"","time":9e9}',
        b'{"x":' + b"[" * 100_000,
    ],
    ids=["empty", "binary", "object", "null", "types", "kind", "deep"],
)
async def test_garbage_is_ignored(message: bytes) -> None:
    """A message that says nothing changes nothing, and those after it are heard."""
    async with two_houses() as (one, other):
        await one.hot.announce(TOPIC, message)
        await settle()
        assert other.state.cache.at_hand(KEY) is not None
        await purge(one, isbn=DUNE)
        assert other.state.cache.at_hand(KEY) is None


async def test_garbage_among_the_bans_keeps_no_store_from_being_trusted() -> None:
    """Whatever lies among the bans of a store, the others are learned, and its answers are given."""
    async with two_houses() as (one, _):
        await purge(one, isbn=DUNE)
        for at, data in enumerate((b"", b"\xff", b'{"x":' + b"[" * 100_000)):
            await one.hot.put(f"ban:{at}", data)
            await one.cold.put(f"ban:{at}", data)
        async with another(one) as late:
            assert [shelf.is_trusted for shelf in late.state.cache.shelves] == [True, True]
            assert (len(late.state.cache._bans), await found(late, EMMA)) == (1, ("Emma", TIER_HOT))


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_purge_while_its_key_is_in_flight(*, elsewhere: bool) -> None:
    """What is purged while it is made is not kept, and who asks after the purge gets what was asked for after it."""
    async with two_houses() as (one, other):
        await purge(one, key=KEY)
        one.leaf.gate.clear()
        one.leaf.asked.clear()
        before = asyncio.ensure_future(found(one))
        await one.leaf.asked.wait()
        await purge(other if elsewhere else one, key=KEY)
        after = asyncio.ensure_future(found(one))
        await settle()
        one.leaf.gate.set()
        calls = one.leaf.calls["GetBook"]
        assert [await before, await after] == [("Dune, revised", TIER_ORIGIN)] * 2
        assert one.leaf.calls["GetBook"] == calls + 1
        entry = one.state.cache.memory.peek(KEY)
        assert entry is not None
        assert entry.cache_time == one.clock()


async def test_what_was_purged_while_it_was_made_is_kept_nowhere() -> None:
    """Whoever waited for an answer that was purged meanwhile is given it, and it lies in no tier after that."""
    async with two_houses() as (one, other):
        await purge(one, key=KEY)
        one.leaf.gate.clear()
        one.leaf.asked.clear()
        waiting = asyncio.ensure_future(found(one))
        await one.leaf.asked.wait()
        await purge(other, key=KEY)
        one.leaf.gate.set()
        assert await waiting == ("Dune, revised", TIER_ORIGIN)
        kept = one.state.cache.memory.peek(KEY), await one.hot.get(KEY), await one.cold.get(KEY)
        assert kept == (None, None, None)


async def test_old_bans_are_forgotten() -> None:
    """Bans of what can't live any more go by and by: from memory, and from both stores."""
    async with two_houses() as (one, _):
        for at in range(257):
            one.state.cache.ban(ban_of("key", f"v2:text:{at}", one.clock()))
        await purge(one, isbn=DUNE)
        one.clock.advance(one.state.settings.windows.longest_s + 1)
        for at in range(300):
            one.state.cache.ban(ban_of("key", f"v2:text:new:{at}", one.clock()))
        assert len(one.state.cache._bans) == 300
        await one.cold.put("ban:late", encoded(ban_of("isbn", EMMA, 0.0)))  # as if it had been told only now
        async with another(one) as late:
            assert len(late.state.cache._bans) == 0
        kept = [key async for key in one.hot.scan("ban:")], [info.key async for info in one.cold.list("ban:")]
        assert kept == ([], ["ban:late"])
