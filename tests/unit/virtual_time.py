"""Time that passes only when everybody waits: what tests of waiting are made of."""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")

_TURNS = 50
"""Turns of the event loop after which whoever could go on has."""


class VirtualTime:
    """A clock and a sleep that belong together; nobody ever really sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        """Seconds."""
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        """The time, in seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Returns once the time has passed."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, next(self._order), woken))
        await woken

    async def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """What work gives, while time passes for it."""
        task = asyncio.ensure_future(work)
        try:
            while not await self._is_done(task):
                self._wake_next()
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run_for(self, seconds: float) -> None:
        """Lets so much time pass for whoever sleeps."""
        end = self.now + seconds
        await self._settle()
        while self._due() <= end:
            self._wake_next()
            await self._settle()
        self.now = end

    async def _is_done(self, task: asyncio.Task[Value]) -> bool:
        await self._settle()
        return task.done()

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._sleepers = [each for each in self._sleepers if not each[2].done()]

    def _due(self) -> float:
        return min((at for at, _, _ in self._sleepers), default=float("inf"))

    def _wake_next(self) -> None:
        assert self._sleepers, "everybody waits for what will never come"
        first = min(self._sleepers, key=lambda each: each[:2])
        self._sleepers.remove(first)
        self.now = max(self.now, first[0])
        if not first[2].done():
            first[2].set_result(None)
