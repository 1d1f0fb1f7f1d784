"""The only place that lets many watch one job: a bell that rings at each change, heard at most ten times a second."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol, TypeVar

STEP_S = 0.1
"""Seconds between two things told of one job at least; changes that come faster are told as one."""

Thing = TypeVar("Thing")


class Bell:
    """Rings for everybody who listens at that moment."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def next_ring(self) -> asyncio.Event:
        """Is set when the bell rings next; take it before looking, so that nothing that changes meanwhile is missed."""
        return self._rung


class Watched(Protocol):
    """What can be watched."""

    @property
    def bell(self) -> Bell:
        """Rings at each change."""

    @property
    def ended(self) -> bool:
        """There will be no further change."""


async def changes(
    of: Watched, look: Callable[[], Thing], *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> AsyncGenerator[Thing, None]:
    """What there is now, and again whenever it has changed, until it ends; the last is what it ended as.

    Args:
        of: what is watched.
        look: what there is of it now.
        sleep: waits for so many seconds.
    """
    while True:
        rung, ended = of.bell.next_ring(), of.ended
        yield look()
        if ended:
            return
        await rung.wait()
        if not of.ended:
            await sleep(STEP_S)
