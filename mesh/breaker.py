"""The circuit breaker: a pure state machine on a given clock, one for each caller, callee and method.

States and moves::

    CLOSED ──consecutive failures──> OPEN ──open_s──> HALF_OPEN ──probe succeeds──> CLOSED
                                      ^                  └──────probe fails───────┐
                                      └───────────────────────────────────────────┘
    by hand, and until set again: FORCED_OPEN, DISABLED, METRICS_ONLY

The shipped setting, three failures in a row and sixty seconds, is that of the system this one replaces.
"""

import enum
from dataclasses import dataclass

from mesh.call import Clock
from mesh.status import Outcome


class BreakerState(enum.Enum):
    """Where a breaker stands; the names are those of the contract."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    FORCED_OPEN = "FORCED_OPEN"
    DISABLED = "DISABLED"
    METRICS_ONLY = "METRICS_ONLY"


_CLOSED = BreakerState.CLOSED  # looking a member up in its class costs five times as much, and each call does it

_SETTABLE = frozenset({BreakerState.CLOSED, BreakerState.FORCED_OPEN, BreakerState.DISABLED, BreakerState.METRICS_ONLY})
"""What a person may set; OPEN and HALF_OPEN are reached by calls and time alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """When a breaker opens, and for how long."""

    consecutive_failures: int = 3
    """Failures in a row that open it, at least 1."""
    open_s: float = 60.0
    """Seconds before it lets a probe through, above 0."""
    probe_lease_s: float = 30.0
    """Seconds after which a probe that was never heard of gives its place back, so that half-open can't stick."""
    enabled: bool = True
    """False starts it DISABLED."""

    def __post_init__(self) -> None:
        """Refuses settings under which a breaker would make no sense.

        Raises:
            ValueError: a number is out of range.
        """
        if self.consecutive_failures < 1:
            raise ValueError("consecutive_failures must be at least 1")
        if self.open_s <= 0 or self.probe_lease_s <= 0:
            raise ValueError("open_s and probe_lease_s must be above 0")


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call; give it back with its outcome."""

    generation: int
    """The breaker's generation when it was given; an older one's outcome changes nothing."""
    probe: bool
    """The call is the probe of a half-open breaker."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave."""

    retry_after_s: float
    """Seconds until a probe may pass."""


_SUCCESS = Outcome.SUCCESS


class Breaker:
    """One circuit breaker. Not thread-safe: it lives on one event loop and never waits.

    Args:
        settings: when it opens.
        clock: seconds from some fixed point, never going back.
    """

    def __init__(self, settings: BreakerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.state = BreakerState.CLOSED if settings.enabled else BreakerState.DISABLED
        self.changed_at = clock()
        self.consecutive_failures = 0
        self.permitted_count = 0
        self.refused_count = 0
        self._permit = Permit(0, probe=False)
        self._probe_since: float | None = None

    def acquire(self) -> Permit | Refusal:
        """Asks leave for one call."""
        state = self.state
        if state is _CLOSED:
            self.permitted_count += 1
            return self._permit
        if state is BreakerState.OPEN and self._clock() - self.changed_at >= self._settings.open_s:
            self._move(BreakerState.HALF_OPEN)
            state = BreakerState.HALF_OPEN
        if state is BreakerState.HALF_OPEN and self._probe_is_free():
            self._probe_since = self._clock()
            self.permitted_count += 1
            return Permit(self._permit.generation, probe=True)
        if state in {BreakerState.DISABLED, BreakerState.METRICS_ONLY}:
            self.permitted_count += 1
            return self._permit
        self.refused_count += 1
        return Refusal(self.retry_after_s())

    def release(self, permit: Permit, outcome: Outcome) -> None:
        """Gives a permit back with what became of the call; one from before a change of state counts for nothing."""
        if outcome is _SUCCESS and self.state is _CLOSED and permit is self._permit:
            # Nearly every call ends here.
            self.consecutive_failures = 0
            return
        if permit.generation != self._permit.generation or self.state is BreakerState.DISABLED:
            return
        if permit.probe:
            self._probe_since = None
        if outcome is Outcome.SUCCESS:
            self.consecutive_failures = 0
            if self.state is BreakerState.HALF_OPEN:
                self._move(BreakerState.CLOSED)
        elif outcome is Outcome.FAILURE:
            self.consecutive_failures += 1
            if self.state is BreakerState.HALF_OPEN or (
                self.state is BreakerState.CLOSED and self.consecutive_failures >= self._settings.consecutive_failures
            ):
                self._move(BreakerState.OPEN)

    def set(self, state: BreakerState) -> None:
        """Moves the breaker by hand; CLOSED also forgets what it counted.

        Raises:
            ValueError: OPEN and HALF_OPEN are not for hands.
        """
        if state not in _SETTABLE:
            raise ValueError(f"{state.value} can't be set by hand")
        self.consecutive_failures = 0
        self._move(state)

    def retry_after_s(self) -> float:
        """Seconds until a probe may pass; 0 when calls pass, or when only a person can say."""
        now = self._clock()
        if self.state is BreakerState.OPEN:
            return max(0.0, self.changed_at + self._settings.open_s - now)
        if self.state is BreakerState.HALF_OPEN and self._probe_since is not None:
            return max(0.0, self._probe_since + self._settings.probe_lease_s - now)
        return 0.0

    def _probe_is_free(self) -> bool:
        return self._probe_since is None or self._clock() - self._probe_since >= self._settings.probe_lease_s

    def _move(self, state: BreakerState) -> None:
        self.state = state
        self.changed_at = self._clock()
        self._permit = Permit(self._permit.generation + 1, probe=False)
        self._probe_since = None
