"""The only place that counts the calls made to ISBNdb, by process and by day of UTC."""

from collections.abc import Callable

from mesh.status import ResourceExhaustedError
from services.isbndb import faults

_DAY_S = 86_400


class Quota:
    """Calls of this process. Replicas do not know of each other's, so the real count may be higher.

    A call is counted when it is sent, whatever comes of it, for ISBNdb is said to bill errors too.

    Args:
        calls_per_day: what the plan allows; 0 is no limit.
        clock: seconds since the epoch, for the day is UTC's.
    """

    def __init__(self, calls_per_day: int, clock: Callable[[], float]) -> None:
        self.calls_per_day = calls_per_day
        self.call_count = 0
        """Calls since the process started."""
        self._clock = clock
        self._day = self._today()
        self._used = 0

    @property
    def used(self) -> int:
        """Calls since the last midnight of UTC."""
        return self._used if self._day == self._today() else 0

    @property
    def spent(self) -> bool:
        """The day holds no further call, by our own count."""
        return bool(self.calls_per_day) and self.used >= self.calls_per_day

    def reset_at(self) -> float:
        """The next midnight of UTC, in seconds since the epoch."""
        return (self._today() + 1) * float(_DAY_S)

    def check(self) -> None:
        """Returns while the day still holds a call.

        Raises:
            ResourceExhaustedError: QUOTA_SPENT, with the time of the reset.
        """
        if self.spent:
            raise self.refusal()

    def refusal(self) -> ResourceExhaustedError:
        """The error of a call that the day no longer holds."""
        return faults.quota_spent(self.reset_at(), self._clock())

    def take(self) -> None:
        """Counts a call.

        Raises:
            ResourceExhaustedError: QUOTA_SPENT; nothing is counted.
        """
        self.check()
        self._used = self.used + 1
        self._day = self._today()
        self.call_count += 1

    def _today(self) -> int:
        return int(self._clock() // _DAY_S)
