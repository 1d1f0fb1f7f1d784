"""Runs each service as a process of its own, starts one again that dies, and ends them all on a signal."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from mesh.deployment import Deployment, child_environ

_FIRST_PAUSE_S = 0.2
"""Seconds before a service that died is started again; doubled each time, up to the longest."""

_LONGEST_PAUSE_S = 10.0

_STEADY_S = 30.0
"""A service that ran this long and died begins with the first pause again."""

_END_S = 15.0
"""Seconds that a service gets to drain before it is killed."""

_log = structlog.get_logger("mesh.processes")


async def supervise(deployment: Deployment, environ: Mapping[str, str]) -> None:
    """Runs every service in its own process until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    children = [
        _Child(worker.manifest.name, command(deployment, worker.manifest.name), child_environ(deployment, environ))
        for worker in deployment.start_order()
    ]
    async with asyncio.TaskGroup() as group:
        keepers = [group.create_task(child.keep(stop.is_set)) for child in children]
        await stop.wait()
        # Those that call are drained before those that are called.
        for child in reversed(children):
            await child.end()
        for keeper in keepers:
            keeper.cancel()


def command(deployment: Deployment, service: str) -> list[str]:
    """How one service of a deployment is run by itself."""
    line = [sys.executable, "-m", "mesh.cli", "up", "--only", service, "--book", str(Path(deployment.book.path))]
    return [*line, "--env", deployment.environment] if deployment.environment else line


class _Child:
    """One service's process."""

    def __init__(self, name: str, line: list[str], environ: Mapping[str, str]) -> None:
        self._name = name
        self._line = line
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None

    async def keep(self, stopping: Callable[[], bool]) -> None:
        """Starts the process, and starts it again whenever it dies before it is told to end."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_S
        while not stopping():
            began = loop.time()
            self._process = await asyncio.create_subprocess_exec(
                *self._line,
                env=dict(self._environ),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C at the terminal reaches this process alone, which ends them in order
            )
            _log.info("process_started", service=self._name, pid=self._process.pid)
            status = await self._process.wait()
            if stopping():
                return
            pause = _FIRST_PAUSE_S if loop.time() - began > _STEADY_S else min(pause * 2, _LONGEST_PAUSE_S)
            _log.error("process_died", service=self._name, status=status, restart_in_s=pause)
            await asyncio.sleep(pause)

    async def end(self) -> None:
        """Lets the process drain, and kills it if it will not end."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()
        if process.returncode is None:
            _log.error("process_killed", service=self._name, pid=process.pid)
            process.kill()
            await process.wait()
