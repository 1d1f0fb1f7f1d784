"""When a cron line is due, in UTC. Pure; cronsim does the arithmetic."""

from datetime import UTC, datetime, timedelta

from cronsim import CronSim


def next_after(cron: str, after: float) -> float:
    """The first instant of a line after a time.

    Args:
        cron: five fields that `mesh.config.cron` finds no fault with.
        after: seconds since the epoch.

    Raises:
        ValueError: the line is never due.
    """
    try:
        return next(CronSim(cron, datetime.fromtimestamp(after, UTC))).timestamp()
    except StopIteration:
        raise ValueError(f"{cron!r} is never due") from None


def latest_until(cron: str, until: float) -> float:
    """The last instant of a line at a time or before it.

    Args:
        cron: five fields that `mesh.config.cron` finds no fault with.
        until: seconds since the epoch.

    Raises:
        ValueError: the line is never due.
    """
    # What is due in this very moment is wanted too, and cronsim looks before the moment that it is given.
    start = datetime.fromtimestamp(until, UTC) + timedelta(microseconds=1)
    try:
        return next(CronSim(cron, start, reverse=True)).timestamp()
    except StopIteration:
        raise ValueError(f"{cron!r} is never due") from None
