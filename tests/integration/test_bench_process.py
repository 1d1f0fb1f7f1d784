"""The benchmark's servers: they tell their CPU time, and leave nothing running behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.process import ServerError, server

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:0"

PARENT = """
import asyncio, sys
from bench.process import server
async def main():
    async with server("aiohttp_orjson", "127.0.0.1:0") as running:
        print(running.process.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        return state != "Z"
    return False


async def test_cpu_time_grows() -> None:
    """The CPU time of a server is above zero and grows from one question to the next."""
    async with server("aiohttp_orjson", ADDRESS) as running:
        first, second = await running.cpu_s(), await running.cpu_s()
    assert 0 < first < second


async def test_server_ends_with_the_block() -> None:
    """When the block ends the process has ended, by itself and in order."""
    async with server("aiohttp_orjson", ADDRESS) as running:
        pass
    assert running.process.returncode == 0


async def test_unknown_rival() -> None:
    """A server that can't start is an error that names it."""
    with pytest.raises(ServerError, match="nobody"):
        async with server("nobody", ADDRESS):
            pass


async def test_server_that_has_gone() -> None:
    """Asking a server that has gone is an error, not a wait."""
    async with server("aiohttp_orjson", ADDRESS) as running:
        running.process.kill()
        await running.process.wait()
        with pytest.raises(ServerError):
            await running.cpu_s()


def test_server_ends_with_its_parent() -> None:
    """A server whose parent is killed ends, too."""
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while lives(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not lives(pid)


async def test_interrupt_is_for_the_parent() -> None:
    """A Ctrl-C at the terminal does not reach the servers: they are in a session of their own."""
    async with server("aiohttp_orjson", ADDRESS) as running:
        assert os.getsid(running.process.pid) != os.getsid(0)
