"""The only place of the proxy that lets many callers who ask the same at once share one piece of work."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mesh.background import Background
from mesh.status import MeshError

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class _Flight(Generic[Value]):
    """Work under way, and how many wait for it."""

    task: asyncio.Task[Value | MeshError]
    waiting: int = 0


class Flights(Generic[Value]):
    """Work under way by key. It belongs to all who wait for it, and is cancelled when the last of them has gone.

    Args:
        background: where the work runs, free of the deadline of whoever began it.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._flights: dict[Hashable, _Flight[Value]] = {}

    def __contains__(self, key: Hashable) -> bool:
        """Whether work of this key is under way."""
        return key in self._flights

    async def join(self, key: Hashable, work: Callable[[], Awaitable[Value]]) -> Value:
        """What the work of a key gives; each caller waits no longer than its own call lives.

        Args:
            key: equal for what is the same work.
            work: begins it, if nobody has.

        Raises:
            MeshError: what the work raised, for each caller an error of its own.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(self._background.spawn(_outcome(work), name=f"flight {key!r}"))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._forget(key, flight))
        flight.waiting += 1
        try:
            outcome = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                # Forgotten before it ends, so that who comes now begins anew and is not cancelled with it.
                self._forget(key, flight)
                flight.task.cancel()
        if isinstance(outcome, MeshError):
            raise outcome.detached()
        return outcome

    def _forget(self, key: Hashable, flight: _Flight[Value]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _outcome(work: Callable[[], Awaitable[Value]]) -> Value | MeshError:
    """A foreseen failure is the callers' to raise; the task itself only fails of what nobody foresaw."""
    try:
        return await work()
    except MeshError as error:
        return error
