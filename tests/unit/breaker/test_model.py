"""A breaker driven at random against a model that keeps every call of its life in a list and counts anew each time.

All times are multiples of a quarter and all shares powers of two, so that both sides may be compared to the last bit.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings as run
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from mesh.breaker import Breaker, Event, Permit
from mesh.config.breaker_settings import BreakerSettings
from mesh.status import Outcome
from mesh.testing import FakeClock

SETTINGS = st.builds(
    BreakerSettings,
    consecutive_failures=st.integers(0, 3),
    failure_rate=st.sampled_from([0, 0.5, 1]),
    slow_rate=st.sampled_from([0, 0.5, 1]),
    slow_s=st.just(1.0),
    window_s=st.just(4.0),
    buckets=st.sampled_from([1, 2, 4]),
    minimum_calls=st.integers(1, 4),
    open_s=st.just(2.0),
    growth=st.sampled_from([1, 1.5, 2]),
    longest_open_s=st.sampled_from([1.0, 8.0]),
    jitter=st.sampled_from([0, 0.5]),
    probes=st.integers(1, 3),
    probe_lease_s=st.just(3.0),
    enabled=st.sampled_from([True, True, True, False]),
    enforced=st.sampled_from([True, True, True, False]),
)

CHANCE = 0.5

Leave = tuple[int, int]
"""Leave for a call: in which stay in a state it was given, and the how manieth of all."""


@dataclass
class Model:
    """What a breaker should do, in as few ideas as possible; states are words here."""

    settings: BreakerSettings
    now: float
    state: str = "CLOSED"
    stay: int = 0
    given: int = 0
    ended: list[tuple[float, bool, bool]] = field(default_factory=list)
    row: int = 0
    openings: int = 0
    probe_at: float = 0.0
    probing: dict[int, float] = field(default_factory=dict)
    succeeded: int = 0
    passed: int = 0
    refused: int = 0
    told: list[tuple[float, str, str, str]] = field(default_factory=list)
    would_open: bool = False

    def move(self, state: str, why: str) -> None:
        """Every stay in a state begins with nothing but the row that opened it."""
        self.told.append((self.now, self.state, state, why))
        self.state, self.stay = state, self.stay + 1
        self.ended, self.probing, self.succeeded, self.would_open = [], {}, 0, False
        if state != "OPEN":
            self.row = 0

    def open(self, why: str) -> None:
        """Opens, for longer each time."""
        said = self.settings
        longest_s = max(said.open_s, said.longest_open_s)
        lasts_s = min(longest_s, said.open_s * said.growth**self.openings)
        self.probe_at = self.now + lasts_s * (1 + said.jitter * CHANCE)
        self.openings += 1
        self.move("OPEN", why)

    def live_probes(self) -> dict[int, float]:
        """Probes whose lease is not over."""
        return {probe: at for probe, at in self.probing.items() if self.now < at + self.settings.probe_lease_s}

    def acquire(self) -> Leave | None:
        """Leave for a call, or none."""
        if self.state == "OPEN" and self.now >= self.probe_at:
            self.move("HALF_OPEN", "time")
        self.given += 1
        if self.state == "HALF_OPEN":
            self.probing = self.live_probes()
        is_free = len(self.probing) + self.succeeded < self.settings.probes
        if self.state in {"OPEN", "FORCED_OPEN"} or (self.state == "HALF_OPEN" and not is_free):
            self.refused += 1
            return None
        self.passed += self.state != "DISABLED"
        if self.state == "HALF_OPEN":
            self.probing[self.given] = self.now
        return self.stay, self.given

    def release(self, leave: Leave, outcome: Outcome, took_s: float) -> None:
        """What became of a call."""
        stay, given = leave
        failed = outcome is Outcome.FAILURE
        slow = self.settings.slow_rate > 0 and took_s >= self.settings.slow_s
        if stay != self.stay or self.state == "DISABLED":
            return
        if self.state == "HALF_OPEN":
            if self.probing.pop(given, None) is not None:
                self.judge(outcome, slow=slow)
        elif outcome in {Outcome.SUCCESS, Outcome.FAILURE}:
            self.row = self.row + 1 if failed else 0
            self.ended.append((self.now, failed, slow))
            why = self.why_open() if failed or slow else ""
            if why and self.state == "CLOSED":
                self.open(why)
            elif why and not self.would_open:
                self.would_open = True
                self.told.append((self.now, self.state, self.state, why))

    def judge(self, outcome: Outcome, *, slow: bool) -> None:
        """One bad probe opens; enough good ones close."""
        if outcome is Outcome.FAILURE or (outcome is Outcome.SUCCESS and slow):
            self.open("probe")
        elif outcome is Outcome.SUCCESS:
            self.succeeded += 1
            if self.succeeded == self.settings.probes:
                self.openings = 0
                self.move("CLOSED", "probe")

    def rated(self) -> list[tuple[bool, bool]]:
        """The calls in the window: its steps are those of the clock, and the one under way is the last of them."""
        step_s = self.settings.window_s / self.settings.buckets
        oldest = self.now // step_s - self.settings.buckets + 1
        looked_at = self.settings.failure_rate or self.settings.slow_rate
        return [(failed, slow) for at, failed, slow in self.ended if looked_at and at // step_s >= oldest]

    def rates(self) -> tuple[int, float | None, float | None]:
        """Calls, the share that failed, and the share that was slow."""
        rated, said = self.rated(), self.settings
        if len(rated) < said.minimum_calls:
            return len(rated), None, None
        slow = sum(slow for _, slow in rated) / len(rated) if said.slow_rate else None
        return len(rated), sum(failed for failed, _ in rated) / len(rated), slow

    def why_open(self) -> str:
        """The first reason to open; empty when there is none."""
        said = self.settings
        _, failed, slow = self.rates()
        if said.consecutive_failures and self.row >= said.consecutive_failures:
            return "consecutive_failures"
        if said.failure_rate and failed is not None and failed >= said.failure_rate:
            return "failure_rate"
        return "slow_rate" if said.slow_rate and slow is not None and slow >= said.slow_rate else ""

    def wait_s(self) -> float:
        """Seconds until a probe may pass."""
        if self.state == "OPEN":
            return max(0.0, self.probe_at - self.now)
        if self.state == "HALF_OPEN" and len(self.probing) + self.succeeded == self.settings.probes:
            return max(0.0, min(self.probing.values()) + self.settings.probe_lease_s - self.now)
        return 0.0


class Driving(RuleBasedStateMachine):
    """Everything that can happen to a breaker, in any order."""

    leaves: Bundle[Any] = Bundle("leaves")

    @initialize(settings=SETTINGS)
    def make(self, settings: BreakerSettings) -> None:
        """Any settings."""
        self.clock = FakeClock(1024.0)
        self.told: list[Event] = []
        self.breaker = Breaker(settings, self.clock, lambda: CHANCE, self.told.append)
        first = "DISABLED" if not settings.enabled else "CLOSED" if settings.enforced else "METRICS_ONLY"
        self.model = Model(settings, self.clock.now, first)

    @rule(target=leaves)
    def acquire(self) -> Any:
        """A call asks for leave; it may never be heard of again."""
        permit, leave = self.breaker.acquire(), self.model.acquire()
        assert isinstance(permit, Permit) == (leave is not None)
        if isinstance(permit, Permit):
            return permit, leave
        assert permit.retry_after_s == (self.model.wait_s() or self.model.settings.open_s)
        return multiple()

    @rule(both=consumes(leaves), outcome=st.sampled_from(Outcome), took_s=st.sampled_from([0.0, 0.75, 1.0]))
    def release(self, both: tuple[Permit, Leave], outcome: Outcome, took_s: float) -> None:
        """A call ends, however late, in any order."""
        self.breaker.release(both[0], outcome, took_s)
        self.model.release(both[1], outcome, took_s)

    @rule(outcomes=st.lists(st.sampled_from([Outcome.SUCCESS, Outcome.FAILURE]), min_size=1, max_size=4))
    def call(self, outcomes: list[Outcome]) -> None:
        """Calls one after the other: what most of a life is made of."""
        for outcome in outcomes:
            found = self.acquire()
            if isinstance(found, tuple):
                self.release(found, outcome, 0.0)

    @rule(quarters=st.integers(1, 20))
    def wait(self, quarters: int) -> None:
        """Time passes."""
        self.clock.advance(quarters / 4)
        self.model.now = self.clock.now

    @rule()
    def wait_as_told(self) -> None:
        """A caller that waits as it was told finds a free place, unless a person says otherwise."""
        self.clock.advance(self.breaker.retry_after_s())
        self.model.now = self.clock.now
        if self.model.state != "FORCED_OPEN":
            permit = self.breaker.acquire()
            assert isinstance(permit, Permit)
            leave = self.model.acquire()
            assert leave is not None
            self.release((permit, leave), Outcome.NEUTRAL, 0.0)

    @rule(state=st.sampled_from(["CLOSED", "CLOSED", "FORCED_OPEN", "DISABLED", "METRICS_ONLY"]))
    def set(self, state: str) -> None:
        """A person moves it."""
        self.breaker.set(type(self.breaker.state)(state))
        self.model.openings = 0
        self.model.move(state, "hand")

    @invariant()
    def is_as_the_model(self) -> None:
        """All that can be seen of the breaker is what the model says."""
        breaker, model = self.breaker, self.model
        measured = breaker.measured()
        seen = (breaker.state.value, breaker.consecutive_failures, breaker.permitted_count, breaker.refused_count)
        assert seen == (model.state, model.row, model.passed, model.refused)
        assert (measured.calls, measured.failure_rate, measured.slow_rate) == model.rates()
        assert breaker.retry_after_s() == model.wait_s()
        assert [(event.at, event.old.value, event.new.value, event.why) for event in self.told] == model.told
        assert breaker.last_event is (self.told[-1] if self.told else None)


TestModel = Driving.TestCase
TestModel.settings = run(max_examples=150, stateful_step_count=40, deadline=None)
