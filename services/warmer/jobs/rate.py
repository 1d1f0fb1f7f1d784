"""How fast a job goes, and how long it will take at that. Pure."""

from services.warmer.jobs.job import Job, Speed, State

STEP_S = 2.0
"""Seconds between two reckonings at least: long enough to smooth a batch out, and the store does it in passing."""

FORGET_S = 15.0
"""Seconds after which an old reckoning says nothing any more, so that a job that stands still shows it."""


def per_second(job: Job, now: float) -> float:
    """Searches that a job settles a second, lately; 0 while nothing is known, and for one that is not at work.

    Args:
        job: the job.
        now: seconds since the epoch.
    """
    if job.state is not State.RUNNING:
        return 0.0
    speed: Speed = job.speed
    since = now - speed.time
    latest = (job.tally.settled - speed.settled) / since if since > 0 and speed.time else 0.0
    if since >= FORGET_S or not speed.per_second:
        return max(0.0, latest) if since >= STEP_S or not speed.per_second else speed.per_second
    return speed.per_second


def remaining_ms(left: int, speed: float) -> int:
    """Milliseconds that the searches that are left take at a rate; -1 when it is unknown."""
    if not left:
        return 0
    return round(left / speed * 1000) if speed > 0 else -1
