"""A replica that can be killed, frozen and started again, and what its handler was seen to do."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bench.firings.line import Line
from bench.firings.world import World
from mesh.background import Background
from mesh.schedule.firing import Firing
from mesh.schedule.running import Timing
from mesh.schedule.schedule import Schedule
from mesh.stores.protocol import Kv

PREFIX = "trigger:"

STEP_S = 20.0
"""Seconds of work after which a handler looks up; one that is frozen does nothing until it is thawed."""


@dataclass(slots=True)
class Run:
    """One call of the handler, by the true time."""

    firing: Firing
    """What it was called with."""
    replica: int
    """Who called it."""
    began: float
    """When."""
    is_whole: bool = False
    """It came to its end."""
    worked: list[tuple[float, float]] = field(default_factory=list)
    """From when to when it was at work."""


class Replica:
    """One process of a service, and those that take its place.

    Args:
        number: its number.
        world: where it lives.
        connect: opens the store.
        crons: the lines.
        runs: where its handler notes what it does.
        ahead_s: seconds that its clock is ahead.
        chance: what is random.
        works_s: the longest that a firing takes.
        slowest_s: the longest that one way to the store takes.
        timing: how often it looks after its triggers.
    """

    def __init__(
        self,
        number: int,
        world: World,
        connect: Callable[[], Kv],
        crons: Sequence[str],
        runs: list[Run],
        *,
        ahead_s: float,
        chance: random.Random,
        works_s: float,
        slowest_s: float,
        timing: Timing,
    ) -> None:
        self.number = number
        self.schedule: Schedule | None = None
        """None while it is dead."""
        self._world = world
        self._connect = connect
        self._crons = crons
        self._runs = runs
        self._ahead_s = ahead_s
        self._chance = chance
        self._works_s = works_s
        self._slowest_s = slowest_s
        self._timing = timing
        self._life = AsyncExitStack()
        self._line: Line | None = None
        self._thawed = asyncio.Event()
        self._frozen_at = 0.0
        self._thawed.set()

    @property
    def clock_s(self) -> float:
        """What its clock says."""
        return self._world.now + self._ahead_s

    async def start(self) -> None:
        """Lets it live."""
        kv = self._connect()
        self._life.push_async_callback(kv.aclose)
        self._line = Line(kv, self._world, self._chance, sleep=self._sleep, slowest_s=self._slowest_s)
        background = await self._life.enter_async_context(Background())
        self.schedule = Schedule(
            self._line,
            self._crons,
            self._handle,
            background,
            prefix=PREFIX,
            store="WARMING_CACHE",
            timing=self._timing,
            clock=lambda: self.clock_s,
            monotonic=lambda: self._world.now,
            sleep=self._sleep,
            random_hex=lambda size: self._chance.randbytes(size).hex(),
        )
        self.schedule.start()

    async def kill(self) -> None:
        """Lets it die as by SIGKILL: nothing that it does at its end reaches anybody."""
        if self._line is not None:
            self._line.is_cut = True
        await self._end()

    async def stop(self) -> None:
        """Lets it end as it does when it drains."""
        await self._end()

    def freeze(self) -> None:
        """Lets it stand still as by SIGSTOP."""
        if self._thawed.is_set():
            self._frozen_at = self._world.now
            self._thawed.clear()

    def thaw(self) -> None:
        """Lets it go on."""
        self._thawed.set()

    async def _end(self) -> None:
        self._thawed.set()
        self.schedule = None
        ending = asyncio.ensure_future(self._life.aclose())
        # What is slow on its way to the store takes time at the end, too.
        while not ending.done():
            await self._world.run_until(self._world.now + 1.0)
        ending.result()

    async def _sleep(self, seconds: float) -> None:
        await self._world.sleep(seconds)
        await self._thawed.wait()

    async def _handle(self, firing: Firing) -> str:
        run = Run(firing, self.number, self._world.now)
        self._runs.append(run)
        ends = self._world.now + self._chance.uniform(0, self._works_s)
        while self._world.now < ends:
            began = self._world.now
            try:
                await self._sleep(min(STEP_S, ends - began))
            finally:
                stood_still = self._frozen_at >= began
                run.worked.append((began, self._frozen_at if stood_still else self._world.now))
        run.is_whole = True
        return f"worked for {self._world.now - run.began:.0f} s"
