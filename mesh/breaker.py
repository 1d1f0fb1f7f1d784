"""The circuit breaker: a pure state machine on a given clock, one for each caller, callee and method.

States and moves::

    CLOSED ──failures in a row, or a rate over its threshold──> OPEN ──its time is over──> HALF_OPEN
      ^                                                          ^                           │  │
      │                                                          └──────a probe fails────────┘  │
      └──────────────────────────────────all probes succeed─────────────────────────────────────┘
    by hand, and until set again: FORCED_OPEN, DISABLED, METRICS_ONLY

The shipped setting, three failures in a row and sixty seconds, is that of the system this one replaces. The rates stand
beside it for callees that fail now and then, and never three times running. Only a call that failed or was slow opens a
breaker: one that went well may complete the minimum volume, but is no reason to stop calling.
"""

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mesh.call import Clock
from mesh.config.breaker_settings import BreakerSettings
from mesh.outcome_window import OutcomeWindow
from mesh.status import Outcome


class BreakerState(enum.Enum):
    """Where a breaker stands; the names are those of the contract."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    FORCED_OPEN = "FORCED_OPEN"
    DISABLED = "DISABLED"
    METRICS_ONLY = "METRICS_ONLY"


# Looking a member up in its class costs five times as much, and each call does it.
_CLOSED, _OPEN, _HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
_METRICS_ONLY, _DISABLED, _FORCED_OPEN = BreakerState.METRICS_ONLY, BreakerState.DISABLED, BreakerState.FORCED_OPEN
_SUCCESS, _FAILURE = Outcome.SUCCESS, Outcome.FAILURE

_SETTABLE = frozenset({_CLOSED, _FORCED_OPEN, _DISABLED, _METRICS_ONLY})
"""What a person may set; OPEN and HALF_OPEN are reached by calls and time alone."""

Why = Literal["consecutive_failures", "failure_rate", "slow_rate", "time", "probe", "hand"]
"""What moves a breaker."""

_STEEPEST = 64
"""Openings in a row after which they grow no more: an exponent without end is too large for a float one day."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call; give it back with its outcome."""

    generation: int
    """The breaker's generation when it was given; an older one's outcome changes nothing."""
    probe: int | None = None
    """The number of a half-open breaker's probe; None is an ordinary call."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave."""

    retry_after_s: float
    """Seconds until a probe may pass, above 0; of a breaker forced open, whose end nobody knows, a whole opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person would want to know of."""

    at: float
    """When, on the breaker's clock."""
    old: BreakerState
    """Where the breaker stood."""
    new: BreakerState
    """Where it stands; METRICS_ONLY again when it would have opened, were it not for measuring only."""
    why: Why
    """What moved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the rates are at a moment."""

    calls: int
    """Calls in the window that succeeded or failed; 0 where no rate is looked at."""
    failure_rate: float | None
    """The share of them that failed, 0 to 1; None below the minimum volume, where it means nothing."""
    slow_rate: float | None
    """The share of them that were slow, 0 to 1; None below the minimum volume, and where no call is timed."""


def _first_state(settings: BreakerSettings) -> BreakerState:
    if not settings.enabled:
        return _DISABLED
    return _CLOSED if settings.enforced else _METRICS_ONLY


class Breaker:
    """One circuit breaker. Not thread-safe: it lives on one event loop and never waits.

    Args:
        settings: when it opens.
        clock: seconds from some fixed point, never going back.
        chance: a number from 0 to below 1, for the jitter of the time it stays open.
        tell: hears of every move, after it.
    """

    def __init__(
        self,
        settings: BreakerSettings,
        clock: Clock,
        chance: Callable[[], float] = lambda: 0.0,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._window = OutcomeWindow(settings.window_s, settings.buckets) if settings.has_rates else None
        self.times_calls = settings.slow_rate > 0
        self._slow_s = settings.slow_s if self.times_calls else math.inf
        self.state = _first_state(settings)
        self.changed_at = clock()
        self.last_event: Event | None = None
        self.consecutive_failures = 0
        self.permitted_count = 0
        self.refused_count = 0
        self._permit = Permit(0)
        self._probe_at = 0.0
        self._openings = 0
        self._leases: dict[int, float] = {}
        self._probe_number = 0
        self._probe_successes = 0
        self._told = False

    def acquire(self) -> Permit | Refusal:
        """Asks leave for one call."""
        state = self.state
        if state is _CLOSED or state is _METRICS_ONLY:
            self.permitted_count += 1
            return self._permit
        if state is _DISABLED:
            return self._permit
        if state is _OPEN and self._clock() >= self._probe_at:
            self._move(_HALF_OPEN, "time")
        if self.state is _HALF_OPEN and (probe := self._lease()) is not None:
            self.permitted_count += 1
            return Permit(self._permit.generation, probe)
        self.refused_count += 1
        return Refusal(self._settings.open_s if state is _FORCED_OPEN else self.retry_after_s())

    def release(self, permit: Permit, outcome: Outcome, elapsed_s: float = 0.0) -> None:
        """Gives a permit back with what became of the call, and how long it took where `times_calls` asks for that.

        One from before a change of state counts for nothing, nor does a probe whose lease went to another.
        """
        if permit.generation != self._permit.generation or self.state is _DISABLED:
            return
        if permit.probe is not None:
            if self._leases.pop(permit.probe, None) is not None:
                self._judge_probe(outcome, slow=elapsed_s >= self._slow_s)
        elif outcome is _SUCCESS or outcome is _FAILURE:
            self._count(failed=outcome is _FAILURE, slow=elapsed_s >= self._slow_s)

    def set(self, state: BreakerState) -> None:
        """Moves the breaker by hand; it also forgets what it counted.

        Raises:
            ValueError: OPEN and HALF_OPEN are not for hands.
        """
        if state not in _SETTABLE:
            raise ValueError(f"{state.value} can't be set by hand")
        self._openings = 0
        self._move(state, "hand")

    def retry_after_s(self) -> float:
        """Seconds until a probe may pass; 0 when calls pass, or when only a person can say."""
        if self.state is _OPEN:
            return max(0.0, self._probe_at - self._clock())
        if self.state is _HALF_OPEN and not self._places():
            return max(0.0, min(self._leases.values()) + self._settings.probe_lease_s - self._clock())
        return 0.0

    def measured(self) -> Measured:
        """The rates as they are now."""
        if self._window is None:
            return Measured(calls=0, failure_rate=None, slow_rate=None)
        self._window.advance(self._clock())
        total = self._window.total
        if total.calls < self._settings.minimum_calls:
            return Measured(calls=total.calls, failure_rate=None, slow_rate=None)
        slow_rate = total.slow / total.calls if self.times_calls else None
        return Measured(calls=total.calls, failure_rate=total.failures / total.calls, slow_rate=slow_rate)

    def _count(self, *, failed: bool, slow: bool) -> None:
        self.consecutive_failures = self.consecutive_failures + 1 if failed else 0
        if self._window is not None:
            self._window.record(self._clock(), failed=failed, slow=slow)
        if not (failed or slow):
            return
        why = self._why_open()
        if why is None:
            return
        if self.state is _CLOSED:
            self._open(why)
        elif not self._told:
            self._told = True
            self._say(self._clock(), self.state, why)

    def _why_open(self) -> Why | None:
        settings = self._settings
        if 0 < settings.consecutive_failures <= self.consecutive_failures:
            return "consecutive_failures"
        if self._window is not None:
            total = self._window.total
            if total.calls >= settings.minimum_calls:
                if settings.failure_rate and total.failures >= settings.failure_rate * total.calls:
                    return "failure_rate"
                if settings.slow_rate and total.slow >= settings.slow_rate * total.calls:
                    return "slow_rate"
        return None

    def _judge_probe(self, outcome: Outcome, *, slow: bool) -> None:
        if outcome is _FAILURE or (outcome is _SUCCESS and slow):
            self._open("probe")
        elif outcome is _SUCCESS:
            self._probe_successes += 1
            if self._probe_successes >= self._settings.probes:
                self._openings = 0
                self._move(_CLOSED, "probe")

    def _places(self) -> int:
        """How many more probes may pass: those that succeeded already have had theirs."""
        return self._settings.probes - self._probe_successes - len(self._leases)

    def _lease(self) -> int | None:
        """A place for a probe, if one is free; a probe that was never heard of has lost its place."""
        now, lease_s = self._clock(), self._settings.probe_lease_s
        for number in [number for number, since in self._leases.items() if now - since >= lease_s]:
            del self._leases[number]
        if not self._places():
            return None
        self._probe_number += 1
        self._leases[self._probe_number] = now
        return self._probe_number

    def _open(self, why: Why) -> None:
        """Opens, each time in a row for longer; callers that opened together do not come back together."""
        settings = self._settings
        grown_s = settings.open_s * settings.growth ** min(self._openings, _STEEPEST)
        open_s = min(grown_s, max(settings.open_s, settings.longest_open_s))
        self._probe_at = self._clock() + open_s * (1 + settings.jitter * self._chance())
        self._openings += 1
        self._move(_OPEN, why)

    def _move(self, state: BreakerState, why: Why) -> None:
        old, self.state = self.state, state
        self.changed_at = self._clock()
        if state is not _OPEN:
            self.consecutive_failures = 0
        self._permit = Permit(self._permit.generation + 1)
        self._leases.clear()
        self._probe_successes = 0
        self._told = False
        if self._window is not None:
            self._window.clear()
        self._say(self.changed_at, old, why)

    def _say(self, at: float, old: BreakerState, why: Why) -> None:
        self.last_event = Event(at=at, old=old, new=self.state, why=why)
        self._tell(self.last_event)
