"""The only place that makes many callers of one thing wait for one piece of work."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mesh.background import Background
from mesh.status import MeshError

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class _Flight(Generic[Value]):
    """Work under way, and how many callers wait for it."""

    task: asyncio.Task[Value | MeshError]
    waiting: int = 0


class Flights(Generic[Value]):
    """Work under way by key.

    The work belongs to all who wait for it: it goes on when the caller that began it leaves, and is cancelled, down to
    the socket, when the last one does.

    Args:
        background: where the work runs; it ends with the service.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._flights: dict[Hashable, _Flight[Value]] = {}

    async def join(self, key: Hashable, work: Callable[[], Awaitable[Value]], *, limit_s: float) -> tuple[Value, bool]:
        """What the work of a key gives, and whether this caller was the one that began it.

        Args:
            key: equal for what is the same work.
            work: begins it, if nobody has.
            limit_s: seconds that this caller waits at most.

        Raises:
            MeshError: what the work raised, for each caller an error of its own.
            TimeoutError: the caller's seconds are over.
        """
        flight = self._flights.get(key)
        led = flight is None
        if flight is None:
            flight = self._begin(key, work)
        flight.waiting += 1
        try:
            async with asyncio.timeout(limit_s):
                outcome = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()
        if isinstance(outcome, MeshError):
            raise outcome.detached()
        return outcome, led

    def _begin(self, key: Hashable, work: Callable[[], Awaitable[Value]]) -> _Flight[Value]:
        flight = _Flight(self._background.spawn(_outcome(work), name=f"flight {key!r}"))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._forget(key, flight))
        return flight

    def _forget(self, key: Hashable, flight: _Flight[Value]) -> None:
        # The key may be another flight's by now.
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _outcome(work: Callable[[], Awaitable[Value]]) -> Value | MeshError:
    """A failure that was foreseen is a result like any other; it is the callers' to raise, and no fault of the task."""
    try:
        return await work()
    except MeshError as error:
        return error
