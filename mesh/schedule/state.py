"""What is kept of a trigger, and each step that it can take. Pure; where it is kept is `keeping.py`'s.

A trigger's steps follow from what is kept and the time alone, whichever replica takes them:

* A trigger that is seen for the first time fires for nothing that is past.
* Of the instants that have come since the last one that was dealt with, the last fires. Those before it were missed by
  everybody; one firing makes up for all of them.
* An instant that comes while a firing still runs is skipped, and that is noted. So do systemd's timers and Kubernetes'
  "Forbid": a firing that waited would begin at a time that no line names, and right behind it would come the next one.
* A firing whose replica is lost is made up for once. One that was made up or forced itself is not: what takes its
  process with it would do so again and again.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from bookmesh.mesh.v1.error_reason_pb2 import ErrorReason

from mesh.schedule.firing import Firing
from mesh.schedule.times import last_due, written

KEPT = 100
"""Firings of a trigger that are kept, those that ended last."""

ON_TIME_S = 60.0
"""Seconds after its instant that a firing counts as on time: cron's own minute. Later ones are made up."""

LOST = ErrorReason.Name(ErrorReason.ERROR_REASON_SERVICE_UNREACHABLE).removeprefix("ERROR_REASON_")
"""The reason of a firing whose replica can't be heard any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A firing under way."""

    holder: str
    """Names the lease of the replica that runs it."""
    firing: Firing
    """The firing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A trigger at rest."""

    through: int
    """The last instant that was dealt with."""
    owed: int | None = None
    """An instant whose firing was lost, and is to be made up."""
    running: Running | None = None
    """The firing under way; there is never a second one."""
    firings: tuple[Firing, ...] = ()
    """Those that ended, the last one first."""

    def ended(self, firing: Firing) -> Self:
        """With a firing that runs no more, or never did."""
        return replace(self, firings=(firing, *self.firings)[:KEPT])

    def finished(self, firing: Firing) -> Self:
        """With the firing under way at its end."""
        return replace(self.ended(firing), running=None)

    def newest_first(self) -> list[Firing]:
        """Every firing that is kept, by its beginning."""
        known = [self.running.firing] if self.running else []
        return sorted((*known, *self.firings), key=lambda firing: firing.start_time, reverse=True)


class Step(NamedTuple):
    """What comes next for a trigger."""

    state: State
    """As it is to be kept."""
    begins: Firing | None = None
    """What the one who keeps it so may run."""


def by_the_clock(line: str, state: State | None, now: float, holder: str) -> Step:
    """The step that a trigger takes at a time.

    Args:
        line: its cron line.
        state: what is kept of it; None for one that was never seen.
        now: seconds since the epoch.
        holder: the lease of whoever asks, should it begin something.
    """
    latest = last_due(line, now)
    if state is None:
        return Step(State(through=latest))
    is_due = latest > state.through
    if state.running is not None:
        if not is_due:
            return Step(state)
        skipped = _skipped(Firing(cron=line, due_time=latest, start_time=now), state.running)
        return Step(replace(state.ended(skipped), through=latest))
    if is_due:
        late = now - latest > ON_TIME_S
        firing = Firing(cron=line, due_time=latest, start_time=now, made_up=late)
        return _begun(replace(state, through=latest, owed=None), firing, holder)
    if state.owed is not None:
        firing = Firing(cron=line, due_time=state.owed, start_time=now, made_up=True)
        return _begun(replace(state, owed=None), firing, holder)
    return Step(state)


def by_hand(line: str, state: State | None, now: float, holder: str) -> Step:
    """The step that a trigger takes when somebody fires it: the same arguments."""
    state = state or State(through=last_due(line, now))
    firing = Firing(cron=line, due_time=now, start_time=now, forced=True)
    if state.running is not None:
        return Step(state.ended(_skipped(firing, state.running)))
    return _begun(state, firing, holder)


def given_up(state: State, now: float) -> State:
    """With the firing under way lost, for its replica can't be heard any more."""
    if state.running is None:
        return state
    firing = state.running.firing
    owed = state.owed if firing.forced or firing.made_up else round(firing.due_time)
    return replace(state.finished(lost(firing, now)), owed=owed)


def lost(firing: Firing, now: float) -> Firing:
    """A firing whose replica has no right to it any more."""
    # Who gives it up may have a clock that is behind.
    ends = max(now, firing.start_time)
    return replace(firing, end_time=ends, outcome="lost: the replica that ran it is gone", reason=LOST)


def _begun(state: State, firing: Firing, holder: str) -> Step:
    return Step(replace(state, running=Running(holder=holder, firing=firing)), firing)


def _skipped(firing: Firing, running: Running) -> Firing:
    outcome = f"skipped: the firing of {written(running.firing.due_time)} still runs"
    return replace(firing, end_time=firing.start_time, outcome=outcome)
