"""What a job is, and which ways its life can go: the only place that moves one from state to state. Pure."""

import dataclasses
import enum
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from services.warmer.outcome import Tally


class State(enum.Enum):
    """Where a job is in its life, by the contract's words."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    WAITING = "WAITING"
    """For the reset of a quota; nothing brings a job here yet."""


ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
"""States that a job never leaves."""

_WAYS: dict[State, AbstractSet[State]] = {
    State.RUNNING: {State.PENDING, State.PAUSED},
    State.PAUSED: {State.PENDING, State.RUNNING},
    State.SUCCEEDED: {State.RUNNING},
    State.FAILED: {State.PENDING, State.RUNNING, State.PAUSED},
    State.CANCELLED: {State.PENDING, State.RUNNING, State.PAUSED},
}
"""To each state, from which others."""


class JobStateError(Exception):
    """A job's state does not allow a move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a job has to do; unknown until its plan is made, then fixed."""

    rows: int = 0
    books: int = 0
    authors: int = 0
    rejects: int = 0
    duplicates: int = 0
    searches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a job failed, or a part of it, in the contract's words."""

    code: str
    """The status: "UNAVAILABLE"."""
    reason: str
    """A word of ErrorReason."""
    message: str
    """A sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A warming. Every change makes a new one. Times are seconds since the epoch; None has not come yet."""

    id: str
    state: State = State.PENDING
    library_id: str = ""
    """Empty for a library given in the request."""
    strategy: int = 0
    """A value of the contract's Strategy."""
    request_id: str = ""
    trigger: str = ""
    """The cron line that started it; empty when a person did."""
    create_time: float
    start_time: float | None = None
    end_time: float | None = None
    update_time: float
    extent: Extent = field(default_factory=Extent)
    tally: Tally = field(default_factory=Tally)
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in ENDED

    def moved(self, state: State, now: float) -> "Job":
        """The job in another state; the same one when it is there already.

        Raises:
            JobStateError: there is no way from its state to that one.
        """
        if state is self.state:
            return self
        if self.state not in _WAYS.get(state, frozenset()):
            raise JobStateError(f"a job that is {self.state.value} can't become {state.value}")
        return dataclasses.replace(
            self,
            state=state,
            update_time=now,
            start_time=now if state is State.RUNNING and self.start_time is None else self.start_time,
            end_time=now if state in ENDED else None,
        )

    def failed(self, failure: Failure, now: float) -> "Job":
        """The job, given up.

        Raises:
            JobStateError: it has ended already.
        """
        return dataclasses.replace(self.moved(State.FAILED, now), failure=failure)

    def planned(self, extent: Extent, now: float) -> "Job":
        """The job with its extent known."""
        return dataclasses.replace(self, extent=extent, update_time=now)

    def counted(self, tally: Tally, now: float) -> "Job":
        """The job with its counts as they are now.

        Raises:
            ValueError: more is settled than there is to settle; a count that lies is worse than none.
        """
        if tally.settled > self.extent.searches:
            raise ValueError(f"{tally.settled} of {self.extent.searches} searches are settled")
        return dataclasses.replace(self, tally=tally, update_time=now)
