"""The only module that reads and writes the cache: its shelves from near to far, and what moves between them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.flights import Flights
from services.books.entry import Entry
from services.books.shelf import Copy, Shelf

PATIENT_S = 1.0
"""Seconds that one store gets when no person waits: for a write, or for the reads of a batch."""


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that the cache holds, fresh or not."""

    entry: Entry
    """The answer."""
    tier: Tier.ValueType
    """The shelf that it came from."""


class Cache:
    """Answers by key. Nothing here fails: a shelf that can't be asked holds nothing.

    Args:
        shelves: the tiers, nearest first.
        background: where writes go on after the answer is given.
        clock: seconds since the epoch.
        patience_s: seconds that a search waits for one shelf.
    """

    def __init__(self, shelves: Sequence[Shelf], background: Background, *, clock: Clock, patience_s: float) -> None:
        self.shelves = shelves
        self._background = background
        self._clock = clock
        self._patience_s = patience_s
        self._walks: Flights[Held | None] = Flights(background)
        self._writes: dict[str, asyncio.Task[None]] = {}

    async def find(self, key: str, *, patient: bool = False) -> Held | None:
        """The freshest answer of the nearest shelf that has a fresh one; an old one only when no shelf has better.

        Whoever asks for a key while others do shares their walk.

        Args:
            key: the answer's key.
            patient: wait for slow shelves, too.
        """
        limit_s = PATIENT_S if patient else self._patience_s
        return await self._walks.join((key, patient), lambda: self._walk(key, limit_s))

    async def _walk(self, key: str, limit_s: float) -> Held | None:
        await self._written(key, limit_s)
        best: Held | None = None
        passed: list[Shelf] = []
        for shelf in self.shelves:
            copy = await shelf.read(key, limit_s=limit_s)
            if copy.entry is not None:
                if copy.entry.is_fresh(self._clock()):
                    if passed:
                        self._write(key, copy.entry, passed)
                    return Held(copy.entry, shelf.tier)
                if best is None or copy.entry.fresh_until > best.entry.fresh_until:
                    best = Held(copy.entry, shelf.tier)
            passed.append(shelf)
        return best

    def put(self, key: str, entry: Entry) -> None:
        """Begins to write an answer to every shelf; `settled` waits for the end."""
        self._write(key, entry, self.shelves)

    async def settled(self, key: str) -> None:
        """Waits until what was put under a key lies where the next search looks for it."""
        await self._written(key, None)

    async def flush(self) -> None:
        """Waits until everything that was put lies in its place."""
        while self._writes:
            await asyncio.wait(self._writes.values())

    async def copies(self, key: str) -> Sequence[Copy]:
        """What each shelf holds of a key, nearest first."""
        await self.settled(key)
        return await asyncio.gather(*(shelf.read(key, limit_s=PATIENT_S) for shelf in self.shelves))

    async def purge(self, key: str) -> tuple[int, Sequence[Tier.ValueType]]:
        """Takes a key out of every shelf; how many copies there were, and the tiers that could not be reached."""
        await self.settled(key)
        counts = await asyncio.gather(*(shelf.remove(key, limit_s=PATIENT_S) for shelf in self.shelves))
        unreached = [shelf.tier for shelf, count in zip(self.shelves, counts, strict=True) if count is None]
        return sum(count or 0 for count in counts), unreached

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
        now = self._clock()
        await asyncio.gather(*(shelf.write(key, entry, now=now, limit_s=PATIENT_S) for shelf in shelves))

    async def _written(self, key: str, limit_s: float | None) -> None:
        task = self._writes.get(key)
        if task is not None:
            await asyncio.wait({task}, timeout=limit_s)
