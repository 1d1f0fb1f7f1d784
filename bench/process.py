"""The only place that runs the answering side of a rival as a process: starts it, asks for its CPU time, and ends it.

The process serves until its standard input ends. So it ends with its parent whatever becomes of that, on any system.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

_START_S = 30.0
"""Seconds that a server gets until it listens; a cold start reads every library from the disk."""

_END_S = 5.0
"""Seconds that a server gets to end by itself."""


class ServerError(Exception):
    """A server did not start, or is gone."""


class ServerProcess:
    """A server that runs.

    Args:
        name: the rival that it answers for.
        process: what runs.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        self.address = ""

    async def read_line(self) -> str:
        """The next line that it says.

        Raises:
            ServerError: it has ended.
        """
        if self.process.stdout is None:
            raise ServerError(f"the server of {self.name} has no output")
        async with asyncio.timeout(_START_S):
            line = await self.process.stdout.readline()
        if not line:
            raise ServerError(f"the server of {self.name} has ended")
        return line.decode().strip()

    async def cpu_s(self) -> float:
        """CPU seconds, user and system, that all of its threads have used so far.

        It reads its own clock (time.process_time: nanoseconds), for what the system tells of another process is counted
        in hundredths of a second.

        Raises:
            ServerError: it has ended.
        """
        if self.process.stdin is None:
            raise ServerError(f"the server of {self.name} has no input")
        self.process.stdin.write(b"cpu\n")
        return float(await self.read_line())


@contextlib.asynccontextmanager
async def server(name: str, address: str) -> AsyncIterator[ServerProcess]:
    """Runs the server of a rival until the block ends.

    Args:
        name: the rival's module in bench.rivals.
        address: where it is to listen: "127.0.0.1:0" for any free port, or "unix:/path".

    Raises:
        ServerError: it did not start; what it said is on standard error.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.server", name, address),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C at the terminal is for the parent, with which this one ends
    )
    running = ServerProcess(name, process)
    try:
        running.address = await running.read_line()
        yield running
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
