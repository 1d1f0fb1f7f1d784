"""When cron lines are due, in UTC: the only place that reckons with them.

The reckoning is cronsim's, which goes by Debian's cron: where the day of month or the day of week begins with a star
both must fit, else one of them is enough. Lines are those that `mesh.config.cron` lets through; instants are whole
seconds since the epoch.
"""

from datetime import UTC, datetime

from cronsim import CronSim


def next_due(line: str, after: float) -> int:
    """The first instant later than a time.

    Args:
        line: five fields.
        after: seconds since the epoch.
    """
    return int(next(CronSim(line, _at(after))).timestamp())


def last_due(line: str, until: float) -> int:
    """The last instant not later than a time.

    Args:
        line: five fields.
        until: seconds since the epoch.
    """
    # cronsim gives what is earlier than its start, so the start is a second later.
    return int(next(CronSim(line, _at(until + 1), reverse=True)).timestamp())


def written(instant: float, precision: str = "seconds") -> str:
    """An instant as logs, sentences and ids have it: "2027-01-02T02:00:00Z".

    Args:
        instant: seconds since the epoch.
        precision: "seconds", "milliseconds" or "microseconds"; what is finer is left out.
    """
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _at(time: float) -> datetime:
    return datetime.fromtimestamp(int(time // 1), UTC)
