"""One measurement of the memory tier beside the best possible, what must hold of it, and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from bench.memory_tier.best import bare_bytes, best_choice
from bench.memory_tier.load import Load
from bench.memory_tier.offer import Outcome, offered

MB = 1024 * 1024

MOST_POINTS = 5.0
"""Points of hit ratio that the tier may be below the best possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One load, and what came of it."""

    load: Load
    """The load."""
    limit_bytes: int
    """The tier's bytes."""
    best: float
    """The best possible hit ratio, for entries that take no more than their keys and values."""
    outcome: Outcome
    """What was measured."""
    traced: bool
    """Growth is what tracemalloc told, and not the resident set's."""

    @property
    def points(self) -> float:
        """How far the tier is below the best possible, in hundredths."""
        return 100 * (self.best - self.outcome.hit_ratio)

    @property
    def holds(self) -> bool:
        """Whether it is as it must be."""
        within = max(self.outcome.byte_count, self.outcome.grown_by) <= self.limit_bytes
        return within and self.points <= MOST_POINTS


def asked(load: Load) -> Sequence[int]:
    """Every key once, the worst beginning for a cache, then twice as many requests, of which the last half counts."""
    return [*load.each_once(), *load.requests(2 * load.key_count)]


def counted_from(load: Load) -> int:
    """The first request that counts."""
    return 2 * load.key_count


def measured(load: Load, limit_bytes: int, *, traced: bool = False) -> Measured:
    """Offers a load to a tier, and says what would be best.

    Args:
        load: the load.
        limit_bytes: the tier's bytes.
        traced: take growth from tracemalloc, and not from the resident set.
    """
    return Measured(
        load=load,
        limit_bytes=limit_bytes,
        best=best_choice(load, limit_bytes, lambda key: bare_bytes(load, key)),
        outcome=offered(load, asked(load), limit_bytes, counted_from=counted_from(load), traced=traced),
        traced=traced,
    )


def table(results: Sequence[Measured]) -> Table:
    """What was measured, for people."""
    found = Table(title="the memory tier", title_justify="left", box=box.SIMPLE_HEAD)
    found.add_column("keys")
    found.add_column("values, load")
    for heading in ("limit", "hits", "best", "below", "account", "grown by", "CPU us"):
        found.add_column(heading, justify="right")
    found.add_column("")
    for each in results:
        outcome = each.outcome
        found.add_row(
            f"{each.load.key_count:,}",
            each.load.title,
            f"{each.limit_bytes / MB:.0f} MB",
            f"{100 * outcome.hit_ratio:.2f} %",
            f"{100 * each.best:.2f} %",
            f"{each.points:.2f}",
            f"{outcome.byte_count / MB:.2f} MB",
            f"{outcome.grown_by / MB:.2f} MB " + ("traced" if each.traced else "resident"),
            f"{outcome.request_us:.1f}",
            "holds" if each.holds else "DOES NOT HOLD",
        )
    return found
