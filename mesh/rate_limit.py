"""How many calls a second each caller may make: a token bucket for each (Turner, 1986; RFC 2697 calls it a meter)."""

from cachetools import LRUCache

from mesh.call import Clock

_CALLERS = 1_000
"""Callers that are remembered; who was long silent has a full bucket anyway."""


_ROUNDING = 1e-6
"""Of a call: who waits as long as it was told must not be told to wait again for what a float could not hold."""


class RateLimit:
    """The buckets of one entrypoint.

    Args:
        per_s: calls a second that a caller may make for ever, above 0.
        burst: calls that it may make at once, at least 1.
        clock: seconds that never go back.
    """

    def __init__(self, *, per_s: float, burst: int, clock: Clock) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._clock = clock
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(_CALLERS)

    def take(self, caller: str) -> float:
        """Takes one call from a caller's bucket: 0 when it may go on, else the seconds until it may."""
        now = self._clock()
        tokens, since = self._buckets.get(caller, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._per_s)
        if tokens < 1 - _ROUNDING:
            self._buckets[caller] = (tokens, now)
            return (1 - tokens) / self._per_s
        self._buckets[caller] = (tokens - 1, now)
        return 0.0
