"""Runs each replica of each service as a process of its own: starts, starts again, restarts in turn, and ends them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import structlog

from mesh.deployment import Deployment, child_environ
from mesh.notify import READY, RELOADING, STOPPING, VARIABLE, Ear, ears, notify

_FIRST_PAUSE_S = 0.2
"""Seconds before a service that died is started again; doubled each time, up to the longest."""

_LONGEST_PAUSE_S = 10.0

_STEADY_S = 30.0
"""A service that ran this long and died begins with the first pause again."""

_START_S = 60.0
"""Seconds that a replica gets until it serves; one that has not by then stops a rolling restart."""

_log = structlog.get_logger("mesh.processes")


async def supervise(deployment: Deployment, environ: Mapping[str, str], only: Collection[str] | None = None) -> None:
    """Runs every replica in its own process until SIGTERM or SIGINT; SIGHUP restarts them one after the other.

    Args:
        deployment: what was read and checked.
        environ: the process's environment.
        only: the services to run; all of the deployment when None.
    """
    stop, roll = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    at_a_terminal = _has_terminal()

    def hung_up() -> None:
        # The system sends the same signal when the window of a terminal is closed; the terminal is gone then.
        closed = at_a_terminal and not _has_terminal()
        (stop if closed else roll).set()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    replicas = [
        (worker.manifest.name, number)
        for worker in deployment.start_order()
        if only is None or worker.manifest.name in only
        for number, _ in enumerate(deployment.book.services[worker.manifest.name].replicas, 1)
    ]
    async with ears(len(replicas)) as found, asyncio.TaskGroup() as group:
        children = [
            Child(
                name,
                number,
                command(deployment, name, number),
                {**child_environ(deployment, environ), VARIABLE: str(ear.path)},
                ear,
                deployment.book.drain.longest_s(),
            )
            for (name, number), ear in zip(replicas, found, strict=True)
        ]
        tasks = [group.create_task(child.keep(stop.is_set)) for child in children]
        tasks.append(group.create_task(_roll(children, roll, deployment.book.drain.settle_s, environ)))
        await stop.wait()
        notify(STOPPING, environ)
        tasks[-1].cancel()
        # Those that call are drained before those that are called.
        for child in reversed(children):
            await child.end()
        for task in tasks:
            task.cancel()


def command(deployment: Deployment, service: str, replica: int) -> list[str]:
    """How one replica of a service of a deployment is run by itself."""
    line = [sys.executable, "-m", "mesh.cli", "up", "--only", service, "--replica", str(replica)]
    line += ["--book", str(Path(deployment.book.path))]
    return [*line, "--env", deployment.environment] if deployment.environment else line


def _has_terminal() -> bool:
    """Whether there is a terminal from which this process is run."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


async def _roll(children: "Sequence[Child]", asked: asyncio.Event, settle_s: float, environ: Mapping[str, str]) -> None:
    """Tells when all serve, and whenever it is asked restarts one after the other."""
    with contextlib.suppress(TimeoutError):
        for child in children:
            await child.serves()
        notify(READY, environ)
    while True:
        await asked.wait()
        asked.clear()
        notify(RELOADING, environ)
        _log.info("rolling_restart", replicas=len(children))
        try:
            for child in children:
                for other in children:
                    # Without this one, the others have to carry its service.
                    if other.name == child.name and other is not child:
                        await other.serves()
                await child.restart()
                # Those that call it find it again before the next one goes.
                await asyncio.sleep(settle_s)
        except TimeoutError:
            _log.error("rolling_restart_stopped", service=child.name, replica=child.number, start_s=_START_S)
        else:
            _log.info("rolling_restart_done")
        notify(READY, environ)


class Child:
    """One replica's process.

    Args:
        name: the service.
        number: which of its replicas, from 1.
        line: its command line.
        environ: its environment.
        ear: hears when it serves.
        end_s: seconds that it gets to drain before it is killed.
    """

    def __init__(
        self, name: str, number: int, line: Sequence[str], environ: Mapping[str, str], ear: Ear, end_s: float
    ) -> None:
        self.name = name
        self.number = number
        self._line = line
        self._environ = environ
        self._ear = ear
        self._end_s = end_s
        self._process: asyncio.subprocess.Process | None = None
        self._told_to_end = False

    async def keep(self, stopping: Callable[[], bool]) -> None:
        """Starts the process, and starts it again whenever it ends before all are told to."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_S
        while not stopping():
            began = loop.time()
            self._told_to_end = False
            self._process = await asyncio.create_subprocess_exec(
                *self._line,
                env=dict(self._environ),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C at the terminal reaches this process alone, which ends them in order
            )
            _log.info("process_started", service=self.name, replica=self.number, pid=self._process.pid)
            status = await self._process.wait()
            self._ear.ready.clear()
            if stopping():
                return
            if self._told_to_end:
                continue
            pause = _FIRST_PAUSE_S if loop.time() - began > _STEADY_S else min(pause * 2, _LONGEST_PAUSE_S)
            _log.error("process_died", service=self.name, replica=self.number, status=status, restart_in_s=pause)
            await asyncio.sleep(pause)

    async def serves(self) -> None:
        """Waits until it serves.

        Raises:
            TimeoutError: it does not.
        """
        async with asyncio.timeout(_START_S):
            await self._ear.ready.wait()

    async def restart(self) -> None:
        """Ends the process in order, and waits until the one that takes its place serves.

        Raises:
            TimeoutError: it does not.
        """
        self._told_to_end = True
        await self.end()
        self._ear.ready.clear()
        await self.serves()

    async def end(self) -> None:
        """Lets the process drain, and kills it if it will not end."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._end_s):
                await process.wait()
        if process.returncode is None:
            _log.error("process_killed", service=self.name, replica=self.number, pid=process.pid)
            process.kill()
            await process.wait()
