"""Counts what the handlers were seen to do against what was due. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.firings.replica import Run
from mesh.schedule.firing import Firing
from mesh.schedule.state import KEPT
from mesh.schedule.times import next_due

EARLY_S = 10.0
"""More than clocks differ here: nobody may fire an instant earlier than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What came of a course."""

    due: int
    """Instants that came."""
    fired: int
    """Firings that came to their end."""
    twice: int
    """Instants of which more than one firing came to its end."""
    overlapping: int
    """Pairs of firings that were at work at one time."""
    early: int
    """Firings that began long before their instant."""
    lost: int
    """Firings that died with their replica."""
    made_up: int
    """Firings that made up for others and came to their end."""
    kept: int
    """Firings that are told of at the end, the lost ones among them."""

    def is_met(self, expected: int) -> bool:
        """Whether it is as it must be."""
        wrong = self.twice + self.overlapping + self.early
        return self.fired == expected and not wrong and self.kept >= min(self.fired + self.lost, KEPT)


def dues(line: str, begins: float, ends: float) -> Iterator[float]:
    """The instants from one time to another."""
    due = next_due(line, begins)
    while due <= ends:
        yield due
        due = next_due(line, due)


def overlaps(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """The pairs of calls that were at work at one time."""
    return [
        (one, other)
        for one, other in combinations(runs, 2)
        if any(
            min(one_end, other_end) > max(one_start, other_start)
            for one_start, one_end in one.worked
            for other_start, other_end in other.worked
        )
    ]


def count(line: str, runs: Sequence[Run], kept: Sequence[Firing], *, begins: float, ends: float) -> Count:
    """What came of a course.

    Args:
        line: the trigger's.
        runs: what its handlers were seen to do.
        kept: what is told of it at the end.
        begins: when it began, by the true time.
        ends: when it ended.
    """
    whole = Counter(run.firing.due_time for run in runs if run.is_whole)
    return Count(
        due=len(list(dues(line, begins, ends))),
        fired=whole.total(),
        twice=sum(times > 1 for times in whole.values()),
        overlapping=len(overlaps(runs)),
        early=sum(run.began < run.firing.due_time - EARLY_S for run in runs),
        lost=sum(not run.is_whole for run in runs),
        made_up=sum(run.is_whole and run.firing.made_up for run in runs),
        kept=len(kept),
    )
