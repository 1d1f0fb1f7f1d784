"""Time that passes only when everybody waits for it, in which replicas with clocks of their own share one real store.

What is asked of the store is really asked; time stands still meanwhile. So sixty days take as long as their events.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_TURNS = 15
"""Turns of the event loop after which whoever could go on without the store has."""


class World:
    """One time for all.

    Args:
        now: seconds since the epoch.
    """

    def __init__(self, now: float) -> None:
        self.now = now
        """The true time, which no replica knows."""
        self.is_store_away = False
        """The store answers nobody."""
        self.ends: dict[str, float] = {}
        """When the keys end that have a time to live. A real server's own clock can't be run fast."""
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._asking = 0
        self._answered = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Returns once the time has passed."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + max(0.0, seconds), next(self._order), woken))
        await woken

    async def run_until(self, end: float) -> None:
        """Lets time pass until then."""
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self.now = max(self.now, at)
                woken.set_result(None)
                await self._settle()
        self.now = max(self.now, end)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Something that takes no time of the world's, but some of the machine's."""
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            self._answered.set()

    async def _settle(self) -> None:
        """Waits until everybody waits for time."""
        turns = 0
        while turns < _TURNS:
            if self._asking:
                self._answered.clear()
                await self._answered.wait()
                turns = 0
            await asyncio.sleep(0)
            turns += 1
