"""What the benchmark tells: the figures as JSON, and the same as tables."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from bench.__main__ import main
from bench.contest import SHAPES, Contest
from bench.measure import Cost, Shape
from bench.report import report
from bench.table import show

TITLES = {"in_process": "binding in process", "unix": "U", "tcp": "T", "fastapi": "F", "aiohttp": "A"}
CPU_US = {"in_process": 14.0, "unix": 400.0, "tcp": 420.0, "fastapi": 700.0, "aiohttp": 140.0}


@pytest.fixture
def told() -> Mapping[str, Any]:
    """A report of three rounds that cost 1, 1 and 9 times the same."""
    costs = {
        (name, shape): [Cost(cpu * factor * 1e-6, cpu * factor * 2e-6) for factor in (1, 9, 1)]
        for name, cpu in CPU_US.items()
        for shape in SHAPES
    }
    return report(Contest(TITLES, costs), rounds=3, calls=100)


def result(told: Mapping[str, Any], name: str, shape: Shape) -> Mapping[str, Any]:
    """What is told of a rival in one shape."""
    found: Mapping[str, Any] = next(
        each
        for each in told["results"]
        if (each["rival"], each["question"], each["in_flight"]) == (name, shape.question, shape.in_flight)
    )
    return found


def printed(told: Mapping[str, Any]) -> str:
    """The tables, as text."""
    out = io.StringIO()
    show(told, Console(file=out, width=110, highlight=False))
    return out.getvalue()


def test_result(told: Mapping[str, Any]) -> None:
    """A rival's figures are its medians in microseconds, the ratio to the binding in process, and every round."""
    assert result(told, "fastapi", SHAPES[0]) == {
        "rival": "fastapi",
        "title": "F",
        "question": "EMPTY",
        "in_flight": 1,
        "cpu_us": 700.0,
        "wall_us": 1400.0,
        "cpu_ratio": 50.0,
        "cpu_us_of_rounds": [700.0, 6300.0, 700.0],
    }


def test_every_shape_is_told(told: Mapping[str, Any]) -> None:
    """Every rival is told of in both tables, empty and with forty results."""
    assert len(told["results"]) == len(TITLES) * 4


def test_missed_expectation(told: Mapping[str, Any]) -> None:
    """What is missed is told as missed, with the figure."""
    missed = [each for each in told["expectations"] if not each["met"]]
    assert {(each["rival"], each.get("over"), each["measured"]) for each in missed} == {
        ("fastapi", "unix", 1.75),
        ("fastapi", "tcp", 1.67),
    }


def test_table_has_a_line_for_each_rival(told: Mapping[str, Any]) -> None:
    """The line of a rival has its CPU time, its wall time and its ratio, with thousands set off."""
    line = next(line for line in printed(told).splitlines() if line.strip().startswith("F "))
    assert line.split() == ["F", "700.0", "1,400.0", "50.0", "x", "700.0", "1,400.0", "50.0", "x"]


def test_table_marks_what_is_met_and_missed(told: Mapping[str, Any]) -> None:
    """Each expectation stands there with its figures and whether they meet it."""
    lines = [line.split() for line in printed(told).splitlines()]
    assert ["aiohttp", "/", "in_process:", "at", "least", "6", *(["10.0", "x", "met"] * 4)] in lines
    assert ["fastapi", "/", "unix:", "at", "least", "2", *(["1.8", "x", "missed"] * 4)] in lines


def test_table_says_how_large_the_answer_is(told: Mapping[str, Any]) -> None:
    """Below the tables stands what was carried."""
    assert "18,961 bytes as protobuf, 33,217 as JSON" in printed(told)


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--calls", "15"], ["--calls", "10001"], ["--rounds", "x"]])
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A number out of bounds ends the command with 2 before anything is started."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, "is no whole number from" in capsys.readouterr().err) == (2, True)
