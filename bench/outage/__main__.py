"""The command: `python -m bench.outage` warms a library, takes every provider away for an hour, and asks for all of it.

It is done under several settings: as shipped, where answers last for a week; with answers whose time ends within the
hour; and with such that are given past their time only once the providers have failed.
"""

import argparse
import asyncio
import csv
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from rich import box
from rich.table import Table

from bench.outage.asking import STEP_S, Round, WarmingError, outage, warm
from bench.outage.house import ROOT, running
from bench.table import console
from mesh.logs import log_to_stderr
from sandbox.catalog import LOC
from sandbox.catalogue import Catalogue, load
from sandbox.isbn import to13
from sandbox.shelf import read

HOUR = 12
"""Steps of an hour."""

_MOST_STEPS = 288
_STRANGERS = 4
"""Books that are in no library, of which ISBN, title and author are asked for."""


@dataclass(frozen=True, slots=True)
class Case:
    """Settings that the proxy lives through the outage with."""

    title: str
    """What they are, for people."""
    variables: Mapping[str, object]
    """Vars that are not as they are shipped."""


CASES = (
    Case("as shipped: an answer is fresh for a week", {}),
    Case("an answer is fresh for half an hour, and given past that while it is refreshed", {"CACHE_COLD_TTL": 1_800}),
    Case(
        "the same, and given past that only where every provider was asked and failed",
        {"CACHE_COLD_TTL": 1_800, "CACHE_STALE_WHILE_REVALIDATE": 0},
    ),
)


def library(path: Path) -> Sequence[str]:
    """Every ISBN and every author of a library, each once."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    isbns = [row["ISBN13"] for row in rows if to13(row["ISBN13"] or "")]
    authors = [row["Author"].strip() for row in rows if (row["Author"] or "").strip()]
    return list(dict.fromkeys([*isbns, *authors]))


def strangers(catalogue: Catalogue, searches: Sequence[str]) -> Sequence[str]:
    """Searches that find books of a catalogue, none of them among those that are warmed."""

    def found() -> Iterator[str]:
        for book in catalogue.books[:: max(1, len(catalogue.books) // _STRANGERS)]:
            yield from (book.isbn13, book.title, *book.authors[:1])

    warmed = {q.casefold() for q in searches}
    return [q for q in dict.fromkeys(found()) if q.casefold() not in warmed]


async def measured(case: Case, catalogue: Catalogue, searches: Sequence[str], *, steps: int) -> Sequence[Round]:
    """Lives through one outage.

    Args:
        case: the settings.
        catalogue: what the providers know.
        searches: what is warmed.
        steps: steps of five minutes that the outage takes.

    Raises:
        WarmingError: some could not be warmed.
    """
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        async with running(Path(folder), catalogue, case.variables) as house:
            warmed = await warm(house, searches)
            return await outage(house, warmed, strangers(catalogue, searches), steps=steps)


def table(case: Case, rounds: Sequence[Round]) -> Table:
    """One outage, for people."""
    shown = Table(title=case.title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("minute", "searches", "answered", "stale", "failed", "mismarked", "memory", "hot", "cold"):
        shown.add_column(heading, justify="right")
    shown.add_column("strangers refused", justify="right")
    shown.add_column("")
    for each in rounds:
        shown.add_row(
            *(str(each.minute), f"{each.asked:,}", f"{each.answered:,}", f"{each.stale:,}"),
            f"{each.failed.total():,}",
            f"{each.mismarked:,}",
            *(f"{each.tiers[tier]:,}" for tier in ("MEMORY", "HOT", "COLD")),
            f"{each.refused} of {each.strangers}",
            "[green]met" if each.is_met else "[red]missed",
        )
    for reason, count in sum((each.failed for each in rounds), Counter[str]()).items():
        shown.caption = f"{shown.caption or ''}{count:,} x {reason} "
    return shown


async def _all(searches: Sequence[str], steps: int) -> bool:
    """Measures and shows every case; whether all were met."""
    catalogue = await asyncio.to_thread(lambda: load(read(LOC)))
    is_met = True
    for case in CASES:
        rounds = await measured(case, catalogue, searches, steps=steps)
        console().print(table(case, rounds))
        is_met = is_met and all(each.is_met for each in rounds)
    return is_met


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when every warmed search was answered and rightly marked at every time, else 1. Bad arguments end the process
        with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("--library", type=Path, default=ROOT / "samples" / "library.csv", help="CSV that is warmed")
    parser.add_argument("--steps", type=int, default=HOUR, help=f"each {STEP_S / 60:g} minutes (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not 0 < options.steps <= _MOST_STEPS:
        parser.error(f"--steps is from 1 to {_MOST_STEPS}")
    log_to_stderr()
    # Each answer past its time is a warning, and there are thousands.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        return 0 if asyncio.run(_all(library(options.library), options.steps)) else 1
    except WarmingError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
