"""What the tests of the breaker drive it with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mesh.breaker import Breaker, BreakerState, Event, Permit, Refusal
from mesh.config.breaker_settings import BreakerSettings
from mesh.status import Outcome
from mesh.testing import FakeClock

S, F, N = Outcome.SUCCESS, Outcome.FAILURE, Outcome.NEUTRAL

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED, METRICS_ONLY = BreakerState.FORCED_OPEN, BreakerState.DISABLED, BreakerState.METRICS_ONLY

NEVER_IN_A_ROW = 0
"""The setting under which only rates open a breaker."""


@dataclass
class Driven:
    """A breaker, its clock, and what it told; chance says 0 unless it is set."""

    breaker: Breaker
    clock: FakeClock
    told: list[Event] = field(default_factory=list)
    chance: float = 0.0

    def call(self, *outcomes: Outcome, took_s: float = 0.0) -> None:
        """Calls one after the other, each let through and ended before the next."""
        for outcome in outcomes:
            self.breaker.release(self.permit(), outcome, took_s)

    def permit(self) -> Permit:
        """Leave for a call, which must be given."""
        permit = self.breaker.acquire()
        assert isinstance(permit, Permit), permit
        return permit

    def permits(self, count: int) -> list[Permit]:
        """Leave for several calls at once."""
        return [self.permit() for _ in range(count)]

    def refusal(self) -> Refusal:
        """A refusal, which must be given."""
        refusal = self.breaker.acquire()
        assert isinstance(refusal, Refusal), refusal
        return refusal

    def release(self, permits: Iterable[Permit], outcome: Outcome, took_s: float = 0.0) -> None:
        """Ends calls."""
        for permit in permits:
            self.breaker.release(permit, outcome, took_s)

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands."""
        return self.breaker.state

    def moves(self) -> list[tuple[str, str, str]]:
        """What it told: from, to, why."""
        return [(event.old.value, event.new.value, event.why) for event in self.told]


def made(**settings: Any) -> Driven:
    """A breaker in its first state. Chance is 0, so an opening lasts exactly its time."""
    clock = FakeClock()
    told: list[Event] = []

    def chance() -> float:
        return driven.chance

    driven = Driven(Breaker(BreakerSettings(**settings), clock, chance, told.append), clock, told)
    return driven


def opened(**settings: Any) -> Driven:
    """One that three failures have opened, for sixty seconds unless the settings say otherwise."""
    driven = made(**settings)
    driven.call(F, F, F)
    assert driven.state is OPEN
    return driven


def half_opened(**settings: Any) -> Driven:
    """One whose time is over: the next call is its first probe."""
    driven = opened(**settings)
    driven.clock.advance(driven.breaker.retry_after_s())
    return driven
