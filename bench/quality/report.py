"""What was asked, how often the answer was right, and what is expected: the only place that makes the figures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.quality.asking import Outcome

_WIDTH = 110
"""Columns, where the output is no terminal, too."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A share of a case's searches that must be right."""

    case: str
    """The case."""
    what: str
    """What is right, for people."""
    within: int
    """Results among which what is sought must stand."""
    percent: float
    """The least share."""


EXPECTATIONS = (
    Expectation("title", "that book first", 1, 98),
    Expectation("title", "among the first three", 3, 99.5),
    Expectation("title with series", "that book first", 1, 95),
    Expectation("title without accents", "that book first", 1, 95),
    Expectation("title in another case", "that book first", 1, 95),
    Expectation("title with an error", "that book first", 1, 95),
    Expectation("title by author", "that book first", 1, 98),
    Expectation("author", "the first ten all by that author", 1, 99),
    Expectation("author, surname first", "the first ten all by that author", 1, 99),
    Expectation("author, small letters", "the first ten all by that author", 1, 99),
    Expectation("ISBN", "that edition first", 1, 100),
    Expectation("other scripts", "that book first, or all by that author", 1, 98),
    Expectation("there at all", "among a hundred", 100, 100),
)
"""Issue figures; what is not told there is held to what comes nearest."""

RULES = (
    "That book is a work of its title by its author; where several books of the catalogue have the very title, any of "
    "them will do, for nothing in the search tells them apart.\n"
    "An author's first ten are fewer where the catalogue has fewer titles of theirs in the language asked for; what "
    "comes after them may be about the author.\n"
    "Every search asks for the language of the book sought, or for English where the catalogue does not tell it."
)


def report(outcomes: Sequence[Outcome], *, catalogue: str, books: int, seed: int, seconds: float) -> Mapping[str, Any]:
    """All of it, as plain objects."""
    by_case: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_case[outcome.probe.case].append(outcome)
    rows = [_row(expectation, by_case[expectation.case]) for expectation in EXPECTATIONS if by_case[expectation.case]]
    failures = [outcome for outcome in outcomes if outcome.failure]
    shared = shared_keys(outcomes)
    rows += [
        _count("all", "searches that failed", len(outcomes), len(failures)),
        _count("other scripts", "texts that share a key", len(by_case["other scripts"]), len(shared)),
    ]
    return {
        "catalogue": catalogue,
        "books": books,
        "seed": seed,
        "seconds": round(seconds, 1),
        "searches": len(outcomes),
        "rows": rows,
        "failures": [f"{outcome.probe.text}: {outcome.failure}" for outcome in failures],
        "shared_keys": shared,
    }


def shared_keys(outcomes: Sequence[Outcome]) -> list[str]:
    """Different texts of other scripts that have one key; case, blanks and punctuation make no text another."""
    texts: defaultdict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        if outcome.probe.case == "other scripts" and outcome.key:
            letters = "".join(char for char in outcome.probe.text.casefold() if char.isalnum())
            texts[outcome.key].add(letters)
    return [" | ".join(sorted(found)) for found in texts.values() if len(found) > 1]


def missed(report: Mapping[str, Any]) -> bool:
    """Whether a figure is missed."""
    return not all(row["met"] for row in report["rows"])


def misses(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """Some searches of each case that were answered wrong."""
    told: defaultdict[str, list[Outcome]] = defaultdict(list)
    within = {expectation.case: expectation.within for expectation in reversed(EXPECTATIONS)}
    for outcome in outcomes:
        case = outcome.probe.case
        if not 0 <= outcome.place < within[case] and len(told[case]) < count:
            told[case].append(outcome)
    return [outcome for found in told.values() for outcome in found]


def _row(expectation: Expectation, outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
    right = sum(0 <= outcome.place < expectation.within for outcome in outcomes)
    percent = 100 * right / len(outcomes)
    return {
        "case": expectation.case,
        "what": expectation.what,
        "searches": len(outcomes),
        "right": right,
        "figure": f"{percent:.1f} %",
        "expected": f"{expectation.percent:g} %",
        "calls": round(sum(outcome.calls for outcome in outcomes) / len(outcomes), 2),
        "met": percent >= expectation.percent,
    }


def _count(case: str, what: str, searches: int, count: int) -> Mapping[str, Any]:
    return {
        "case": case,
        "what": what,
        "searches": searches,
        "right": searches - count,
        "figure": str(count),
        "expected": "0",
        "calls": None,
        "met": count == 0,
    }


def console() -> Console:
    """Standard output, wide enough for the table."""
    found = Console(highlight=False)
    return found if found.width >= _WIDTH else Console(highlight=False, width=_WIDTH)


def show(report: Mapping[str, Any], shown: Sequence[Outcome], console: Console) -> None:
    """Prints a report, and what was answered wrong."""
    title = f"{report['searches']:,} searches about {report['books']:,} books in {report['seconds']:g} s"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("searched for", "right is"):
        table.add_column(heading, no_wrap=True)
    for heading in ("searches", "calls each", "expected", "measured"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report["rows"]:
        figure = Text(f"{row['figure']} {'met' if row['met'] else 'missed'}", "green" if row["met"] else "red")
        calls = "" if row["calls"] is None else f"{row['calls']:.2f}"
        table.add_row(row["case"], row["what"], f"{row['searches']:,}", calls, row["expected"], figure)
    console.print(table)
    console.print(f"{RULES}\nCatalogue: {report['catalogue']}, seed {report['seed']}.", soft_wrap=True)
    for line in (*report["failures"][:10], *report["shared_keys"][:10]):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    for outcome in shown:
        place = "nowhere" if outcome.place < 0 else f"at {outcome.place + 1}"
        console.print(
            f"{outcome.probe.case}: {outcome.probe.text!r} [{outcome.probe.language}] {place}, {outcome.calls} calls; "
            f"first are {' | '.join(outcome.results) or 'none'}",
            markup=False,
            soft_wrap=True,
        )
