"""Replicas as processes: started, started again, and restarted one after the other; tiny ones stand for real."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mesh.hosting.child import Child, NotServingError
from mesh.hosting.notify import VARIABLE, ears
from mesh.hosting.processes import _roll
from tests.tiny_replicas import Teller, line, pids, story, until


@asynccontextmanager
async def children(home: Path, *names: str, start_s: float = 20, end_s: float = 20) -> AsyncIterator[list[Child]]:
    """Replicas that run until the block ends; "a1" and "a2" are replicas of the service "a"."""
    stopping = False
    async with ears(len(names)) as found, asyncio.TaskGroup() as group:
        running = [
            Child(name[0], int(name[1]), line(name, home), {VARIABLE: str(ear.path)}, ear, end_s, start_s=start_s)
            for name, ear in zip(names, found, strict=True)
        ]
        tasks = [group.create_task(child.keep(lambda: stopping)) for child in running]
        try:
            yield running
        finally:
            stopping = True
            (home / "a1.stubborn").unlink(missing_ok=True)
            for child in running:
                await child.end()
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def rolling(home: Path, *names: str, settle_s: float = 0) -> AsyncIterator["Rolling"]:
    """Replicas that all serve, and are restarted one after the other when asked."""
    async with children(home, *names) as running:
        teller = Teller(home / "teller")
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: teller,
            local_addr=str(teller.path),
            family=socket.AF_UNIX,
        )
        asked = asyncio.Event()
        task = asyncio.create_task(_roll(running, asked, settle_s, {VARIABLE: str(teller.path)}))
        try:
            await until(lambda: teller.told == ["READY=1"])
            yield Rolling(running, asked, teller)
        finally:
            task.cancel()
            transport.close()


class Rolling:
    """What restarts the replicas."""

    def __init__(self, children: list[Child], asked: asyncio.Event, teller: Teller) -> None:
        self._children = children
        self._asked = asked
        self._teller = teller

    def ask(self) -> None:
        """Asks for a restart."""
        self._teller.told.clear()
        self._asked.set()

    def give(self, seconds: float) -> None:
        """Gives each replica so long from now on until it serves."""
        for child in self._children:
            child._start_s = seconds

    def is_done(self) -> bool:
        """Whether it was said that the restart began and ended."""
        return self._teller.told == ["RELOADING=1", "READY=1"]


async def test_died(tmp_path: Path) -> None:
    """A process that dies is started again, after a pause that doubles each time."""
    (tmp_path / "a1.broken").touch()
    with capture_logs() as logs:
        async with children(tmp_path, "a1") as (child,):
            await until(lambda: story(tmp_path).count("starts a1") == 3)
            (tmp_path / "a1.broken").unlink()
            await child.serves()
    deaths = [each for each in logs if each["event"] == "process_died"]
    assert [(each["status"], each["restart_in_s"]) for each in deaths] == [(3, 0.2), (3, 0.4), (3, 0.8)]


async def test_killed(tmp_path: Path) -> None:
    """A process that is killed serves no more until the one that takes its place does."""
    async with children(tmp_path, "a1") as (child,):
        await child.serves()
        os.kill(pids(tmp_path, "a1")[0], signal.SIGKILL)
        await until(lambda: not child._ear.ready.is_set())
        await child.serves()
        assert story(tmp_path) == ["starts a1", "serves a1", "starts a1", "serves a1"]


async def test_never_serves(tmp_path: Path) -> None:
    """A replica that does not serve in time is an error that names it."""
    (tmp_path / "a2.mute").touch()
    async with children(tmp_path, "a2", start_s=0.1) as (child,):
        with pytest.raises(NotServingError, match="replica 2 of a does not serve"):
            await child.serves()


async def test_restart(tmp_path: Path) -> None:
    """A restart ends the process in order, and is over when another one serves; it tells how long, and of no death."""
    with capture_logs() as logs:
        async with children(tmp_path, "a1") as (child,):
            await child.serves()
            await child.restart()
            assert story(tmp_path) == ["starts a1", "serves a1", "ends a1", "starts a1", "serves a1"]
    assert len(set(pids(tmp_path, "a1"))) == 2
    assert [each["event"] for each in logs] == ["process_started", "process_started", "process_restarted"]
    assert (logs[-1]["service"], logs[-1]["replica"], 0 < logs[-1]["took_s"] < 20) == ("a", 1, True)


async def test_restart_of_one_that_is_dead(tmp_path: Path) -> None:
    """A restart of a replica that has died waits for the one that is started anyway, and starts no second one."""
    async with children(tmp_path, "a1") as (child,):
        await child.serves()
        os.kill(pids(tmp_path, "a1")[0], signal.SIGKILL)
        await until(lambda: not child._ear.ready.is_set())
        await child.restart()
        assert story(tmp_path).count("starts a1") == 2


async def test_stubborn(tmp_path: Path) -> None:
    """A process that does not end in its time is killed, and that is logged."""
    (tmp_path / "a1.stubborn").touch()
    with capture_logs() as logs:
        async with children(tmp_path, "a1", end_s=0.2) as (child,):
            await child.serves()
            await child.restart()
    killed = [each["pid"] for each in logs if each["event"] == "process_killed"]
    assert (killed, story(tmp_path)[:3]) == (pids(tmp_path, "a1")[:1], ["starts a1", "serves a1", "starts a1"])


async def test_ctrl_c_is_not_for_the_children(tmp_path: Path) -> None:
    """Each replica is in a session of its own, so that a Ctrl-C at the terminal passes it by."""
    async with children(tmp_path, "a1") as (child,):
        await child.serves()
        (pid,) = pids(tmp_path, "a1")
        assert os.getsid(pid) == pid


async def test_one_after_the_other(tmp_path: Path) -> None:
    """Replicas are restarted in turn: each serves again before the next one is ended; then that is told."""
    async with rolling(tmp_path, "a1", "a2", "b1") as roll:
        told = len(story(tmp_path))
        roll.ask()
        await until(roll.is_done)
        turns = ("a1", "a2", "b1")
        assert story(tmp_path)[told:] == [f"{what} {name}" for name in turns for what in ("ends", "starts", "serves")]


async def test_twice(tmp_path: Path) -> None:
    """A second restart that is asked for while the first one runs comes after it."""
    async with rolling(tmp_path, "a1", "a2") as roll:
        roll.ask()
        await until(lambda: "ends a1" in story(tmp_path))
        roll._asked.set()
        await until(lambda: roll._teller.told == ["RELOADING=1", "READY=1"] * 2)
        assert [story(tmp_path).count(f"ends {name}") for name in ("a1", "a2")] == [2, 2]


async def test_waits_for_the_others(tmp_path: Path) -> None:
    """While one replica does not serve, none of the same service is ended."""
    async with rolling(tmp_path, "a1", "a2") as roll:
        (tmp_path / "a2.broken").touch()
        os.kill(pids(tmp_path, "a2")[0], signal.SIGKILL)
        await until(lambda: story(tmp_path).count("starts a2") == 2)
        roll.ask()
        await until(lambda: story(tmp_path).count("starts a2") == 3)
        assert "ends a1" not in story(tmp_path)
        (tmp_path / "a2.broken").unlink()
        await until(roll.is_done)
        told = story(tmp_path)
        assert told.index("ends a1") > [at for at, each in enumerate(told) if each == "serves a2"][1]


async def test_one_that_does_not_come_up(tmp_path: Path) -> None:
    """A replica that does not serve after its restart stops the rest; the others run on, and the log names it."""
    with capture_logs() as logs:
        async with rolling(tmp_path, "a1", "a2", "b1") as roll:
            roll.give(0.5)
            (tmp_path / "a1.broken").touch()
            roll.ask()
            await until(roll.is_done)
            assert {"ends a2", "ends b1"}.isdisjoint(story(tmp_path))
    (stopped,) = (each for each in logs if each["event"] == "rolling_restart_stopped")
    assert (stopped["service"], stopped["replica"], stopped["log_level"]) == ("a", 1, "error")


async def test_one_that_was_down_before(tmp_path: Path) -> None:
    """The log names the replica that does not serve, and not the one whose turn it was."""
    with capture_logs() as logs:
        async with rolling(tmp_path, "a1", "a2") as roll:
            roll.give(0.5)
            (tmp_path / "a2.broken").touch()
            os.kill(pids(tmp_path, "a2")[0], signal.SIGKILL)
            await until(lambda: story(tmp_path).count("starts a2") == 2)
            roll.ask()
            await until(roll.is_done)
            assert "ends a1" not in story(tmp_path)
    (stopped,) = (each for each in logs if each["event"] == "rolling_restart_stopped")
    assert (stopped["service"], stopped["replica"]) == ("a", 2)


async def test_after_one_that_stopped(tmp_path: Path) -> None:
    """Once the replica is mended, the next restart goes through."""
    async with rolling(tmp_path, "a1", "a2") as roll:
        roll.give(0.5)
        (tmp_path / "a1.broken").touch()
        roll.ask()
        await until(roll.is_done)
        (tmp_path / "a1.broken").unlink()
        roll.give(20)
        roll.ask()
        await until(roll.is_done)
        assert story(tmp_path).count("ends a2") == 1


async def test_settles(tmp_path: Path) -> None:
    """Between one replica's return and the end of the next is the time in which callers find it again."""
    async with rolling(tmp_path, "a1", "a2", settle_s=0.6) as roll:
        started = time.monotonic()
        roll.ask()
        await until(lambda: story(tmp_path).count("serves a1") == 2)
        assert "ends a2" not in story(tmp_path)
        await until(roll.is_done)
        assert time.monotonic() - started > 1.2


async def test_not_all_serve() -> None:
    """Where a replica never serves, that is logged, and nobody is told that all do."""
    with capture_logs() as logs:
        async with ears(2) as (ear, told):
            child = Child("a", 1, [], {}, ear, 1, start_s=0.05)
            task = asyncio.create_task(_roll([child], asyncio.Event(), 0, {VARIABLE: str(told.path)}))
            await until(lambda: logs)
            task.cancel()
            assert not told.ready.is_set()
    assert logs == [{"event": "not_serving", "service": "a", "replica": 1, "log_level": "error"}]
