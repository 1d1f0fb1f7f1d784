"""Turns: the only place that cuts long work which nobody waits for, so that it keeps the event loop from no call.

A call of a person needs the loop a few times, for a moment each. So work of many small pieces is done in slices of less
than a call takes, by one at a time, and after each slice others go on until the loop has nothing more to do for them.
While people call it rests after each slice as well, for the threads and processes that their calls need beside the loop
share its cores. What is done for a batch in short steps, from one await to the next, `mesh.hosting.patient_loop` holds
back in the same way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from mesh.company import Company

PATIENT: ContextVar[bool] = ContextVar("mesh_patient", default=False)
"""Whether what goes on here is done for nobody who waits: a batch call, and whatever was begun for one."""

SLICE_S = 0.0005
"""Seconds that one slice lasts."""

COMPANY_SLICE_S = 0.0002
"""Seconds that it lasts while people call: few enough that no call feels them."""

REST_S = 0.001
"""Seconds that work rests after a slice while people call, on a loop that does not let it rest by itself."""

_QUIET_S = 0.0001
"""A round of the loop that takes no longer had nothing to do."""

_ROUNDS = 20
"""Rounds that others have at most between two slices, so that the work gets on however much there is to do."""


class Turns:
    """Who works next, of those on one event loop that nobody waits for.

    Args:
        clock: seconds, never going back.
        slice_s: seconds that one slice lasts while nobody calls.
        rest_s: seconds that work rests after a slice while people call; none where the loop lets it rest by itself.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.perf_counter,
        slice_s: float = SLICE_S,
        rest_s: float = REST_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        company: Company | None = None,
    ) -> None:
        self._clock = clock
        self._slice_s = slice_s
        self._rest_s = rest_s
        self._sleep = sleep
        self._floor = asyncio.Lock()
        self.company = company or Company(clock=clock)
        """Whether people call."""

    @property
    def slice_s(self) -> float:
        """Seconds that a slice lasts just now."""
        return min(self._slice_s, COMPANY_SLICE_S) if self.company.is_there else self._slice_s

    async def rest(self) -> None:
        """Lets people's calls go on."""
        await self._sleep(self._rest_s)

    def turn(self, *, patient: bool = True) -> "Turn":
        """A piece of work; it begins with the block, when it is its turn.

        Args:
            patient: nobody waits for it. What somebody waits for is done in slices as well, and stands behind nobody.
        """
        return Turn(self, self._floor if patient else None, self._clock)


class Turn:
    """One piece of work while it goes on.

    Args:
        turns: knows whether people call, and how long a slice lasts.
        floor: held by whoever works; None for what somebody waits for.
        clock: seconds, never going back.
    """

    def __init__(self, turns: Turns, floor: asyncio.Lock | None, clock: Callable[[], float]) -> None:
        self._turns = turns
        self._floor = floor
        self._clock = clock
        self._ends = 0.0
        self._holds = False

    async def __aenter__(self) -> Self:
        """Waits for its turn."""
        await self._take()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Lets the next one work."""
        self._leave()

    async def breathe(self) -> None:
        """Lets others go on where a slice is over; called between the small pieces of the work."""
        if self._clock() < self._ends:
            return
        self._leave()
        await self._take()
        if self._floor and self._turns.company.is_there:
            await self._turns.rest()
            self._ends = self._clock() + self._turns.slice_s
            return
        # Whoever else works so waits for the floor, so what keeps the loop busy now is somebody's call.
        for _ in range(_ROUNDS if self._floor else 1):
            began = self._clock()
            await asyncio.sleep(0)
            if self._clock() - began <= _QUIET_S:
                break
        self._ends = self._clock() + self._turns.slice_s

    async def _take(self) -> None:
        if self._floor is not None:
            await self._floor.acquire()
            self._holds = True
        self._ends = self._clock() + self._turns.slice_s

    def _leave(self) -> None:
        if self._floor is not None and self._holds:
            self._holds = False
            self._floor.release()
