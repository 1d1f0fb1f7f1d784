"""The only place that looks for an answer through the tiers, from near to far, and brings what lies far nearer."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bookmesh.type.v1.book_pb2 import TIER_MEMORY, Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.flights import Flights
from mesh.turns import Turns
from services.books.entry import Entry
from services.books.guard import PATIENT_S
from services.books.memory import Memory
from services.books.shelf import Shelf
from services.books.windows import Windows
from services.books.writing import Writing


class Held(NamedTuple):
    """An answer that the cache holds, fresh or not. A tuple, for one is made for each hit."""

    entry: Entry
    """The answer."""
    tier: Tier.ValueType
    """The tier that it came from."""


class Walking:
    """Looks for answers.

    Args:
        memory: the nearest tier.
        shelves: the tiers behind it, nearest first; the last one keeps what it has until it is worth nothing.
        windows: how long an answer is worth something.
        writing: what is on its way to the shelves.
        background: where a walk goes on that others wait for.
        clock: seconds since the epoch.
        turns: when many answers are unpacked.
        near_s: seconds that a shelf before the last one keeps an answer.
        passed_over: whether an answer is not given, for it was purged.
        remember: keeps an answer in memory.
    """

    def __init__(
        self,
        memory: Memory[Entry],
        shelves: Sequence[Shelf],
        windows: Windows,
        writing: Writing,
        background: Background,
        *,
        clock: Clock,
        turns: Turns,
        near_s: float,
        passed_over: Callable[[str, Entry], bool],
        remember: Callable[[str, Entry], None],
    ) -> None:
        self._memory = memory
        self._shelves = shelves
        self._windows = windows
        self._writing = writing
        self._clock = clock
        self._turns = turns
        self._near_s = near_s
        self._passed_over = passed_over
        self._remember = remember
        self._walks: Flights[Held | None] = Flights(background)

    async def find(self, key: str, *, limit_s: float, min_fresh_s: float) -> Held | None:
        """The freshest answer of the nearest tier that has a fresh one; an old one only when no tier has better.

        Whoever asks for a key while others do shares their walk. What is found lies in memory from then on. What is
        worth nothing any more is not found: it lies in the cold tier for good, and the bans of its time are forgotten.

        Args:
            key: the answer's key.
            limit_s: seconds to wait for a shelf.
            min_fresh_s: seconds from now on that one is wanted to be fresh for; one that is not counts as old here.
        """
        return await self._walks.join((key, limit_s, min_fresh_s), lambda: self._walk(key, limit_s, min_fresh_s))

    async def _walk(self, key: str, limit_s: float, min_fresh_s: float) -> Held | None:
        best = self._in_memory(key)
        if best is not None and best.entry.is_fresh(self._clock(), min_fresh_s=min_fresh_s):
            return best
        await self._writing.wait([key], limit_s=limit_s)
        passed: list[Shelf] = []
        for shelf in self._shelves:
            entry = (await shelf.read(key, limit_s=limit_s)).entry
            if entry is not None and self._is_of_use(key, entry):
                if entry.is_fresh(self._clock(), min_fresh_s=min_fresh_s):
                    return self._found(key, Held(entry, shelf.tier), passed)
                if best is None or _is_better(entry, best.entry):
                    best = Held(entry, shelf.tier)
            passed.append(shelf)
        return None if best is None else self._found(key, best, ())

    async def find_many(self, wanted: Mapping[str, float]) -> Mapping[str, Held]:
        """What `find` finds of each of many keys, for which nobody waits: each tier is asked for many at a time.

        An answer that is wanted for longer than the near tiers keep theirs is looked for in the last one as well, and
        put there where it is not: whoever asks that of an answer wants to find it when that time has come.

        Args:
            wanted: the keys, each with the seconds that its answer is wanted to be fresh for.
        """
        best: dict[str, Held] = {key: held for key in wanted if (held := self._in_memory(key)) is not None}
        fresh = {key for key, held in best.items() if held.entry.is_fresh(self._clock(), min_fresh_s=wanted[key])}
        lasting = {key for key, min_fresh_s in wanted.items() if min_fresh_s > self._near_s}
        left = [key for key in wanted if key not in fresh or key in lasting]
        await self._writing.wait(left, limit_s=PATIENT_S)
        passed: list[Shelf] = []
        for shelf in self._shelves:
            copies = await shelf.read_many(left, self._turns) if left else ()
            promoted: dict[str, Entry] = {}
            done: set[str] = set()
            for key, copy in zip(left, copies, strict=True):
                entry = copy.entry
                if entry is None or not self._is_of_use(key, entry):
                    continue
                if entry.is_fresh(self._clock(), min_fresh_s=wanted[key]):
                    if key not in lasting or shelf is self._shelves[-1]:
                        done.add(key)
                    if key not in fresh:
                        promoted[key] = entry
                        best[key] = Held(entry, shelf.tier)
                elif key not in best or (key not in fresh and _is_better(entry, best[key].entry)):
                    best[key] = Held(entry, shelf.tier)
            if passed and promoted:
                self._writing.begin(
                    {key: entry for key, entry in promoted.items() if not self._is_outrun(key, entry)}, passed
                )
            passed.append(shelf)
            fresh |= promoted.keys()
            left = [key for key in left if key not in done]
        found = {key: self._found(key, held, ()) for key, held in best.items()}
        self._writing.begin(
            {key: held.entry for key in left if key in fresh and (held := found[key]) is not None}, self._shelves[-1:]
        )
        await self._writing.wait([key for key in left if key in fresh])
        return {key: held for key, held in found.items() if held is not None}

    def _in_memory(self, key: str) -> Held | None:
        """What memory has, fresh or not; whoever asks is not counted."""
        kept = self._memory.peek(key)
        return None if kept is None or self._passed_over(key, kept) else Held(kept, TIER_MEMORY)

    def _is_of_use(self, key: str, entry: Entry) -> bool:
        """Whether a shelf's copy may be given at all."""
        return not self._passed_over(key, entry) and self._windows.last_use(entry) > self._clock()

    def _is_outrun(self, key: str, entry: Entry) -> bool:
        """Whether a later answer lies in memory by now: one past its time was there before, and is no better."""
        later = self._memory.peek(key)
        return later is not None and later.is_fresh(self._clock()) and later.cache_time > entry.cache_time

    def _found(self, key: str, held: Held, passed: Sequence[Shelf]) -> Held | None:
        """What a walk found, unless a purge or a later answer came while it was on its way.

        Args:
            key: the answer's key.
            held: the answer.
            passed: the shelves that have none as good, and get it.
        """
        later = self._memory.peek(key)
        if later is not None and self._is_outrun(key, held.entry):
            held, passed = Held(later, TIER_MEMORY), ()
        if self._passed_over(key, held.entry):
            return None
        if passed:
            self._writing.begin({key: held.entry}, passed)
        if held.tier != TIER_MEMORY:
            self._remember(key, held.entry)
        return held


def _is_better(entry: Entry, than: Entry) -> bool:
    """Of two answers past their time: a whole one before a partial one, then the later."""
    return (not entry.partial, entry.fresh_until) > (not than.partial, than.fresh_until)
