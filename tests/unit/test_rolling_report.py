"""What is told of a rolling restart: figures as JSON, a table, and a status that says whether a call failed."""

import io
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from bench.rolling import __main__ as command
from bench.rolling.callers import Caller, Outcome
from bench.rolling.house import RollingError
from bench.rolling.report import failed, report, show


async def _nothing(_: str) -> None:
    """What these callers call."""


def told(failures: Mapping[str, int]) -> Mapping[str, Any]:
    """A report of two callers, of which the second had these failures."""
    callers = [
        Caller("kind", _nothing, Outcome([0.001] * 98 + [0.02] * 2)),
        Caller("plain", _nothing, Outcome([0.003] * 100, Counter(failures))),
    ]
    return report(callers, rounds=3, restarts_s=[2.0, 4.0, 2.5], seconds=61.25)


def printed(report: Mapping[str, Any]) -> str:
    """The table, as text."""
    out = io.StringIO()
    show(report, Console(file=out, width=110, highlight=False))
    return out.getvalue()


def test_callers() -> None:
    """Each caller has its calls, its failures by status and its times in milliseconds; the last are all together."""
    rows = told({"UNAVAILABLE DRAINING": 2, "CANCELLED CANCELLED": 1})["callers"]
    failures = {"UNAVAILABLE DRAINING": 2, "CANCELLED CANCELLED": 1}
    assert rows == [
        {
            "caller": "kind",
            "calls": 100,
            "failed": 0,
            "failures": {},
            "p50_ms": 1.0,
            "p99_ms": 20.0,
            "longest_ms": 20.0,
        },
        {
            "caller": "plain",
            "calls": 100,
            "failed": 3,
            "failures": failures,
            "p50_ms": 3.0,
            "p99_ms": 3.0,
            "longest_ms": 3.0,
        },
        {
            "caller": "all",
            "calls": 200,
            "failed": 3,
            "failures": failures,
            "p50_ms": 3.0,
            "p99_ms": 20.0,
            "longest_ms": 20.0,
        },
    ]


def test_restarts() -> None:
    """The restarts are counted, with the median and the longest of their times."""
    found = told({})
    assert (found["rounds"], found["restarts"], found["restart_s"]) == (3, 3, {"median": 2.5, "longest": 4.0})


@pytest.mark.parametrize(("failures", "count"), [({}, 0), ({"UNAVAILABLE DRAINING": 2, "INTERNAL INTERNAL": 1}, 3)])
def test_failed(failures: Mapping[str, int], count: int) -> None:
    """A failed call counts once, though it stands with its caller and with all."""
    assert failed(told(failures)) == count


def test_table() -> None:
    """The table has a line for each caller and one for all, and each status that was failed with stands below."""
    lines = [line.split() for line in printed(told({"UNAVAILABLE DRAINING": 2})).splitlines()]
    assert ["plain", "100", "2", "3.0", "3.0", "3.0"] in lines
    assert ["all", "200", "2", "3.0", "20.0", "20.0"] in lines
    assert ["plain:", "2", "x", "UNAVAILABLE", "DRAINING"] in lines


@pytest.mark.parametrize(("failures", "status"), [({}, 0), ({"UNAVAILABLE DRAINING": 1}, 1)])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    failures: Mapping[str, int],
    status: int,
) -> None:
    """The command ends with 1 when a call failed, and with 0 otherwise; --json is all there is on stdout."""

    async def measured(count: int, calls: int, pace: float) -> Mapping[str, Any]:
        assert (count, calls, pace) == (3, 10_000, 200)
        return told(failures)

    monkeypatch.setattr(command, "measured", measured)
    assert command.main(arguments) == status
    out = capsys.readouterr().out
    assert json.loads(out) == told(failures) if arguments else "plain" in out


def test_services_that_do_not_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the services do not start or restart, the command says so and ends with 1."""

    async def measured(*_: object) -> Mapping[str, Any]:
        raise RollingError("a replica did not come back")

    monkeypatch.setattr(command, "measured", measured)
    assert (command.main([]), capsys.readouterr()) == (1, ("", "bench: a replica did not come back\n"))


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--calls", "-1"], ["--pace", "2001"], ["--calls", "x"]])
def test_bad_arguments(arguments: list[str]) -> None:
    """A number out of bounds ends the command with 2 before anything is started."""
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
