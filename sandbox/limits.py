"""The only place that decides whether a key may call now: plans, calls per second, calls per day."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a subscription allows. The daily figures are third parties' reports, so all of it can be set otherwise."""

    name: str
    host: str
    """The host that answers keys of the plan; any other denies them."""
    per_second: int
    """Calls in a second; 0 is without limit."""
    per_day: int
    """Calls in a day of UTC; 0 is without limit."""
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


class Meter:
    """The limits of one key.

    The second is a bucket of `per_second` calls that fills steadily, as the gateway's is: a burst of that many may
    follow a pause, and a client that calls evenly is let through with as much jitter as the bucket holds.
    A call that is refused costs nothing; one that is admitted is billed whatever its answer.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        """Starts with a full bucket and nothing spent.

        Args:
            plan: The limits.
            clock: Seconds since the epoch: the day is UTC's.
        """
        self.plan = plan
        self._clock = clock
        self._tokens = float(plan.per_second)
        self._filled = clock()
        self._day = int(self._filled // _DAY_S)
        self._spent = 0

    @property
    def spent(self) -> int:
        """Calls billed today."""
        self._turn_day(self._clock())
        return self._spent

    @property
    def left(self) -> int:
        """Calls that today still holds; 0 also when there is no limit."""
        return max(0, self.plan.per_day - self.spent)

    def admit(self) -> Verdict:
        """Lets a call through or refuses it, and bills it if it passes."""
        now = self._clock()
        self._turn_day(now)
        if self.plan.per_day and self._spent >= self.plan.per_day:
            return Verdict.SPENT
        if self.plan.per_second and not self._take(now):
            return Verdict.TOO_FAST
        self._spent += 1
        return Verdict.ADMITTED

    def charge(self, calls: int) -> None:
        """Bills calls beside the admitted one: a bulk look-up under a tariff by ISBN."""
        self._spent += calls

    def _take(self, now: float) -> bool:
        """Fills the bucket for the time gone by and takes one call out of it."""
        gone = max(0.0, now - self._filled)  # a clock set back gives nothing
        self._tokens = min(float(self.plan.per_second), self._tokens + gone * self.plan.per_second)
        self._filled = now
        # The sum of many small fillings may miss a whole call by a rounding error.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True

    def _turn_day(self, now: float) -> None:
        """Forgets what was spent when UTC's day has changed."""
        day = int(now // _DAY_S)
        if day != self._day:
            self._day, self._spent = day, 0
