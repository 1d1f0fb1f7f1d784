"""Counts calls: how many, how they ended, how long they took, for each method served and each binding called."""

import math
from collections import Counter
from dataclasses import dataclass, field

import grpc

from mesh.status import MeshError

_STEPS = 16
"""Buckets to each doubling, as in HdrHistogram: a quantile is off by at most a sixteenth."""

_LOWEST = -20
"""The exponent of the smallest doubling: 2**-20 s is about a microsecond."""

_HIGHEST = 13
"""The exponent of the largest: 2**13 s is over two hours."""

_SHORTEST_S = 2.0 ** (_LOWEST - 1)
"""Where the first bucket begins."""

_LAST = (_HIGHEST - _LOWEST) * _STEPS - 1
"""The last bucket."""


_WAITING = 128
"""Durations that wait to be sorted in. One alone costs a call more to sort in than all else that is counted of it, for
nothing of that work is in the processor's caches by then; of many each costs a tenth."""


class Histogram:
    """How long calls took, in buckets that grow from a microsecond to two hours; recording is next to nothing."""

    __slots__ = ("_counts", "_max_s", "_sorted", "_total_s", "waiting")

    def __init__(self) -> None:
        self._counts = [0] * (_LAST + 1)
        self._sorted = 0
        self._total_s = 0.0
        self._max_s = 0.0
        self.waiting: list[float] = []
        """Durations that were added, and not yet sorted in."""

    def record(self, seconds: float) -> None:
        """Adds one duration, in seconds."""
        self.waiting.append(seconds)
        if len(self.waiting) >= _WAITING:
            self.sort_in()

    @property
    def count(self) -> int:
        """How many durations there are."""
        return self._sorted + len(self.waiting)

    @property
    def total_s(self) -> float:
        """Their sum."""
        self.sort_in()
        return self._total_s

    @property
    def max_s(self) -> float:
        """The longest; 0 before the first."""
        self.sort_in()
        return self._max_s

    def sort_in(self) -> None:
        """Puts those that wait where they belong."""
        counts, waiting = self._counts, self.waiting
        for seconds in waiting:
            bucket = 0
            if seconds >= _SHORTEST_S:
                mantissa, exponent = math.frexp(seconds)
                bucket = min(_LAST, (exponent - _LOWEST) * _STEPS + int((mantissa - 0.5) * 2 * _STEPS))
            counts[bucket] += 1
        self._sorted += len(waiting)
        self._total_s += sum(waiting)
        self._max_s = max(self._max_s, *waiting, 0.0)
        waiting.clear()

    def __add__(self, other: "Histogram") -> "Histogram":
        """The durations of both."""
        self.sort_in()
        other.sort_in()
        both = Histogram()
        both._counts = [mine + theirs for mine, theirs in zip(self._counts, other._counts, strict=True)]
        both._sorted = self._sorted + other._sorted
        both._total_s = self._total_s + other._total_s
        both._max_s = max(self._max_s, other._max_s)
        return both

    def mean_s(self) -> float:
        """The mean in seconds; 0 before the first."""
        return self.total_s / self.count if self.count else 0.0

    def quantile_s(self, share: float) -> float:
        """Seconds that this share (0 to 1) of the durations did not exceed; 0 before the first."""
        self.sort_in()
        wanted = share * self._sorted
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                doubling, step = divmod(bucket, _STEPS)
                middle = 0.5 + (step + 0.5) / (2 * _STEPS)
                return min(self._max_s, math.ldexp(middle, doubling + _LOWEST))
        return self._max_s


@dataclass(slots=True)
class Series:
    """The calls of one method, as one side saw them."""

    method: str
    """The path on the wire."""
    binding: str = ""
    """The binding, on the calling side."""
    service: str = ""
    """The service at the other end, on the calling side."""
    active: int = 0
    """Calls under way."""
    failures: Counter[str] = field(default_factory=Counter)
    """Ended calls by the name of their status, other than OK."""
    circuit_open: int = 0
    """Calls that the breaker refused."""
    latency: Histogram = field(default_factory=Histogram)
    """How long ended calls took."""

    def ended(self, seconds: float, error: MeshError | None) -> None:
        """Counts one call that was under way and has ended; None is success."""
        self.active -= 1
        waiting = self.latency.waiting
        waiting.append(seconds)  # as `record` does; each call comes here, and a call more costs as much as all of it
        if len(waiting) >= _WAITING:
            self.latency.sort_in()
        if error is not None:
            self.failures[error.code.name] += 1
            self.circuit_open += error.reason == "CIRCUIT_OPEN"

    @property
    def codes(self) -> Counter[str]:
        """Ended calls by the name of their status."""
        return +Counter({"OK": self.call_count - self.failure_count, **self.failures})

    @property
    def seen(self) -> bool:
        """Whether there was any call yet."""
        return self.active > 0 or self.latency.count > 0

    @property
    def call_count(self) -> int:
        """Calls that have ended."""
        return self.latency.count

    @property
    def failure_count(self) -> int:
        """Calls that ended with another status than OK."""
        return self.failures.total()

    @property
    def timeout_count(self) -> int:
        """Calls that ran out of time."""
        return self.failures[grpc.StatusCode.DEADLINE_EXCEEDED.name]


class Stats:
    """Every series of one service."""

    def __init__(self) -> None:
        self._served: dict[str, Series] = {}
        self._bindings: dict[tuple[str, str], Series] = {}

    def served(self, method: str) -> Series:
        """The series of a method that the service answers."""
        return self._served.setdefault(method, Series(method))

    def called(self, binding: str, service: str, method: str) -> Series:
        """The series of a method that the service calls through a binding."""
        return self._bindings.setdefault((binding, method), Series(method, binding, service))

    def all_served(self) -> list[Series]:
        """Every series of answered calls that has any, by method."""
        return [series for _, series in sorted(self._served.items()) if series.seen]

    def all_bindings(self) -> list[Series]:
        """Every series of calls made that has any, by binding and method."""
        return [series for _, series in sorted(self._bindings.items()) if series.seen]
