"""What was measured, as tables for people."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bench.report import server_of_uvicorn

_QUESTIONS = {"EMPTY": "empty", "FORTY": "40 results"}
_WIDTH = 110
"""Columns: what the widest table needs, where the output is no terminal, too."""


def show(report: Mapping[str, Any], console: Console) -> None:
    """Prints a report."""
    console.print(tables(report))


def console() -> Console:
    """Standard output, wide enough for the tables."""
    found = Console(highlight=False)
    return found if found.width >= _WIDTH else Console(highlight=False, width=_WIDTH)


def tables(report: Mapping[str, Any]) -> Group:
    """The figures, one table for each number of calls in flight, then the expectations, then how it was done."""
    in_flight = sorted({result["in_flight"] for result in report["results"]})
    return Group(*(_figures(report, each) for each in in_flight), _expectations(report, in_flight), _notes(report))


def _figures(report: Mapping[str, Any], in_flight: int) -> Table:
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for result in report["results"]:
        if result["in_flight"] == in_flight:
            found.setdefault(result["title"], {})[result["question"]] = result
    title = "one call at a time" if in_flight == 1 else f"{in_flight} calls in flight"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("us for each call")
    for name in _QUESTIONS.values():
        for heading in (f"{name}: CPU", "wall", "CPU ratio"):
            table.add_column(heading, justify="right")
    for rival, results in found.items():
        cells = [cell for question in _QUESTIONS for cell in _cells(results[question])]
        table.add_row(rival, *cells)
    return table


def _cells(result: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{result['cpu_us']:,.1f}", f"{result['wall_us']:,.1f}", f"{result['cpu_ratio']:,.1f} x"


def _expectations(report: Mapping[str, Any], in_flight: list[int]) -> Table:
    rows: dict[str, list[Text]] = {}
    for verdict in report["expectations"]:
        rows.setdefault(_expectation(verdict), []).append(_judged(verdict))
    table = Table(title="CPU time: what is expected, and what was measured", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("expected", no_wrap=True)
    for each in in_flight:
        for name in _QUESTIONS.values():
            table.add_column(f"{each} at once: {name}", justify="right")
    for expectation, judged in rows.items():
        table.add_row(expectation, *judged)
    return table


def _expectation(verdict: Mapping[str, Any]) -> str:
    if "over" in verdict:
        return f"{verdict['rival']} / {verdict['over']}: at least {verdict['least_ratio']:g}"
    return f"{verdict['rival']}: about 15 us empty, 30 us for 40"


def _judged(verdict: Mapping[str, Any]) -> Text:
    figure = f"{verdict['measured']:.1f} {'x' if 'over' in verdict else 'us'}"
    return Text(f"{figure} met", "green") if verdict["met"] else Text(f"{figure} missed", "red")


def _notes(report: Mapping[str, Any]) -> Text:
    answer, machine = report["answer"], report["machine"]
    packages = ", ".join(f"{name} {found}" for name, found in machine["packages"].items() if found)
    return Text(
        f"40 results: {answer['works']} works with {answer['editions']} editions, "
        f"{answer['protobuf_bytes']:,} bytes as protobuf, {answer['json_bytes']:,} as JSON.\n"
        f"Medians of {report['rounds']} rounds of {report['calls']} calls (in process 20 times as many), "
        "all rivals by turns in each round, after one to warm up.\n"
        f"CPU: {report['cpu']}, each by its own clock.\n"
        "Wall: the time that passed, divided by the calls. Ratios are to the binding in process.\n"
        f"uvicorn runs on {' and '.join(server_of_uvicorn())}. "
        f"Python {machine['python']}, {machine['cores']} cores; {packages}."
    )
