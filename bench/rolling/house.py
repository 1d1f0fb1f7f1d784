"""The services of a rolling restart: an address book with two replicas of each, and `bookmesh up --separate` on it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.ports import free_ports

ROOT = Path(__file__).parents[2]

_START_S = 90.0
"""Seconds that the services get to start, each reading every library from the disk."""

_ROLL_S = 120.0
"""Seconds that one rolling restart may take."""

_END_S = 60.0

RESTARTED = ("isbndb-biography-worker", "books-api-proxy")
"""The services that run twice: the search, and the leaf that it calls."""

_BOOK = """
[services.isbndb-biography-worker]
manifest = "{root}/services/isbndb/service.toml"
default = ["127.0.0.1:{ports[0]}", "127.0.0.1:{ports[1]}"]
admin = ["127.0.0.1:{ports[6]}", "127.0.0.1:{ports[7]}"]

[services.books-api-proxy]
manifest = "{root}/services/books/service.toml"
default = ["127.0.0.1:{ports[2]}", "127.0.0.1:{ports[3]}"]
admin = ["127.0.0.1:{ports[8]}", "127.0.0.1:{ports[9]}"]

[services.personal-library-cache-warmer]
manifest = "{root}/services/warmer/service.toml"
default = "127.0.0.1:{ports[4]}"
admin = "127.0.0.1:{ports[10]}"

[stand_ins.ISBNDB_API_KEY]
module = "sandbox"
address = "127.0.0.1:{ports[5]}"
arguments = ["--plan", "enterprise"]
secret = "sandbox"
vars = {{ ISBNDB_URL = "http://127.0.0.1:{ports[5]}", ISBNDB_PLAN = "enterprise" }}
"""


class RollingError(Exception):
    """The services did not start, or did not restart; the text says what they said last."""


class House:
    """The services, running.

    Args:
        book: their address book.
        process: what minds them; its log is read here.
    """

    def __init__(self, book: Path, process: asyncio.subprocess.Process) -> None:
        self.book = book
        self.started = 0
        """Processes that were started so far."""
        self._process = process
        self._last = ""
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def start(self, count: int) -> None:
        """Waits until so many entrypoints listen.

        Raises:
            RollingError: they do not.
        """
        for _ in range(count):
            await self._until("listening", _START_S)

    async def roll(self) -> None:
        """Restarts every replica, one after the other.

        Raises:
            RollingError: one did not come back.
        """
        self._process.send_signal(signal.SIGHUP)
        await self._until("rolling_restart_done", _ROLL_S)

    async def end(self) -> None:
        """Ends them all."""
        if self._process.returncode is None:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _until(self, wanted: str, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                while (event := await self._events.get()) != wanted:
                    if event in {"", "rolling_restart_stopped"}:
                        raise RollingError(f"waited for {wanted}; the last they said is: {self._last}")
        except TimeoutError:
            raise RollingError(f"{wanted} did not come in {limit_s:g} s; the last they said is: {self._last}") from None

    async def _read(self) -> None:
        if self._process.stderr is None:
            return
        async for line in self._process.stderr:
            self._last = line.decode(errors="replace").strip()
            with contextlib.suppress(ValueError):
                event = str(json.loads(self._last).get("event"))
                self.started += event == "process_started"
                self._events.put_nowait(event)
        self._events.put_nowait("")


@contextlib.asynccontextmanager
async def running(folder: Path, environ: Mapping[str, str] = os.environ) -> AsyncIterator[House]:
    """Runs the services below a folder until the block ends.

    Raises:
        RollingError: they did not start.
    """
    book = folder / "mesh.toml"
    book.write_text(_BOOK.format(root=ROOT, ports=free_ports(11)))
    only = [word for name in RESTARTED for word in ("--only", name)]
    kept = {name: value for name, value in environ.items() if not name.startswith(("ISBNDB", "BOOKMESH", "NOTIFY"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "clients.cli", "up", "--separate", "--book", str(book), *only),
        cwd=ROOT,
        env={**kept, "BOOKMESH_LOG": "json"},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which ends this one in order
    )
    house = House(book, process)
    try:
        await house.start(4 * len(RESTARTED))
        yield house
    finally:
        await house.end()
