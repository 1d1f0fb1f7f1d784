"""One replica of a service as a process: starts it, starts it again when it dies, and ends it in order."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from mesh.hosting.notify import Ear

_FIRST_PAUSE_S = 0.2
"""Seconds before a service that died is started again; doubled each time, up to the longest."""

_LONGEST_PAUSE_S = 10.0

_STEADY_S = 30.0
"""A service that ran this long and died begins with the first pause again."""

_START_S = 60.0
"""Seconds that a replica gets until it serves; one that has not by then stops a rolling restart."""

_log = structlog.get_logger("mesh.hosting.child")


class NotServingError(Exception):
    """A replica does not serve in time.

    Args:
        service: its service.
        replica: which of its replicas, from 1.
    """

    def __init__(self, service: str, replica: int) -> None:
        super().__init__(f"replica {replica} of {service} does not serve")
        self.service = service
        self.replica = replica


class Child:
    """One replica's process.

    Args:
        name: the service.
        number: which of its replicas, from 1.
        line: its command line.
        environ: its environment.
        ear: hears when it serves.
        end_s: seconds that it gets to drain before it is killed.
        start_s: seconds that it gets until it serves.
        inherits: file descriptors that it has as well.
    """

    def __init__(
        self,
        name: str,
        number: int,
        line: Sequence[str],
        environ: Mapping[str, str],
        ear: Ear,
        end_s: float,
        *,
        start_s: float = _START_S,
        inherits: Collection[int] = (),
    ) -> None:
        self.name = name
        self.number = number
        self._line = line
        self._environ = environ
        self._ear = ear
        self._end_s = end_s
        self._start_s = start_s
        self._inherits = inherits
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
                pass_fds=self._inherits,
                start_new_session=True,  # a Ctrl-C at the terminal reaches this process alone, which ends them in order
            )
            _log.info("process_started", service=self.name, replica=self.number, pid=self._process.pid)
            status = await self._process.wait()
            self._ear.ready.clear()
            if stopping():
                return
            if self._told_to_end:
                continue
            if loop.time() - began > _STEADY_S:
                pause = _FIRST_PAUSE_S
            _log.error("process_died", service=self.name, replica=self.number, status=status, restart_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def serves(self) -> None:
        """Waits until it serves.

        Raises:
            NotServingError: it does not in time.
        """
        try:
            async with asyncio.timeout(self._start_s):
                await self._ear.ready.wait()
        except TimeoutError:
            raise NotServingError(self.name, self.number) from None

    async def restart(self) -> None:
        """Ends the process in order, and waits until the one that takes its place serves.

        Raises:
            NotServingError: it does not in time.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        self._told_to_end = True
        await self.end()
        self._ear.ready.clear()
        await self.serves()
        _log.info("process_restarted", service=self.name, replica=self.number, took_s=round(clock() - began, 3))

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
