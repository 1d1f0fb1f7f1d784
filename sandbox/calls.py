"""The only place that counts the calls which the sandbox's providers answered; no key is ever kept."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

KEPT = 200
"""How many of the last calls are kept."""
NO_ANSWER = 0
"""The status of a call that was dropped without an answer."""


@dataclass(slots=True)
class Ticket:
    """One call under way."""

    endpoint: str
    target: str
    provider: str
    started: float
    isbn_count: int = 0
    """ISBNs in a bulk look-up."""


@dataclass(slots=True)
class Tally:
    """Counters of some of the calls."""

    total: int = 0
    running: int = 0
    peak: int = 0
    by_endpoint: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    _starts: deque[float] = field(default_factory=deque)
    _peak_per_second: int = 0
    _previous: float | None = None
    _shortest_gap_s: float | None = None

    def begin(self, endpoint: str, now: float) -> None:
        """Counts a call in."""
        self.total += 1
        self.running += 1
        self.peak = max(self.peak, self.running)
        self.by_endpoint[endpoint] += 1
        if self._previous is not None:
            gap = now - self._previous
            self._shortest_gap_s = gap if self._shortest_gap_s is None else min(gap, self._shortest_gap_s)
        self._previous = now
        self._starts.append(now)
        while self._starts[0] <= now - 1:
            self._starts.popleft()
        self._peak_per_second = max(self._peak_per_second, len(self._starts))

    def end(self, status: int) -> None:
        """Counts a call out."""
        self.running -= 1
        self.by_status[status] += 1

    def reset(self) -> None:
        """Forgets all calls but those under way."""
        self.total = 0
        self.peak = self.running
        self.by_endpoint.clear()
        self.by_status.clear()
        self._starts.clear()
        self._peak_per_second = 0
        self._previous = self._shortest_gap_s = None

    def report(self) -> dict[str, object]:
        """The counters as JSON."""
        return {
            "total": self.total,
            "running": self.running,
            "peak_concurrency": self.peak,
            "peak_per_second": self._peak_per_second,
            "shortest_gap_ms": None if self._shortest_gap_s is None else round(self._shortest_gap_s * 1000, 3),
            "by_endpoint": dict(sorted(self.by_endpoint.items())),
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
        }


@dataclass(slots=True)
class Calls:
    """Counters since the start or the last reset, of all calls and by provider."""

    clock: Callable[[], float]
    every: Tally = field(default_factory=Tally)
    by_provider: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    last: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def begin(self, endpoint: str, target: str, provider: str) -> Ticket:
        """Counts a call in.

        Args:
            endpoint: Method and route, "GET /book/{isbn}".
            target: Path and query without anything secret.
            provider: The name of the provider that it is for.
        """
        now = self.clock()
        self.every.begin(endpoint, now)
        self.by_provider[provider].begin(endpoint, now)
        return Ticket(endpoint, target, provider, now)

    def end(self, ticket: Ticket, status: int) -> None:
        """Counts a call out with the status of its answer, or NO_ANSWER."""
        self.every.end(status)
        self.by_provider[ticket.provider].end(status)
        self.last.append(
            {
                "endpoint": ticket.endpoint,
                "target": ticket.target,
                "provider": ticket.provider,
                "status": status,
                "isbn_count": ticket.isbn_count,
                "start_time": round(ticket.started, 6),
                "took_ms": round((self.clock() - ticket.started) * 1000, 3),
            },
        )

    def reset(self) -> None:
        """Forgets all calls but those under way."""
        for tally in (self.every, *self.by_provider.values()):
            tally.reset()
        self.last.clear()

    def report(self, kept: int = KEPT) -> dict[str, object]:
        """The counters as JSON, with the last calls, the newest last."""
        return {
            **self.every.report(),
            "by_provider": {name: tally.report() for name, tally in sorted(self.by_provider.items())},
            "last": list(self.last)[-kept:] if kept else [],
        }
