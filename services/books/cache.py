"""The only module that reads and writes the cache: its tiers from near to far, and what moves between them."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_MEMORY, Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.flights import Flights
from services.books.bans import Ban, BanList
from services.books.entry import Entry
from services.books.guard import PATIENT_S
from services.books.memory import Memory
from services.books.shelf import Copy, Shelf
from services.books.windows import Chance, Windows, jittered

_FEW_BANS = 256
"""Bans that are kept without a look at whether they can go."""


class Held(NamedTuple):
    """An answer that the cache holds, fresh or not. A tuple, for one is made for each hit."""

    entry: Entry
    """The answer."""
    tier: Tier.ValueType
    """The tier that it came from."""


class Cache:
    """Answers by key. Nothing here fails: a tier that can't be asked holds nothing.

    Args:
        memory: the nearest tier.
        shelves: the tiers behind it, nearest first.
        windows: how long an answer is worth something.
        background: where writes go on after the answer is given.
        clock: seconds since the epoch.
        chance: shortens the times to live.
        memory_s: seconds that an answer lies in memory.
        patience_s: seconds that a search waits for one shelf.
    """

    def __init__(
        self,
        memory: Memory[Entry],
        shelves: Sequence[Shelf],
        windows: Windows,
        background: Background,
        *,
        clock: Clock,
        chance: Chance,
        memory_s: float,
        patience_s: float,
    ) -> None:
        self.memory = memory
        self.shelves = shelves
        self.banned_count = 0
        """Copies that were passed over, for a ban covers them."""
        self.windows = windows
        self._background = background
        self._clock = clock
        self._chance = chance
        self._memory_s = memory_s
        self._patience_s = patience_s
        self._bans = BanList()
        self._tidy_at = _FEW_BANS
        self._walks: Flights[Held | None] = Flights(background)
        self._writes: dict[str, asyncio.Task[None]] = {}

    def at_hand(self, key: str) -> Held | None:
        """The answer that lies in memory, at once."""
        entry = self.memory.get(key)
        return None if entry is None or self._passed_over(key, entry) else Held(entry, TIER_MEMORY)

    async def find(self, key: str, *, patient: bool = False, min_fresh_s: float = 0.0) -> Held | None:
        """The freshest answer of the nearest tier that has a fresh one; an old one only when no tier has better.

        Whoever asks for a key while others do shares their walk. What is found lies in memory from then on. What is
        worth nothing any more is not found: it lies in the cold tier for good, and the bans of its time are forgotten.

        Args:
            key: the answer's key.
            patient: wait for slow shelves, too.
            min_fresh_s: seconds from now on that one is wanted to be fresh for; one that is not counts as old here.
        """
        limit_s = PATIENT_S if patient else self._patience_s
        return await self._walks.join((key, patient, min_fresh_s), lambda: self._walk(key, limit_s, min_fresh_s))

    async def _walk(self, key: str, limit_s: float, min_fresh_s: float) -> Held | None:
        kept = self.memory.peek(key)
        best = None if kept is None or self._passed_over(key, kept) else Held(kept, TIER_MEMORY)
        if best is not None and best.entry.is_fresh(self._clock(), min_fresh_s=min_fresh_s):
            return best
        await self._written(key, limit_s)
        passed: list[Shelf] = []
        for shelf in self.shelves:
            entry = (await self.read(shelf, key, limit_s=limit_s)).entry
            if entry is not None and self.windows.last_use(entry) > self._clock():
                if entry.is_fresh(self._clock(), min_fresh_s=min_fresh_s):
                    return self._found(key, Held(entry, shelf.tier), passed)
                if best is None or _is_better(entry, best.entry):
                    best = Held(entry, shelf.tier)
            passed.append(shelf)
        return None if best is None else self._found(key, best, ())

    def _found(self, key: str, held: Held, passed: Sequence[Shelf]) -> Held | None:
        """What a walk found, unless a purge or a later answer came while it was on its way.

        Args:
            key: the answer's key.
            held: the answer.
            passed: the shelves that have none as good, and get it.
        """
        later = self.memory.peek(key)
        # One past its time was there before, and the walk has found better than it.
        if later is not None and later.is_fresh(self._clock()) and later.cache_time > held.entry.cache_time:
            held, passed = Held(later, TIER_MEMORY), ()
        if self._passed_over(key, held.entry):
            return None
        if passed:
            self._write(key, held.entry, passed)
        if held.tier != TIER_MEMORY:
            self.remember(key, held.entry)
        return held

    async def read(self, shelf: Shelf, key: str, *, limit_s: float = PATIENT_S) -> Copy:
        """The copy of a key on one shelf; one that a ban covers is none."""
        copy = await shelf.read(key, limit_s=limit_s)
        return Copy(tier=shelf.tier) if copy.entry is not None and self._passed_over(key, copy.entry) else copy

    async def hot(self, key: str, *, patient: bool) -> Entry | None:
        """The answer that lies in the nearest shelf, which all processes share; `patient` as in `find`."""
        limit_s = PATIENT_S if patient else self._patience_s
        return (await self.read(self.shelves[0], key, limit_s=limit_s)).entry

    def put(self, key: str, entry: Entry, *, is_first: bool = False) -> None:
        """Keeps an answer in memory, and begins to write it to the shelves; `settled` waits for the end.

        What is partial or empty takes the place of nothing on the cold shelf, which may hold better. What was purged
        while it was made is kept nowhere.

        Args:
            key: the answer's key.
            entry: the answer.
            is_first: no tier holds another.
        """
        if self._passed_over(key, entry):
            return
        self.remember(key, entry)
        is_cold_too = is_first or (entry.ends and not entry.partial)
        self._write(key, entry, [shelf for shelf in self.shelves if is_cold_too or shelf.tier != TIER_COLD])

    def forget_older(self, key: str, cache_time: float) -> None:
        """Takes an answer out of memory, for another process has a later one."""
        entry = self.memory.peek(key)
        if entry is not None and entry.cache_time < cache_time:
            self.memory.remove(key)

    def ban(self, ban: Ban) -> None:
        """Gives no answer any more that a ban covers. The bans of what can't live any more are forgotten by and by."""
        self._bans.add(ban)
        if len(self._bans) > self._tidy_at:
            self._bans.forget(self._clock() - self.windows.longest_s)
            self._tidy_at = max(_FEW_BANS, 2 * len(self._bans))

    def knows_later(self, ban: Ban) -> bool:
        """Whether a later ban of the same thing is known."""
        return self._bans.has_later(ban)

    def sweep(self, ban: Ban) -> int:
        """Takes what a ban covers out of memory; how many there were. It takes a look at each."""
        return self.memory.remove_where(lambda key, entry: ban.covers(key, entry.cache_time, entry.tags))

    def is_banned(self, key: str, entry: Entry) -> bool:
        """Whether a ban covers an answer."""
        return self._bans.covers(key, entry.cache_time, entry.tags)

    async def settled(self, key: str) -> None:
        """Waits until what was put under a key lies where the next search looks for it."""
        await self._written(key, None)

    async def flush(self) -> None:
        """Waits until everything that was put lies in its place."""
        while self._writes:
            await asyncio.wait(self._writes.values())

    async def copies(self, key: str) -> Sequence[Copy]:
        """What each tier holds of a key, nearest first."""
        await self.settled(key)
        entry = self.memory.peek(key)
        kept = Copy(tier=TIER_MEMORY)
        if entry is not None and not self._passed_over(key, entry):
            kept = Copy(tier=TIER_MEMORY, entry=entry, byte_count=entry.byte_count)
        return [kept, *await asyncio.gather(*(self.read(shelf, key) for shelf in self.shelves))]

    def remember(self, key: str, entry: Entry) -> None:
        """Keeps an answer in memory."""
        ttl_s = min(jittered(self._memory_s, self._chance), self.windows.last_use(entry) - self._clock())
        if ttl_s > 0:
            self.memory.put(key, entry, byte_count=entry.byte_count, ttl_s=ttl_s)

    def _passed_over(self, key: str, entry: Entry) -> bool:
        """Whether an answer is not given, for a ban covers it; this is counted."""
        banned = self.is_banned(key, entry)
        self.banned_count += banned
        return banned

    def _write(self, key: str, entry: Entry, shelves: Sequence[Shelf]) -> None:
        task = self._background.spawn(self._writing(self._writes.get(key), key, entry, shelves), name="cache write")
        self._writes[key] = task
        task.add_done_callback(lambda _: self._writes.pop(key) if self._writes.get(key) is task else None)

    async def _writing(
        self, before: asyncio.Task[None] | None, key: str, entry: Entry, shelves: Sequence[Shelf]
    ) -> None:
        if before is not None:
            # Two answers to one key must land in the order in which they were given.
            await asyncio.wait({before})
        left_s = self.windows.last_use(entry) - self._clock()
        if left_s > 0:
            await asyncio.gather(*(shelf.write(key, entry, left_s=left_s, limit_s=PATIENT_S) for shelf in shelves))

    async def _written(self, key: str, limit_s: float | None) -> None:
        task = self._writes.get(key)
        if task is not None:
            await asyncio.wait({task}, timeout=limit_s)


def _is_better(entry: Entry, than: Entry) -> bool:
    """Of two answers past their time: a whole one before a partial one, then the later."""
    return (not entry.partial, entry.fresh_until) > (not than.partial, than.fresh_until)
