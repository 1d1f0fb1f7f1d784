"""The processes of a deployment: started again when they die, restarted in turn, ended in order."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mesh import processes
from mesh.notify import READY, RELOADING, VARIABLE, ears
from mesh.processes import Child

SERVICE = """
import os, signal, socket, sys, time
def say(what):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(what.encode(), os.environ["NOTIFY_SOCKET"])
def end(*_):
    say("STOPPING=1")
    with open(LOG, "a") as log: log.write(NAME + " ended\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if DEAF else end)
with open(LOG, "a") as log: log.write(NAME + " began\\n")
if not MUTE or NAME.endswith("1"):
    say("READY=1")
time.sleep(60)
"""


@asynccontextmanager
async def minded(log: Path, *names: str, deaf: bool = False, mute: bool = False) -> AsyncIterator[list[Child]]:
    """Processes of a service each, that are minded until the block ends.

    Args:
        log: where they write when they begin and end.
        names: one for each.
        deaf: they don't end when they are told to.
        mute: only the first of them ever says that it serves.
    """
    stopping = False
    async with ears(len(names)) as found, asyncio.TaskGroup() as group:
        children = []
        for number, (name, ear) in enumerate(zip(names, found, strict=True), 1):
            code = f"LOG, NAME, DEAF, MUTE = {str(log)!r}, '{name}{number}', {deaf}, {mute}\n{SERVICE}"
            environ: Mapping[str, str] = {**os.environ, VARIABLE: str(ear.path)}
            children.append(Child(name, number, [sys.executable, "-c", code], environ, ear, 0.5))
        keeping = [group.create_task(child.keep(lambda: stopping)) for child in children]
        for child in children[: 1 if mute else None]:
            await child.serves()
        try:
            yield children
        finally:
            stopping = True
            for child in children:
                await child.end()
            for task in keeping:
                task.cancel()


async def test_restart(tmp_path: Path) -> None:
    """A restart ends the process in order, and is over when the next one serves."""
    async with minded(tmp_path / "log", "a") as (child,):
        await child.restart()
        said = (tmp_path / "log").read_text().split("\n")[:3]
    assert said == ["a1 began", "a1 ended", "a1 began"]


async def test_killed(tmp_path: Path) -> None:
    """A process that dies by itself is started again."""
    async with minded(tmp_path / "log", "a") as (child,):
        process = child._process
        assert process is not None
        process.kill()
        await process.wait()
        while child._ear.ready.is_set():  # noqa: ASYNC110 - until its death is noticed
            await asyncio.sleep(0.01)
        await child.serves()
        assert (tmp_path / "log").read_text() == "a1 began\na1 began\n"


async def test_deaf(tmp_path: Path) -> None:
    """A process that will not end is killed when its time is over."""
    async with minded(tmp_path / "log", "a", deaf=True) as (child,):
        process = child._process
        await child.restart()
        assert process is not None
        assert process.returncode == -9


async def test_rolling_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One replica goes after the other: none ends before the one before it serves again."""
    monkeypatch.setattr(processes, "_START_S", 10.0)
    asked = asyncio.Event()
    async with minded(tmp_path / "log", "a", "a") as children:
        rolling = asyncio.create_task(processes._roll(children, asked, 0.05, {}))
        asked.set()
        while (tmp_path / "log").read_text().count("began") < 4:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)
        rolling.cancel()
        said = (tmp_path / "log").read_text().split("\n")[2:-1]
    assert said == ["a1 ended", "a1 began", "a2 ended", "a2 began"]


async def test_one_that_does_not_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a replica does not serve, the other one is not ended: it carries the service alone."""
    monkeypatch.setattr(processes, "_START_S", 2.0)
    told: list[str] = []
    monkeypatch.setattr(processes, "notify", lambda state, _: told.append(state))
    asked = asyncio.Event()
    async with minded(tmp_path / "log", "a", "a", mute=True) as children:
        rolling = asyncio.create_task(processes._roll(children, asked, 0.0, {}))
        asked.set()
        while told != [RELOADING, READY]:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)
        rolling.cancel()
        assert "ended" not in (tmp_path / "log").read_text()
