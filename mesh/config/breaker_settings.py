"""When a circuit breaker opens, for how long, and what closes it: its settings and their defaults.

The defaults of the rates follow the best-known breakers: half of at least twenty calls in ten seconds (Hystrix), each
opening in a row one and a half times as long as the last (resilience4j's own default), up to ten minutes.
"""

import math
from dataclasses import dataclass

DURATIONS = ("slow_s", "window_s", "open_s", "longest_open_s", "probe_lease_s")
"""The settings that are seconds above 0."""

STEEPEST = 10.0
"""The most by which an opening may be longer than the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """The settings of one breaker."""

    consecutive_failures: int = 3
    """Failures in a row that open it; 0 counts none."""
    failure_rate: float = 0.5
    """The share of failed calls in the window that opens it, at most 1; 0 looks at none."""
    slow_rate: float = 0.0
    """The share of slow calls in the window that opens it, at most 1; 0 looks at none."""
    slow_s: float = 5.0
    """Seconds from which on a call is slow, above 0. Worth something only below the binding's deadline."""
    window_s: float = 10.0
    """Seconds that the rates look back, above 0."""
    buckets: int = 10
    """Steps in which the window moves on, at least 1."""
    minimum_calls: int = 20
    """Calls in the window below which no rate means anything, at least 1."""
    open_s: float = 60.0
    """Seconds before it lets a probe through, above 0."""
    growth: float = 1.5
    """By what each opening in a row is longer than the last, 1 to 10."""
    longest_open_s: float = 600.0
    """Seconds that no opening is longer than, but for its jitter; what is below open_s counts as open_s."""
    jitter: float = 0.1
    """The share of its time by which an opening is longer at most, by chance, 0 to 1."""
    probes: int = 1
    """Calls that half-open lets through, all of which must succeed, at least 1."""
    probe_lease_s: float = 30.0
    """Seconds after which a probe that was never heard of gives its place back, so that half-open can't stick."""
    enabled: bool = True
    """False starts it DISABLED."""
    enforced: bool = True
    """False starts it METRICS_ONLY: it counts and tells, and refuses nothing, so that a setting can be tried out."""

    def __post_init__(self) -> None:
        """Refuses settings under which a breaker would make no sense.

        Raises:
            ValueError: a number is out of range; all that are, are named.
        """
        wrong = [name for name in DURATIONS if not 0 < getattr(self, name) < math.inf]
        wrong += [name for name in ("buckets", "minimum_calls", "probes") if getattr(self, name) < 1]
        wrong += [name for name in ("failure_rate", "slow_rate", "jitter") if not 0 <= getattr(self, name) <= 1]
        wrong += ["consecutive_failures"] * (self.consecutive_failures < 0)
        wrong += ["growth"] * (not 1 <= self.growth <= STEEPEST)
        if wrong:
            raise ValueError(f"out of range: {', '.join(wrong)}")

    @property
    def has_rates(self) -> bool:
        """Whether calls need to be counted over time."""
        return self.failure_rate > 0 or self.slow_rate > 0
