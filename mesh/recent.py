"""How long a callee lately needed: the histogram of the last minute or two, forgotten in halves."""

from mesh.stats import Histogram

WINDOW_S = 60.0
"""Seconds after which a half is forgotten; what is told covers one to two of them."""

LEAST = 20
"""Durations below which nothing is told: too few to judge by."""

_TOLD_S = 1.0
"""Seconds that an answer is good for; finding one takes as long as a call."""


class Recent:
    """The durations of one method's successful calls. All times are seconds on one clock."""

    def __init__(self) -> None:
        self._now, self._before = Histogram(), Histogram()
        self._until = 0.0
        self._told: dict[float, tuple[float, float]] = {}

    def record(self, now: float, seconds: float) -> None:
        """Adds one duration."""
        if now >= self._until:
            self._turn(now)
        self._now.record(seconds)

    def quantile_s(self, now: float, share: float) -> float | None:
        """Seconds that this share (0 to 1) of the durations did not exceed; None when there are too few to tell."""
        told = self._told.get(share)
        if told is not None and now < told[0]:
            return told[1]
        if now >= self._until:
            self._turn(now)
        if self._now.count + self._before.count < LEAST:
            return None
        found = (self._now + self._before).quantile_s(share)
        self._told[share] = (now + _TOLD_S, found)
        return found

    def _turn(self, now: float) -> None:
        # After a long pause both halves are too old.
        self._before = self._now if now < self._until + WINDOW_S else Histogram()
        self._now = Histogram()
        self._until = now + WINDOW_S
