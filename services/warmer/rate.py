"""How fast a job goes, and how long it will take at that. Pure but for the clock that it is given."""

from collections import deque

from mesh.call import Clock

WINDOW_S = 10.0
"""Seconds that "lately" is: long enough to smooth a batch out, short enough to show that a job stands still."""

_STEP_S = 0.1
"""Seconds between two notes at least, so that a fast job does not fill the memory with them."""


class Rate:
    """Settled searches a second, over the last seconds.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._notes: deque[tuple[float, int]] = deque()

    def note(self, settled: int) -> None:
        """Takes down how many searches are settled now."""
        now = self._clock()
        if len(self._notes) > 1 and now - self._notes[-2][0] < _STEP_S:
            self._notes.pop()
        self._notes.append((now, settled))
        # The note before the window stays: it tells how much was settled when the window began.
        while len(self._notes) > 1 and self._notes[1][0] <= now - WINDOW_S:
            self._notes.popleft()

    def per_second(self) -> float:
        """Searches settled a second, lately; 0 while nothing is known."""
        if not self._notes:
            return 0.0
        now = self._clock()
        begin = next((note for note in reversed(self._notes) if note[0] <= now - WINDOW_S), self._notes[0])
        elapsed = now - begin[0]
        return (self._notes[-1][1] - begin[1]) / elapsed if elapsed > 0 else 0.0


def remaining_ms(left: int, per_second: float) -> int:
    """Milliseconds that the searches that are left take at a rate; -1 when it is unknown."""
    if not left:
        return 0
    return round(left / per_second * 1000) if per_second > 0 else -1
