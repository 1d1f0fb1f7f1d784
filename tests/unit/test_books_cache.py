import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, Work

from mesh.background import Background
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock
from mesh.turns import Turns
from services.books.cache import Cache
from services.books.entry import Entry, packed
from services.books.memory import Memory
from services.books.shelf import cold_shelf, hot_shelf
from services.books.walking import Held
from services.books.windows import Windows

KEY = "v2:isbn:9780441013593"
MEMORY_S, HOT_S, COLD_S = 10.0, 100.0, 1_000.0
WINDOWS = Windows(
    fresh_s=COLD_S, negative_s=50.0, warmed_negative_s=500.0, partial_s=20.0, revalidate_s=20.0, error_s=50.0
)


@dataclass(slots=True, kw_only=True)
class Shelves:
    """A cache and the stores behind it."""

    cache: Cache
    hot: MemoryKv
    cold: MemoryBucket
    clock: FakeClock

    def entry(self, title: str = "Dune", fresh_s: float = COLD_S) -> Entry:
        """An answer that is made now."""
        works, ends = packed([Work(title=title)])
        return Entry(works=works, ends=ends, cache_time=self.clock(), fresh_until=self.clock() + fresh_s)

    async def put(self, entry: Entry) -> Entry:
        """Keeps an answer, as another process would: on the shelves."""
        self.cache.put(KEY, entry)
        await self.cache.settled(KEY)
        self.cache.memory.clear()
        return entry


class HangingKv(MemoryKv):
    """A store that never answers a question."""

    async def get(self, key: str) -> bytes | None:
        """Waits for ever."""
        await asyncio.Event().wait()
        return None


class SlowOnceKv(MemoryKv):
    """A store whose first write waits until the second has come, or would have."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.first = True

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value, late the first time."""
        if self.first:
            self.first = False
            for _ in range(20):
                await asyncio.sleep(0)
        await super().put(key, value, ttl_s=ttl_s)


class GatedKv(MemoryKv):
    """A store that answers when its gate opens."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def get(self, key: str) -> bytes | None:
        """The value as it was when it was asked for."""
        value = await super().get(key)
        self.asked.set()
        await self.gate.wait()
        return value


@asynccontextmanager
async def shelves(hot: MemoryKv | None = None, *, patience_s: float = 0.01) -> AsyncIterator[Shelves]:
    """A cache on stores in memory and a clock that stands still."""
    clock = FakeClock()
    hot, cold = hot or MemoryKv(clock), MemoryBucket(clock)
    async with Background() as background:
        both = [
            hot_shelf(hot, ttl_s=HOT_S, background=background, clock=clock, chance=lambda: 0.0),
            cold_shelf(cold, background=background, clock=clock),
        ]
        for shelf in both:
            shelf.is_trusted = True
        cache = Cache(
            Memory(1_000_000, clock=clock),
            both,
            WINDOWS,
            background,
            clock=clock,
            chance=lambda: 0.0,
            memory_s=MEMORY_S,
            hot_s=HOT_S,
            patience_s=patience_s,
            turns=Turns(),
        )
        yield Shelves(cache=cache, hot=hot, cold=cold, clock=clock)


async def test_nothing_is_held_at_first() -> None:
    """An empty cache holds nothing."""
    async with shelves() as it:
        assert await it.cache.find(KEY) is None


async def test_what_is_put_is_found_hot() -> None:
    """An answer is found in the nearest tier."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        assert await it.cache.find(KEY) == Held(entry, TIER_HOT)


async def test_search_right_after_the_write_began_waits_for_it() -> None:
    """An answer that is being written is found, for the search waits for the write."""
    async with shelves() as it:
        entry = it.entry()
        it.cache.put(KEY, entry)
        it.cache.memory.clear()
        assert await it.cache.find(KEY) == Held(entry, TIER_HOT)


async def test_hot_time_over_leaves_cold() -> None:
    """When its time in the hot tier is over, an answer is found in the cold one."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        it.clock.advance(HOT_S)
        assert await it.cache.find(KEY) == Held(entry, TIER_COLD)


async def test_cold_hit_promotes() -> None:
    """What is found cold is hot for the next search."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        it.clock.advance(HOT_S)
        await it.cache.find(KEY)
        await it.cache.settled(KEY)
        it.cache.memory.clear()
        assert await it.cache.find(KEY) == Held(entry, TIER_HOT)


async def test_promoted_answer_lives_no_longer_than_it_is_fresh() -> None:
    """A promoted answer gets the time in which it is worth something, and no new life."""
    async with shelves() as it:
        await it.put(it.entry())
        it.clock.advance(COLD_S - 10)
        await it.cache.find(KEY)
        await it.cache.settled(KEY)
        assert await it.hot.ttl_s(KEY) == 10 + WINDOWS.error_s


async def test_promotion_writes_nothing_cold() -> None:
    """A cold hit is written to the hot tier alone."""
    async with shelves() as it:
        await it.put(it.entry())
        it.clock.advance(HOT_S)
        written = (await it.cold.get(KEY)).modified_time  # type: ignore[union-attr]  # it was put there
        await it.cache.find(KEY)
        await it.cache.settled(KEY)
        assert (await it.cold.get(KEY)).modified_time == written  # type: ignore[union-attr]  # the same


async def test_cold_answer_past_its_time_is_held_as_such() -> None:
    """A bucket forgets nothing, so an old answer is still there, and says that it is old."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        it.clock.advance(COLD_S)
        held = await it.cache.find(KEY)
        assert (held, entry.is_fresh(it.clock())) == (Held(entry, TIER_COLD), False)


async def test_old_answer_is_not_promoted() -> None:
    """An answer past its time is not brought back to the hot tier."""
    async with shelves() as it:
        await it.put(it.entry())
        it.clock.advance(COLD_S)
        await it.cache.find(KEY)
        await it.cache.settled(KEY)
        assert await it.hot.get(KEY) is None


async def test_later_answer_wins() -> None:
    """Of two answers to one key, the later one lies in every tier."""
    async with shelves(SlowOnceKv(FakeClock())) as it:
        it.cache.put(KEY, it.entry("Dune"))
        later = await it.put(it.entry("Dune, revised"))
        for _ in range(40):
            # Time for the first write, if nothing had made the second wait for it.
            await asyncio.sleep(0)
        copies = await it.cache.copies(KEY)
        assert [copy.entry for copy in copies] == [None, later, later]


async def test_torn_value_is_a_miss() -> None:
    """What is no answer counts as none, and is counted; the next tier is asked."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        await it.hot.put(KEY, (await it.hot.get(KEY) or b"")[:-3])
        held = await it.cache.find(KEY)
        assert (held, it.cache.shelves[0].counts.unreadable) == (Held(entry, TIER_COLD), 1)


async def test_hot_tier_down() -> None:
    """With the hot tier down, the cold one answers."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        it.hot.down = True
        assert await it.cache.find(KEY) == Held(entry, TIER_COLD)


async def test_both_tiers_down() -> None:
    """With both tiers down, nothing is held and nothing is raised."""
    async with shelves() as it:
        await it.put(it.entry())
        it.hot.down = it.cold.down = True
        assert await it.cache.find(KEY) is None


async def test_writing_to_tiers_that_are_down() -> None:
    """An answer that can be kept nowhere is given all the same."""
    async with shelves() as it:
        it.hot.down = it.cold.down = True
        await it.put(it.entry())
        assert [shelf.guard.failure_count for shelf in it.cache.shelves] == [1, 1]


async def test_tier_that_hangs_is_passed() -> None:
    """A tier that does not answer in time costs its patience, and the next is asked."""
    async with shelves(HangingKv()) as it:
        entry = await it.put(it.entry())
        assert await it.cache.find(KEY) == Held(entry, TIER_COLD)


async def test_searches_of_one_key_share_a_walk() -> None:
    """Many who look for one key at once cost the store one question."""
    async with shelves() as it:
        await it.put(it.entry())
        before = it.cache.shelves[0].counts.hits
        await asyncio.gather(*(it.cache.find(KEY) for _ in range(100)))
        assert it.cache.shelves[0].counts.hits - before == 1


async def test_partial_answer_past_its_time_hides_no_fresh_one() -> None:
    """A later answer in memory whose time is over keeps nobody from the fresh one that lies in the cold tier."""
    async with shelves() as it:
        whole = await it.put(it.entry())
        it.clock.advance(1)
        it.cache.put(KEY, replace(it.entry(fresh_s=2.0), partial=True))
        it.clock.advance(2)
        held = await it.cache.find(KEY)
        assert (held, it.cache.memory.peek(KEY)) == (Held(whole, TIER_COLD), whole)


async def test_later_answer_that_came_meanwhile_is_given() -> None:
    """An answer that is made while a walk looks at the shelves is given instead of the earlier one that it found."""
    hot = GatedKv(FakeClock())
    async with shelves(hot, patience_s=5.0) as it:
        await it.put(it.entry())
        it.clock.advance(1)
        walk = asyncio.ensure_future(it.cache.find(KEY))
        await hot.asked.wait()
        later = replace(it.entry("Dune, revised"), partial=True)
        it.cache.put(KEY, later)
        hot.gate.set()
        assert await walk == Held(later, TIER_MEMORY)


@pytest.mark.parametrize("is_near", [True, False])
async def test_what_must_last_lies_in_the_cold_tier(is_near: bool) -> None:  # noqa: FBT001 - a case of the table
    """An answer that is wanted for longer than the near tiers keep theirs is put into the cold one, if it is lost."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        if is_near:
            it.cache.remember(KEY, entry)
        await it.cache.shelves[1].remove(KEY, limit_s=1.0)
        tier = TIER_MEMORY if is_near else TIER_HOT
        assert await it.cache.find_many({KEY: HOT_S}) == {KEY: Held(entry, tier)}
        assert (await it.cache.copies(KEY))[-1].entry is None
        assert (await it.cache.find_many({KEY: HOT_S + 1}))[KEY].entry == entry
        assert (await it.cache.copies(KEY))[-1].entry == entry


async def test_what_lies_in_the_cold_tier_lasts() -> None:
    """An answer that is wanted for long and lies in the cold tier is told where it was met, and nothing is written."""
    async with shelves() as it:
        entry = await it.put(it.entry())
        (cold,) = [each async for each in it.cold.list()]
        it.clock.advance(1)
        assert await it.cache.find_many({KEY: HOT_S + 1, "none": HOT_S + 1}) == {KEY: Held(entry, TIER_HOT)}
        await it.cache.flush()
        assert [each async for each in it.cold.list()] == [cold]
