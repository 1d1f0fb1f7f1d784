"""The circuit breaker: a pure state machine on a given clock, one for each caller, callee and method.

States and moves::

    CLOSED ──failures in a row, or a rate over its threshold──> OPEN ──its time is over──> HALF_OPEN
      ^                                                          ^                           │  │
      │                                                          └──────a probe fails────────┘  │
      └──────────────────────────────────all probes succeed─────────────────────────────────────┘
    by hand, and until set again: FORCED_OPEN, DISABLED, METRICS_ONLY

The shipped setting, three failures in a row and sixty seconds, is that of the system this one replaces. The rates stand
beside it for callees that fail now and then, and never three times running.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from mesh.breaker_settings import BreakerSettings
from mesh.call import Clock
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
_METRICS_ONLY, _DISABLED = BreakerState.METRICS_ONLY, BreakerState.DISABLED
_SUCCESS, _FAILURE = Outcome.SUCCESS, Outcome.FAILURE

_SETTABLE = frozenset({_CLOSED, BreakerState.FORCED_OPEN, _DISABLED, _METRICS_ONLY})
"""What a person may set; OPEN and HALF_OPEN are reached by calls and time alone."""


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
    """Seconds until a probe may pass."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person would want to know of."""

    old: BreakerState
    """Where the breaker stood."""
    new: BreakerState
    """Where it stands; METRICS_ONLY again when it would have opened, were it not for measuring only."""
    why: str
    """What moved it: "consecutive_failures", "failure_rate", "slow_rate", "time", "probe", "hand"."""


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
        self.state = _CLOSED if settings.enabled else _DISABLED
        self.changed_at = clock()
        self.consecutive_failures = 0
        self.permitted_count = 0
        self.refused_count = 0
        self._permit = Permit(0)
        self._open_s = 0.0
        self._openings = 0
        self._leases: dict[int, float] = {}
        self._probe_number = 0
        self._probe_successes = 0
        self._told = False

    def acquire(self) -> Permit | Refusal:
        """Asks leave for one call."""
        state = self.state
        if state is _CLOSED or state is _METRICS_ONLY or state is _DISABLED:
            self.permitted_count += 1
            return self._permit
        if state is _OPEN and self._clock() - self.changed_at >= self._open_s:
            self._move(_HALF_OPEN, "time")
        if self.state is _HALF_OPEN and (probe := self._lease()) is not None:
            self.permitted_count += 1
            return Permit(self._permit.generation, probe)
        self.refused_count += 1
        return Refusal(self.retry_after_s())

    def release(self, permit: Permit, outcome: Outcome, elapsed_s: float = 0.0) -> None:
        """Gives a permit back with what became of the call and how long it took.

        One from before a change of state counts for nothing, nor does a probe whose lease went to another.
        """
        if permit.generation != self._permit.generation or self.state is _DISABLED:
            return
        if permit.probe is not None:
            if self._leases.pop(permit.probe, None) is not None:
                self._judge_probe(outcome, elapsed_s)
        elif outcome is _SUCCESS or outcome is _FAILURE:
            self._count(failed=outcome is _FAILURE, elapsed_s=elapsed_s)

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
            return max(0.0, self.changed_at + self._open_s - self._clock())
        if self.state is _HALF_OPEN and len(self._leases) + self._probe_successes >= self._settings.probes:
            return max(0.0, min(self._leases.values()) + self._settings.probe_lease_s - self._clock())
        return 0.0

    def _count(self, *, failed: bool, elapsed_s: float) -> None:
        self.consecutive_failures = self.consecutive_failures + 1 if failed else 0
        if self._window is not None:
            self._window.record(self._clock(), failed=failed, slow=self._is_slow(elapsed_s))
            if not (failed or self._settings.slow_rate):
                return
        elif not failed:
            return
        why = self._why_open()
        if why is None:
            return
        if self.state is _CLOSED:
            self._open(why)
        elif not self._told:
            self._told = True
            self._tell(Event(self.state, self.state, why))

    def _why_open(self) -> str | None:
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

    def _judge_probe(self, outcome: Outcome, elapsed_s: float) -> None:
        slow = self._settings.slow_rate > 0 and self._is_slow(elapsed_s)
        if outcome is _FAILURE or (outcome is _SUCCESS and slow):
            self._open("probe")
        elif outcome is _SUCCESS:
            self._probe_successes += 1
            if self._probe_successes >= self._settings.probes:
                self._openings = 0
                self._move(_CLOSED, "probe")

    def _is_slow(self, elapsed_s: float) -> bool:
        return elapsed_s >= self._settings.slow_s

    def _lease(self) -> int | None:
        """A place for a probe, if one is free; a probe that was never heard of has lost its place."""
        now, lease_s = self._clock(), self._settings.probe_lease_s
        for number in [number for number, since in self._leases.items() if now - since >= lease_s]:
            del self._leases[number]
        if len(self._leases) + self._probe_successes >= self._settings.probes:
            return None
        self._probe_number += 1
        self._leases[self._probe_number] = now
        return self._probe_number

    def _open(self, why: str) -> None:
        """Opens, each time in a row for longer; callers that opened together do not come back together."""
        settings = self._settings
        # An exponent that grows for ever would be too large for a float one day.
        grown = settings.open_s * settings.growth ** min(self._openings, 64)
        self._open_s = min(grown, max(settings.open_s, settings.longest_open_s)) * (
            1 + settings.jitter * self._chance()
        )
        self._openings += 1
        self._move(_OPEN, why)

    def _move(self, state: BreakerState, why: str) -> None:
        old, self.state = self.state, state
        self.changed_at = self._clock()
        self.consecutive_failures = 0 if state is not _OPEN else self.consecutive_failures
        self._permit = Permit(self._permit.generation + 1)
        self._leases.clear()
        self._probe_successes = 0
        self._told = False
        if self._window is not None:
            self._window.clear()
        self._tell(Event(old, state, why))
