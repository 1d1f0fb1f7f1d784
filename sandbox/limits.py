"""The only place that decides whether a key may call now: plans, calls per second, calls per day."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_DAY_S = 86_400
_PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often one caller may call."""

    per_second: int = 0
    """Calls in a second; 0 is without limit."""
    per_day: int = 0
    """Calls in a day; 0 is without limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Limits):
    """What a subscription allows. The daily figures are third parties' reports, so all of it can be set otherwise."""

    name: str
    host: str
    """The host that answers keys of the plan; any other denies them."""
    bulk: int
    """ISBNs in one POST /books."""


PLANS = {
    plan.name: plan
    for plan in (
        Plan(name="trial", host="api2.isbndb.com", per_second=1, per_day=500, bulk=100),
        Plan(name="basic", host="api2.isbndb.com", per_second=1, per_day=7_500, bulk=100),
        Plan(name="premium", host="api.premium.isbndb.com", per_second=3, per_day=15_000, bulk=1_000),
        Plan(name="pro", host="api.pro.isbndb.com", per_second=5, per_day=30_000, bulk=1_000),
        Plan(name="enterprise", host="api.enterprise.isbndb.com", per_second=10, per_day=0, bulk=1_000),
    )
}


class Verdict(enum.Enum):
    """What becomes of a call."""

    ADMITTED = "admitted"
    TOO_FAST = "too fast"
    SPENT = "spent"


def utc_day(now: float) -> int:
    """The number of UTC's day: ISBNdb's."""
    return int(now // _DAY_S)


def pacific_day(now: float) -> int:
    """The number of the day that begins at midnight Pacific time, summer or winter: Google's."""
    return datetime.fromtimestamp(now, _PACIFIC).toordinal()


class Meter:
    """The limits of one caller, by key or otherwise.

    The second is a bucket of `per_second` calls that fills steadily, as the gateway's is: a burst of that many may
    follow a pause, and a client that calls evenly is let through with as much jitter as the bucket holds.
    A call that is refused costs nothing; one that is admitted is billed whatever its answer.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float], day: Callable[[float], int] = utc_day) -> None:
        """Starts with a full bucket and nothing spent.

        Args:
            limits: What the caller may do.
            clock: Seconds since the epoch.
            day: The number of the day that a time lies in: when it changes, the day's calls are given anew.
        """
        self.limits = limits
        self._clock = clock
        self._day_of = day
        self._tokens = float(limits.per_second)
        self._filled = clock()
        self._day = day(self._filled)
        self._spent = 0

    @property
    def spent(self) -> int:
        """Calls billed today."""
        self._turn_day(self._clock())
        return self._spent

    @property
    def left(self) -> int:
        """Calls that today still holds; 0 also when there is no limit."""
        return max(0, self.limits.per_day - self.spent)

    def admit(self) -> Verdict:
        """Lets a call through or refuses it, and bills it if it passes."""
        now = self._clock()
        self._turn_day(now)
        if self.limits.per_day and self._spent >= self.limits.per_day:
            return Verdict.SPENT
        if self.limits.per_second and not self._take(now):
            return Verdict.TOO_FAST
        self._spent += 1
        return Verdict.ADMITTED

    def charge(self, calls: int) -> None:
        """Bills calls beside the admitted one: a bulk look-up under a tariff by ISBN."""
        self._spent += calls

    def _take(self, now: float) -> bool:
        """Fills the bucket for the time gone by and takes one call out of it."""
        gone = max(0.0, now - self._filled)  # a clock set back gives nothing
        self._tokens = min(float(self.limits.per_second), self._tokens + gone * self.limits.per_second)
        self._filled = now
        # The sum of many small fillings may miss a whole call by a rounding error.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True

    def _turn_day(self, now: float) -> None:
        """Forgets what was spent when the day has changed."""
        day = self._day_of(now)
        if day != self._day:
            self._day, self._spent = day, 0
