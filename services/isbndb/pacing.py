"""The only place that makes calls wait for their turn, so that ISBNdb's rate is kept under any concurrency."""

import asyncio
from collections.abc import Awaitable, Callable

from services.isbndb import faults


class Pacer:
    """Lets calls begin one after another, first come first served, with an interval between their starts.

    A call that is cancelled while it waits gives its turn to the next. All of it holds within one event loop.

    Args:
        interval_s: seconds between two starts, at least.
        clock: seconds, never going back.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        interval_s: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._next_at = clock()
        self._waiting = 0
        # asyncio's lock is fair, and one that is cancelled in the queue just leaves it.
        self._head = asyncio.Lock()

    def expected_wait_s(self) -> float:
        """Seconds until a call that comes now may begin, if nobody before it gives up."""
        return max(0.0, self._next_at - self._clock()) + self._waiting * self._interval_s

    async def turn(self, left_s: float) -> None:
        """Returns when the call may begin.

        Args:
            left_s: seconds that the call has left; one whose turn would come later is not kept waiting for nothing.

        Raises:
            ResourceExhaustedError: PROVIDER_RATE_LIMITED, at once, with the time after which a turn is to be had.
        """
        wait_s = self.expected_wait_s()
        if wait_s > left_s:
            raise faults.queue_too_long(wait_s, left_s)
        self._waiting += 1
        try:
            async with self._head:
                # Timers may fire a little early, and `hold` may have moved the turn meanwhile.
                while (wait_s := self._next_at - self._clock()) > 0:
                    await self._sleep(wait_s)
                self._next_at = self._clock() + self._interval_s
        finally:
            self._waiting -= 1

    def hold(self, pause_s: float) -> None:
        """Lets no call begin for a while: ISBNdb has said that we are too fast."""
        self._next_at = max(self._next_at, self._clock() + pause_s)
