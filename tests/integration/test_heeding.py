"""What a process that runs services makes of its signals, and of its terminal."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mesh.hosting.notify import VARIABLE, ears
from mesh.hosting.processes import heeding
from mesh.hosting.serve import serve
from tests.integration.test_serving import made
from tests.tiny_replicas import until

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_end(sent: signal.Signals) -> None:
    """SIGTERM and SIGINT end all."""
    stop, roll = heeding(lambda: True)
    os.kill(os.getpid(), sent)
    await until(stop.is_set)
    assert not roll.is_set()


@pytest.mark.parametrize("terminal", [True, False])
async def test_told_to_restart(terminal: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """SIGHUP restarts, where there is a terminal that is still there, and where there was none."""
    stop, roll = heeding(lambda: terminal)
    os.kill(os.getpid(), signal.SIGHUP)
    await until(roll.is_set)
    assert not stop.is_set()


async def test_outlives_its_terminal() -> None:
    """Run with nohup, it goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        there = True
        stop, roll = heeding(lambda: there)
        there = False
        os.kill(os.getpid(), signal.SIGHUP)
        await until(roll.is_set)
        assert not stop.is_set()
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


HEEDING = """
import asyncio, fcntl, sys, termios
from mesh.hosting.processes import heeding
fcntl.ioctl(0, termios.TIOCSCTTY, 0)

async def main():
    stop, roll = heeding()
    for name, event in (("stop", stop), ("roll", roll)):
        asyncio.create_task(tell(name, event))
    print("ready", flush=True)
    await stop.wait()

async def tell(name, event):
    await event.wait()
    print(name, flush=True)

asyncio.run(main())
"""


def test_closed_terminal() -> None:
    """A real terminal that is closed ends what runs in it; before that, a SIGHUP restarts."""
    near, far = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", HEEDING],
        cwd=ROOT,
        stdin=far,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        os.close(far)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == "roll\n"
        os.close(near)
        assert (process.wait(20), "stop" in process.stdout.read()) == (0, True)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_one_process_is_told_to_end(tmp_path: Path, sent: signal.Signals) -> None:
    """Services that run in one process drain on each signal that ends it, a closed terminal's too."""
    async with ears(1) as (ear,):
        with capture_logs() as logs:
            task = asyncio.create_task(serve(made(tmp_path), {VARIABLE: str(ear.path)}))
            await until(ear.ready.is_set)
            os.kill(os.getpid(), sent)
            await task
        assert [each["event"] for each in logs[-2:]] == ["draining", "stopped"]
        await until(lambda: not ear.ready.is_set())


async def test_one_process_outlives_its_terminal(tmp_path: Path) -> None:
    """Run with nohup, services in one process serve on when the terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with ears(1) as (ear,):
            task = asyncio.create_task(serve(made(tmp_path), {VARIABLE: str(ear.path)}))
            await until(ear.ready.is_set)
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.1)
            assert ear.ready.is_set()
            os.kill(os.getpid(), signal.SIGTERM)
            await task
    finally:
        signal.signal(signal.SIGHUP, before)
