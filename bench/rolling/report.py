"""What a rolling restart cost its callers: the only place that knows the shape of its JSON and of its table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bench.rolling.callers import Caller, Outcome

_WIDTH = 110
"""Columns, where the output is no terminal, too."""

ALL = "all"
"""The row of all callers together."""


def report(callers: Sequence[Caller], *, rounds: int, restarts_s: Sequence[float], seconds: float) -> Mapping[str, Any]:
    """All of it, as plain objects.

    Args:
        callers: who has called, each with its outcome.
        rounds: how often every replica was restarted.
        restarts_s: seconds that each restart of a replica took.
        seconds: how long all of it took.
    """
    together = Outcome(
        [time for caller in callers for time in caller.outcome.times_s],
        sum((caller.outcome.failures for caller in callers), Counter()),
    )
    return {
        "rounds": rounds,
        "restarts": len(restarts_s),
        "restart_s": {"median": round(median(restarts_s), 2), "longest": round(max(restarts_s), 2)},
        "seconds": round(seconds, 1),
        "callers": [
            *(_told(caller.name, caller.outcome) for caller in callers),
            _told(ALL, together),
        ],
    }


def failed(report: Mapping[str, Any]) -> int:
    """How many calls of a report failed."""
    return sum(caller["failed"] for caller in report["callers"] if caller["caller"] == ALL)


def _told(name: str, outcome: Outcome) -> Mapping[str, Any]:
    return {
        "caller": name,
        "calls": len(outcome.times_s),
        "failed": outcome.failures.total(),
        "failures": dict(outcome.failures),
        "p50_ms": _quantile_ms(outcome, 0.5),
        "p99_ms": _quantile_ms(outcome, 0.99),
        "longest_ms": _quantile_ms(outcome, 1),
    }


def _quantile_ms(outcome: Outcome, part: float) -> float:
    """The time within which this part of the calls ended."""
    times = sorted(outcome.times_s)
    return round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 1) if times else 0.0


def show(report: Mapping[str, Any], console: Console) -> None:
    """Prints a report."""
    table = Table(title=_title(report), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("caller")
    for heading in ("calls", "failed", "p50 ms", "p99 ms", "longest ms"):
        table.add_column(heading, justify="right")
    for caller in report["callers"]:
        lost = Text(f"{caller['failed']:,}", "red" if caller["failed"] else "green")
        times = (f"{caller[key]:,.1f}" for key in ("p50_ms", "p99_ms", "longest_ms"))
        table.add_row(
            caller["caller"], f"{caller['calls']:,}", lost, *times, end_section=caller is report["callers"][-2]
        )
    console.print(Group(table, _notes(report)))


def console() -> Console:
    """Standard output, wide enough for the table."""
    found = Console(highlight=False)
    return found if found.width >= _WIDTH else Console(highlight=False, width=_WIDTH)


def _title(report: Mapping[str, Any]) -> str:
    return f"{report['rounds']} rolling restarts under load" if report["rounds"] > 1 else "a rolling restart under load"


def _notes(report: Mapping[str, Any]) -> Text:
    took = report["restart_s"]
    what = f"{report['restarts']} restarts in {report['seconds']:g} s"
    each = f"{took['median']:g} s (median), {took['longest']:g} s at most"
    lines = [
        f"Two replicas of the books and two of the leaf, one after the other: {what}.",
        f"From its SIGTERM until it served again a replica took {each}.",
    ]
    for caller in report["callers"]:
        if caller["caller"] != ALL:
            lines += [f"{caller['caller']}: {count} x {what}" for what, count in caller["failures"].items()]
    return Text("\n".join(lines))
