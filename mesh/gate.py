"""How many calls run at once, and which wait: the gate before an entrypoint.

What comes above its limit waits in a short queue, calls that somebody waits for ahead of batch work, and what comes
above that is turned away at once. A long queue would answer everybody too late (Little's law); a short one evens out
bursts. One gate lives on one event loop.
"""

import asyncio
from collections import deque


class Gate:
    """A limit of calls under way.

    Args:
        limit: calls that run at once, at least 1.
        queue: calls that may wait.
        wait_s: seconds that a call waits at most.
        batch_share: of the limit that batch work may take, so that it never takes the last place, above 0 to 1.
    """

    def __init__(self, *, limit: int, queue: int, wait_s: float, batch_share: float) -> None:
        self._limit = limit
        self._batch_limit = max(1, int(limit * batch_share))
        self._queue = queue
        self._wait_s = wait_s
        self.active = 0
        """Calls that run."""
        self.shed = 0
        """Calls that were turned away."""
        self._waiting: tuple[deque[asyncio.Future[bool]], deque[asyncio.Future[bool]]] = (deque(), deque())

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return sum(len(queue) for queue in self._waiting)

    def enter(self, *, batch: bool) -> bool:
        """Takes a place if one is free and nobody is ahead; who gets one must `leave`."""
        interactive, batches = self._waiting
        if interactive or (batch and batches) or self.active >= (self._batch_limit if batch else self._limit):
            return False
        self.active += 1
        return True

    async def wait(self, *, batch: bool) -> str:
        """Waits for a place.

        Returns:
            Nothing when there is one, and who got it must `leave`; else why there is none.
        """
        if self.waiting >= self._queue and (batch or not self._drop_batch()):
            self.shed += 1
            return f"{self.active} calls run and {self.waiting} wait"
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[batch].append(place)
        try:
            async with asyncio.timeout(self._wait_s):
                given = await place
        except (TimeoutError, asyncio.CancelledError) as error:
            # The place may have been given in the very turn in which the waiting ended.
            given = place.done() and not place.cancelled() and place.result()
            if isinstance(error, asyncio.CancelledError):
                if given:
                    self.leave()
                raise
        finally:
            if place in self._waiting[batch]:
                self._waiting[batch].remove(place)
        if given:
            return ""
        self.shed += 1
        return f"no place became free in {self._wait_s * 1000:.0f} ms"

    def leave(self) -> None:
        """Gives a place back, to whoever has waited longest for it: first those that somebody waits for."""
        self.active -= 1
        interactive, batches = self._waiting
        if interactive or batches:
            self._hand_on()

    def _hand_on(self) -> None:
        for batch, queue in enumerate(self._waiting):
            while queue and self.active < (self._batch_limit if batch else self._limit):
                place = queue.popleft()
                if not place.done():
                    self.active += 1
                    place.set_result(True)

    def _drop_batch(self) -> bool:
        """Turns the newest waiting batch call away, in favour of one that somebody waits for."""
        while self._waiting[1]:
            place = self._waiting[1].pop()
            if not place.done():
                place.set_result(False)
                return True
        return False
