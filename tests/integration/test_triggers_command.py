"""`bookmesh triggers` against services that run: what it shows, what it fires, and how it fails."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from bookmesh.warmer.v1.admin_service_pb2 import Firing, ListTriggersResponse
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from clients.triggers import plain, tables
from mesh.hosting.serve import serving
from tests.integration.test_breaker_command import write_book
from tests.integration.test_serving import made

Run = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Runs the command in a process of its own, while the services go on here."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "clients.cli", "triggers", *arguments, "--book", str(tmp_path / "people.toml")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, stdout.decode(), stderr.decode()

    async with serving(made(tmp_path)) as running:
        write_book(tmp_path / "people.toml", {key: listener.address for key, listener in running.listeners.items()})
        yield run


async def test_shown(run: Run) -> None:
    """The manifest's triggers are shown in plain lines where there is no terminal, and as data with --json."""
    status, stdout, _ = await run()
    lines = stdout.splitlines()
    assert (status, [line.partition(": next ")[0] for line in lines]) == (0, ["*/15 * * * *", "0 2 * * *"])
    assert lines[1].endswith(" 02:00:00")
    answer = json.loads((await run("--json"))[1])
    assert [each["cron"] for each in answer["triggers"]] == ["*/15 * * * *", "0 2 * * *"]


async def test_fired(run: Run) -> None:
    """A trigger that is fired by hand tells what came of it, and is listed from then on."""
    status, stdout, _ = await run("fire", "0 2 * * *")
    fired = stdout.strip()
    shown = (await run("--limit", "1"))[1]
    assert (status == 0, "(by hand)" in shown, fired in shown) == (not fired.startswith("NOT_BUILT"), True, True)


async def test_unknown(run: Run) -> None:
    """A line that is not in the manifest is told on stderr, with those that are."""
    status, stdout, stderr = await run("fire", "0 3 * * *")
    assert (status, stdout) == (1, "")
    assert "NOT_FOUND TRIGGER_NOT_FOUND: no trigger has the line '0 3 * * *'; there are: '*/15 * * * *'" in stderr


def answered() -> ListTriggersResponse:
    """Firings of every kind."""
    noon = 1_798_804_800

    def at(seconds: float) -> Timestamp:
        return Timestamp(seconds=noon + int(seconds), nanos=round(seconds % 1 * 1e9))

    answer = ListTriggersResponse()
    trigger = answer.triggers.add(cron="0 2 * * *", next_time=at(50_400))
    trigger.firings.extend(
        [
            Firing(due_time=at(40), start_time=at(40), forced=True),
            Firing(due_time=at(30), start_time=at(30), end_time=at(30), outcome="skipped: one runs"),
            Firing(due_time=at(20), start_time=at(120), end_time=at(121.5), outcome="warmed [3] books", made_up=True),
            Firing(due_time=at(0), start_time=at(0), end_time=at(9), outcome="spent", reason="QUOTA_SPENT"),
        ]
    )
    answer.triggers.add(cron="*/15 * * * *", next_time=at(900))
    return answer


def test_plain() -> None:
    """Each line stands for itself: trigger, due time, beginning, time taken and outcome."""
    assert list(plain(answered())) == [
        "0 2 * * *: next 2027-01-02 02:00:00",
        "0 2 * * *: due 2027-01-01 12:00:40 (by hand), began 2027-01-01 12:00:40, took no end yet: runs",
        "0 2 * * *: due 2027-01-01 12:00:30, began 2027-01-01 12:00:30, took 0.0 s: skipped: one runs",
        "0 2 * * *: due 2027-01-01 12:00:20 (made up), began 2027-01-01 12:02:00, took 1.5 s: warmed [3] books",
        "0 2 * * *: due 2027-01-01 12:00:00, began 2027-01-01 12:00:00, took 9.0 s: QUOTA_SPENT: spent",
        "*/15 * * * *: next 2027-01-01 12:15:00",
    ]


def test_tables() -> None:
    """On a terminal each trigger has a heading with its next time, and a table of its firings."""
    console = Console(file=StringIO(), width=120, force_terminal=False)
    for shown in tables(answered(), 1_798_804_800):
        console.print(shown)
    text = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]  # a StringIO
    assert text[0] == "0 2 * * *  next 2027-01-02 02:00:00, in 840 min"
    assert text[1].split() == ["Due", "Began", "Took", "Outcome"]
    assert text[4].split("  ")[-1] == "warmed [3] books"
    assert text[7:9] == ["*/15 * * * *  next 2027-01-01 12:15:00, in 15 min", "has not fired yet"]
