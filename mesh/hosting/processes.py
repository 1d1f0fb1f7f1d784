"""Runs each replica of each service as a process of its own, and restarts them one after the other when told to."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from mesh import company
from mesh.hosting.child import Child, NotServingError
from mesh.hosting.deployment import Deployment, child_environ
from mesh.hosting.notify import READY, RELOADING, STOPPING, VARIABLE, ears, notify

_log = structlog.get_logger("mesh.hosting.processes")


def _has_terminal() -> bool:
    """Whether there is a terminal from which this process is run."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def command(deployment: Deployment, service: str, replica: int) -> list[str]:
    """How one replica of a service of a deployment is run by itself."""
    line = [sys.executable, "-m", "mesh.cli", "up", "--only", service, "--replica", str(replica)]
    line += ["--book", str(Path(deployment.book.path))]
    return [*line, "--env", deployment.environment] if deployment.environment else line


async def supervise(
    deployment: Deployment,
    environ: Mapping[str, str],
    only: Collection[str] | None = None,
    line: Callable[[Deployment, str, int], list[str]] = command,
) -> None:
    """Runs every replica in its own process until SIGTERM or SIGINT; SIGHUP restarts them one after the other.

    Args:
        deployment: what was read and checked.
        environ: the process's environment.
        only: the services to run; all of the deployment when None.
        line: the command line of one replica of a service.
    """
    stop, roll = heeding()
    replicas = [
        (worker.manifest.name, number)
        for worker in deployment.start_order()
        if only is None or worker.manifest.name in only
        for number, _ in enumerate(deployment.book.services[worker.manifest.name].replicas, 1)
    ]
    async with AsyncExitStack() as opened:
        found = await opened.enter_async_context(ears(len(replicas)))
        memory = opened.enter_context(company.shared())
        group = await opened.enter_async_context(asyncio.TaskGroup())
        children = [
            Child(
                name,
                number,
                line(deployment, name, number),
                {**child_environ(deployment, environ), VARIABLE: str(ear.path), company.VARIABLE: str(memory)},
                ear,
                deployment.book.drain.longest_s(),
                inherits=[memory],
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


def heeding(has_terminal: Callable[[], bool] = _has_terminal) -> tuple[asyncio.Event, asyncio.Event]:
    """Heeds this process's signals from now on.

    Args:
        has_terminal: whether there is a terminal from which this process is run.

    Returns:
        What is set when all are to end, and what is set when they are to restart.
    """
    stop, roll = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    # Whoever starts this with nohup wants it to outlive the terminal; a restart then is all that it notices.
    ends_with_it = has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    def hung_up() -> None:
        # The system sends the same signal when the window of a terminal is closed; the terminal is gone then.
        closed = ends_with_it and not has_terminal()
        (stop if closed else roll).set()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    return stop, roll


async def _roll(children: Sequence[Child], asked: asyncio.Event, settle_s: float, environ: Mapping[str, str]) -> None:
    """Tells when all serve, and whenever it is asked restarts one after the other."""
    try:
        for child in children:
            await child.serves()
    except NotServingError as error:
        _log.error("not_serving", service=error.service, replica=error.replica)
    else:
        _log.info("all_serve", replicas=len(children))
        notify(READY, environ)
    while True:
        await asked.wait()
        asked.clear()
        notify(RELOADING, environ)
        _log.info("rolling_restart", replicas=len(children))
        try:
            await _restart_each(children, settle_s)
        except NotServingError as error:
            _log.error("rolling_restart_stopped", service=error.service, replica=error.replica)
        else:
            _log.info("rolling_restart_done")
        notify(READY, environ)


async def _restart_each(children: Sequence[Child], settle_s: float) -> None:
    for child in children:
        for other in children:
            # Without this one, the others have to carry its service.
            if other.name == child.name and other is not child:
                await other.serves()
        await child.restart()
        # Those that call it find it again before the next one goes.
        await asyncio.sleep(settle_s)
