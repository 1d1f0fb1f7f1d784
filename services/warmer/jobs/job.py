"""What a job is, and which ways its life can go. Pure."""

import enum
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from services.warmer.jobs.outcome import Tally


class State(enum.Enum):
    """Where a job is in its life, by the contract's words."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    WAITING = "WAITING"
    """For the reset of a quota."""


ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
"""States that a job never leaves; what is left to do for it is its closing."""

WAYS: dict[State, AbstractSet[State]] = {
    State.PENDING: {State.PAUSED},
    State.RUNNING: {State.PENDING, State.PAUSED, State.WAITING},
    State.WAITING: {State.RUNNING},
    State.PAUSED: {State.PENDING, State.RUNNING, State.WAITING},
    State.SUCCEEDED: {State.RUNNING},
    State.FAILED: {State.PENDING, State.RUNNING, State.PAUSED, State.WAITING},
    State.CANCELLED: {State.PENDING, State.RUNNING, State.PAUSED, State.WAITING},
}
"""To each state, from which others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a job has to do; unknown until its plan is made, then fixed."""

    rows: int = 0
    books: int = 0
    authors: int = 0
    rejects: int = 0
    duplicates: int = 0
    skipped: int = 0
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
class Part:
    """Which batches of which plan a job settles."""

    plan_id: str
    first: int
    end: int
    """The batch after the last."""
    is_own: bool
    """The plan is this job's alone, and goes with it."""

    @property
    def batches(self) -> range:
        """Their numbers."""
        return range(self.first, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What the store knows of how fast a job goes."""

    per_second: float = 0.0
    """Searches settled a second, when it was last reckoned."""
    settled: int = 0
    """Searches that were settled then."""
    time: float = 0.0
    """When that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A warming, as it stands. Times are seconds since the epoch; None has not come yet."""

    id: str
    state: State = State.PENDING
    library_id: str = ""
    """Empty for a library given in the request."""
    strategy: int = 0
    """A value of the contract's Strategy."""
    rows: int = 0
    """A value of the contract's RowSelection."""
    request_id: str = ""
    trigger: str = ""
    """The cron line that started it; empty when a person did."""
    min_fresh_s: float = 0.0
    """Seconds that an answer must stay fresh yet to be no work; 0 for a job that only fills gaps."""
    create_time: float
    start_time: float | None = None
    end_time: float | None = None
    update_time: float
    resume_time: float | None = None
    """When a job that is WAITING goes on."""
    extent: Extent = field(default_factory=Extent)
    part: Part | None = None
    """None until its plan is made."""
    fed: int = 0
    """Batches that were put on the stream."""
    done: int = 0
    """Batches that are finished."""
    tally: Tally = field(default_factory=Tally)
    speed: Speed = field(default_factory=Speed)
    failure: Failure | None = None
    is_kept: bool = False
    """Its report is kept, and what it left undone is noted, so its records may go."""

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in ENDED

    @property
    def is_fed(self) -> bool:
        """All its batches were put on the stream."""
        return self.part is not None and self.fed >= len(self.part.batches)

    @property
    def is_done(self) -> bool:
        """All its batches are finished."""
        return self.part is not None and self.done >= len(self.part.batches)
