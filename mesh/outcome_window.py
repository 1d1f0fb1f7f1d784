"""What became of the calls of the last seconds, in time buckets that expire one by one; pure, on given times."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Calls that say something of their callee."""

    calls: int = 0
    """All of them."""
    failures: int = 0
    """Those that failed."""
    slow: int = 0
    """Those that took too long, however they ended."""


class OutcomeWindow:
    """A sliding window of calls; its memory and its cost do not grow with the calls.

    Args:
        window_s: how far it looks back, in seconds.
        buckets: in how many steps it forgets; the last second's calls go at once when there is one bucket a second.
    """

    def __init__(self, window_s: float, buckets: int) -> None:
        self._step_s = window_s / buckets
        self._buckets = [Counts() for _ in range(buckets)]
        self._newest = 0
        self._current = self._buckets[0]
        self._current_until = self._step_s
        self.total = Counts()

    def record(self, now: float, *, failed: bool, slow: bool) -> None:
        """Adds one call that ended at `now`, in seconds that never go back."""
        if now >= self._current_until:
            self.advance(now)
        # Most calls went well and were quick, and each passes here: they cost two additions.
        current, total = self._current, self.total
        current.calls += 1
        total.calls += 1
        if failed:
            current.failures += 1
            total.failures += 1
        if slow:
            current.slow += 1
            total.slow += 1

    def advance(self, now: float) -> None:
        """Forgets what is older than the window. A clock that was set back changes nothing."""
        step = int(now / self._step_s)
        if step <= self._newest:
            return
        # A window that nobody looked at for long is emptied once, not once for each step that has passed.
        for each in range(max(self._newest + 1, step - len(self._buckets) + 1), step + 1):
            expired = self._buckets[each % len(self._buckets)]
            self.total.calls -= expired.calls
            self.total.failures -= expired.failures
            self.total.slow -= expired.slow
            expired.calls = expired.failures = expired.slow = 0
        self._newest = step
        self._current = self._buckets[step % len(self._buckets)]
        self._current_until = (step + 1) * self._step_s

    def clear(self) -> None:
        """Forgets everything."""
        for counts in (*self._buckets, self.total):
            counts.calls = counts.failures = counts.slow = 0
