"""The only place that writes answers to the shelves: behind the reply, and those of one key in the order they came."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import TIER_HOT

from mesh.background import Background
from mesh.call import Clock
from mesh.turns import Turns
from services.books.entry import Entry, encode
from services.books.guard import PATIENT_S
from services.books.shelf import Shelf
from services.books.windows import Windows


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    """Answers that are being written."""

    task: asyncio.Task[None]
    """Ends when they lie on all of their shelves, or can't."""
    hot: asyncio.Event
    """Set when they lie in the hot tier, or can't."""


class Writing:
    """What is on its way to the shelves.

    Args:
        windows: how long an answer is worth something.
        background: where writes go on after the answer is given.
        turns: when many answers are packed.
        clock: seconds since the epoch.
    """

    def __init__(self, windows: Windows, background: Background, turns: Turns, *, clock: Clock) -> None:
        self._windows = windows
        self._background = background
        self._turns = turns
        self._clock = clock
        self._writes: dict[str, _Write] = {}

    def begin(self, entries: Mapping[str, Entry], shelves: Sequence[Shelf]) -> None:
        """Begins to write answers to some shelves, the hot one among them."""
        if not entries:
            return
        before = {write.task for key in entries if (write := self._writes.get(key)) is not None}
        hot = asyncio.Event()
        task = self._background.spawn(self._run(before, entries, shelves, hot), name="cache write")
        mine = _Write(task, hot)
        self._writes |= dict.fromkeys(entries, mine)
        task.add_done_callback(lambda _: self._forget(entries, mine))

    async def wait(self, keys: Iterable[str], *, limit_s: float | None = None) -> None:
        """Waits until what was put under some keys lies in its place, for so many seconds at most."""
        tasks = {write.task for key in keys if (write := self._writes.get(key)) is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=limit_s)

    async def wait_hot(self, keys: Iterable[str]) -> None:
        """Waits until it lies in the hot tier."""
        for write in {write for key in keys if (write := self._writes.get(key)) is not None}:
            await write.hot.wait()

    async def flush(self) -> None:
        """Waits until everything lies in its place."""
        while self._writes:
            await self.wait(list(self._writes))

    def _forget(self, keys: Iterable[str], write: _Write) -> None:
        write.hot.set()
        for key in keys:
            if self._writes.get(key) is write:
                del self._writes[key]

    async def _run(
        self,
        before: set[asyncio.Task[None]],
        entries: Mapping[str, Entry],
        shelves: Sequence[Shelf],
        hot: asyncio.Event,
    ) -> None:
        if before:
            # Two answers to one key must land in the order in which they were given.
            await asyncio.wait(before)
        items, left_s = {}, {}
        async with self._turns.turn(patient=len(entries) > 1) as turn:
            for key, entry in entries.items():
                await turn.breathe()
                left_s[key] = self._windows.last_use(entry) - self._clock()
                if left_s[key] > 0:
                    items[key] = encode(key, entry)

        async def write(shelf: Shelf) -> None:
            await shelf.write(items, left_s, limit_s=PATIENT_S)
            if shelf.tier == TIER_HOT:
                hot.set()

        if items:
            await asyncio.gather(*map(write, shelves))
