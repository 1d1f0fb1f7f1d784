"""Tells calls in process when their time is over, with one timer for all: arming one for each call costs too much."""

import asyncio
from collections.abc import Callable

_GRAIN_S = 0.002
"""The timer is not armed more often than this, so that many calls that expire together cost one look at them all."""


class Expiry:
    """The deadlines of the calls under way in one transport."""

    def __init__(self) -> None:
        self._expiring: dict[object, tuple[float, Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0

    def add(self, key: object, deadline: float, expire: Callable[[], None]) -> None:
        """Calls `expire` when the loop's clock reaches the deadline, unless the key is dropped before."""
        self._expiring[key] = (deadline, expire)
        if self._timer is None or deadline < self._armed_for:
            self._arm(deadline)

    def drop(self, key: object) -> None:
        """Forgets a call that has ended. The timer stays: when it fires it finds nothing to do."""
        self._expiring.pop(key, None)

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for key, (deadline, expire) in list(self._expiring.items()):
            if deadline <= now:
                del self._expiring[key]
                expire()
        if self._expiring:
            self._arm(max(now + _GRAIN_S, min(deadline for deadline, _ in self._expiring.values())))

    def close(self) -> None:
        """Lets go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
