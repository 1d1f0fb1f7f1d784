"""One firing of a trigger, as its handler gets it and as people are told of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mesh.schedule.times import written


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What was due, and what became of it; all times are seconds since the epoch."""

    cron: str
    """The line of the trigger."""
    due_time: float
    """The instant; for one by hand, when it was asked for."""
    start_time: float
    """When it began, by the clock of the replica that ran it."""
    end_time: float | None = None
    """When it ended; None while it runs."""
    outcome: str = ""
    """A sentence on what it did."""
    reason: str = ""
    """A word of ErrorReason where it failed."""
    forced: bool = False
    """Somebody fired it by hand."""
    made_up: bool = False
    """It was due while no replica could run it, or the one that ran it was lost."""

    @property
    def id(self) -> str:
        """Equal for a lost firing and the one that makes up for it, so that what they begin can be begun once."""
        if self.forced:
            return f"{self.cron} by hand {written(self.due_time, 'microseconds')}"
        return f"{self.cron} {written(self.due_time)}"


Handler = Callable[[Firing], Awaitable[str]]
"""Does what a trigger is for, and says in a sentence what it did.

A MeshError tells why it failed. It is cancelled where its replica has lost the right to run it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A cron line, with what became of it."""

    cron: str
    """The line."""
    next_time: float
    """When it is due next."""
    firings: Sequence[Firing]
    """Its last firings, newest first."""
