"""Single flight: the only place that lets many callers who want the same at once share one piece of work."""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mesh.background import Background
from mesh.call import CURRENT, Call
from mesh.layers.deadline import less_reserve_s, out_of_time
from mesh.status import MeshError
from mesh.turns import PATIENT

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class _Flight(Generic[Value]):
    """Work under way, and how many wait for it."""

    task: asyncio.Task[Value | MeshError]
    context: contextvars.Context
    """What it goes on in."""
    lineage: Call | None
    """Where the work stands; its deadline is set when the time of all who waited is over."""
    waiting: int = 0


class Flights(Generic[Value]):
    """Work under way by key.

    The work belongs to all who wait for it: it goes on when the caller that began it leaves, and is cancelled, down to
    the socket, when the last one does.

    Args:
        background: where the work runs, free of the deadline of whoever began it; it ends with the service.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._flights: dict[Hashable, _Flight[Value]] = {}

    def __contains__(self, key: Hashable) -> bool:
        """Whether work of this key is under way."""
        return key in self._flights

    async def join(self, key: Hashable, work: Callable[[], Awaitable[Value]]) -> Value:
        """What the work of a key gives; each caller waits until shortly before its own call has no more time.

        Args:
            key: equal for what is the same work.
            work: begins it, if nobody has.

        Raises:
            MeshError: what the work raised, for each caller an error of its own.
            DeadlineExceededError: the time of the caller's own call is over.
        """
        value, _ = await self.lead(key, work)
        return value

    async def lead(
        self, key: Hashable, work: Callable[[], Awaitable[Value]], *, limit_s: float | None = None
    ) -> tuple[Value, bool]:
        """The same, and whether this caller was the one that began the work.

        Args:
            key: equal for what is the same work.
            work: begins it, if nobody has.
            limit_s: seconds that this caller waits at most.

        Raises:
            MeshError: what the work raised, for each caller an error of its own.
            DeadlineExceededError: the time of the caller's own call is over.
            TimeoutError: the caller's seconds are over.
        """
        flight = self._flights.get(key)
        led = flight is None
        if flight is None:
            flight = self._begin(key, work)
        elif not PATIENT.get():
            # A batch began it and somebody waits for it now, so it hurries from here on.
            flight.context.run(PATIENT.set, False)  # noqa: FBT003 - set takes one value
        flight.waiting += 1
        wait_s, own = _wait_s(CURRENT.get(), limit_s)
        limit = asyncio.timeout(wait_s)
        try:
            async with limit:
                outcome = await asyncio.shield(flight.task)
        except TimeoutError:
            if limit.expired() and flight.waiting == 1 and flight.lineage is not None:
                # Whom the work calls was too slow; one that is given up with time left was not.
                flight.lineage.deadline = time.monotonic()
            if limit.expired() and own is not None:
                raise out_of_time(own) from None
            raise
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                # Forgotten before it ends, so that who comes now begins anew and is not cancelled with it.
                self._forget(key, flight)
                flight.task.cancel()
        if isinstance(outcome, MeshError):
            raise outcome.detached()
        return outcome, led

    def _begin(self, key: Hashable, work: Callable[[], Awaitable[Value]]) -> _Flight[Value]:
        answered = CURRENT.get()
        lineage = None if answered is None else answered.lineage()
        context = _chain_alone(lineage)
        flight = _Flight(
            self._background.spawn(_outcome(work), name=f"flight {key!r}", context=context), context, lineage
        )
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._forget(key, flight))
        return flight

    def _forget(self, key: Hashable, flight: _Flight[Value]) -> None:
        # The key may be another flight's by now.
        if self._flights.get(key) is flight:
            del self._flights[key]


def _wait_s(answered: Call | None, limit_s: float | None) -> tuple[float | None, Call | None]:
    """Seconds that a caller waits, and its own call where that is what limits them."""
    left_s = None if answered is None else answered.time_remaining()
    if left_s is None or (limit_s is not None and limit_s <= left_s):
        return limit_s, None
    return less_reserve_s(left_s), answered


def _chain_alone(lineage: Call | None) -> contextvars.Context:
    """A context in which the calls that led here are known, so that a circle is found, and no deadline is."""
    context = contextvars.Context()
    if lineage is not None:
        context.run(CURRENT.set, lineage)
    return context


async def _outcome(work: Callable[[], Awaitable[Value]]) -> Value | MeshError:
    """A foreseen failure is the callers' to raise; the task itself only fails of what nobody foresaw."""
    try:
        return await work()
    except MeshError as error:
        return error
