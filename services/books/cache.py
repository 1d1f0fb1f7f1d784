"""The only module that reads and writes the cache: its tiers from near to far, and what moves between them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_MEMORY

from mesh.background import Background
from mesh.call import Clock
from mesh.turns import Turns
from services.books.bans import Ban, BanList
from services.books.entry import Entry
from services.books.guard import PATIENT_S
from services.books.memory import Memory
from services.books.shelf import Copy, Shelf
from services.books.walking import Held, Walking
from services.books.windows import Chance, Windows, jittered
from services.books.writing import Writing

_FEW_BANS = 256
"""Bans that are kept without a look at whether they can go."""


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
        hot_s: seconds that an answer lies in the hot tier.
        patience_s: seconds that a search waits for one shelf.
        turns: when many answers are packed and unpacked.
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
        hot_s: float,
        patience_s: float,
        turns: Turns,
    ) -> None:
        self.memory = memory
        self.shelves = shelves
        self.banned_count = 0
        """Copies that were passed over, for a ban covers them."""
        self.windows = windows
        self._clock = clock
        self._chance = chance
        self._memory_s = memory_s
        self._patience_s = patience_s
        self._bans = BanList()
        self._tidy_at = _FEW_BANS
        self._writing = Writing(windows, background, turns, clock=clock)
        self._walking = Walking(
            memory,
            shelves,
            windows,
            self._writing,
            background,
            clock=clock,
            turns=turns,
            near_s=hot_s,
            passed_over=self._passed_over,
            remember=self.remember,
        )

    def at_hand(self, key: str) -> Held | None:
        """The answer that lies in memory, at once."""
        entry = self.memory.get(key)
        return None if entry is None or self._passed_over(key, entry) else Held(entry, TIER_MEMORY)

    async def find(self, key: str, *, patient: bool = False, min_fresh_s: float = 0.0) -> Held | None:
        """What the nearest tier has, as `Walking.find` says; `patient` waits for slow shelves, too."""
        limit_s = PATIENT_S if patient else self._patience_s
        return await self._walking.find(key, limit_s=limit_s, min_fresh_s=min_fresh_s)

    async def find_many(self, wanted: Mapping[str, float]) -> Mapping[str, Held]:
        """What the tiers have of many keys for which nobody waits, as `Walking.find_many` says."""
        return await self._walking.find_many(wanted)

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
        is_cold_too = is_first or _is_worth_cold(entry)
        self._writing.begin({key: entry}, [shelf for shelf in self.shelves if is_cold_too or shelf.tier != TIER_COLD])

    def put_many(self, entries: Mapping[str, Entry], *, firsts: Collection[str]) -> None:
        """The same for many answers at once, for which nobody waits.

        What nobody has asked for yet takes no place in memory from what people ask for, unless the hot tier is down.

        Args:
            entries: the answers by their keys.
            firsts: keys of which no tier holds another.
        """
        kept = {key: entry for key, entry in entries.items() if not self._passed_over(key, entry)}
        is_hot = self.shelves[0].guard.is_well
        for key, entry in kept.items():
            if not is_hot or self.memory.peek(key) is not None:
                self.remember(key, entry)
        lasting = {key: entry for key, entry in kept.items() if key in firsts or _is_worth_cold(entry)}
        passing = {key: entry for key, entry in kept.items() if key not in lasting}
        self._writing.begin(lasting, self.shelves)
        self._writing.begin(passing, [shelf for shelf in self.shelves if shelf.tier != TIER_COLD])

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
        await self._writing.wait([key])

    async def all_settled(self, keys: Iterable[str]) -> None:
        """The same for many keys."""
        await self._writing.wait(keys)

    async def all_hot(self, keys: Iterable[str]) -> None:
        """Waits until what was put under some keys lies in the hot tier, which all processes share."""
        await self._writing.wait_hot(keys)

    async def flush(self) -> None:
        """Waits until everything that was put lies in its place."""
        await self._writing.flush()

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


def _is_worth_cold(entry: Entry) -> bool:
    """Whether an answer may take another's place in the cold tier."""
    return bool(entry.ends) and not entry.partial
