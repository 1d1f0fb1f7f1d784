"""How many second tries a binding may make: a share of its calls, so that a sick callee is not made sicker.

As in Finagle (https://twitter.github.io/finagle/guide/Clients.html#retries): 20 % of the calls of the last ten seconds,
and a few for those who call seldom.
"""

from collections import deque

from mesh.call import Clock

WINDOW_S = 10.0
"""Seconds that are looked back."""

_BUCKETS = 10


class RetryBudget:
    """The second tries of one binding, over all its methods; retries and hedges draw on the same.

    Args:
        share: of the calls in the window, 0 to 1.
        least: second tries in the window that are always allowed.
        clock: seconds that never go back.
    """

    def __init__(self, share: float, least: int, clock: Clock) -> None:
        self._share = share
        self._least = least
        self._clock = clock
        self._past: deque[tuple[float, int, int]] = deque()
        self._began = 0.0
        self._until = 0.0
        self._calls = 0
        self._spent = 0

    def count(self) -> None:
        """Counts a call that is tried for the first time."""
        if (now := self._clock()) >= self._until:
            self._turn(now)
        self._calls += 1

    def spend(self) -> bool:
        """Takes one second try; False when the budget is used up."""
        if (now := self._clock()) >= self._until:
            self._turn(now)
        while self._past and self._past[0][0] <= now - WINDOW_S:
            self._past.popleft()
        calls = self._calls + sum(calls for _, calls, _ in self._past)
        spent = self._spent + sum(spent for _, _, spent in self._past)
        if spent >= max(self._least, self._share * calls):
            return False
        self._spent += 1
        return True

    def _turn(self, now: float) -> None:
        """Begins a new bucket; only those of the window are kept."""
        if self._calls or self._spent:
            self._past.append((self._began, self._calls, self._spent))
        while len(self._past) > _BUCKETS:
            self._past.popleft()
        self._calls = self._spent = 0
        self._began, self._until = now, now + WINDOW_S / _BUCKETS
