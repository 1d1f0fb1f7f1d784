"""The services of a rolling restart: an address book with two replicas of each, and `bookmesh up --separate` on it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from mesh.config.drain_settings import DrainSettings
from mesh.hosting.embedded import die_with_parent
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]

_START_S = 90.0
"""Seconds that the services get to start, each reading every library from the disk."""

_ROLL_S = 120.0
"""Seconds that one rolling restart may take."""

_END_S = 60.0

SETTLE_S = DrainSettings().settle_s
"""What a deployment has that does not say otherwise."""

_FAULTS = frozenset({"", "process_died", "process_killed", "not_serving", "rolling_restart_stopped"})
"""What the one that minds the replicas says when all is not well; it says nothing any more when it has ended."""

RESTARTED = ("isbndb-biography-worker", "books-api-proxy")
"""The services that run twice: the search, and the leaf that it calls."""

_BOOK = """
[drain]
settle_s = {settle_s}

{services}
[ledger]
kv = "embedded"

[stand_ins.ISBNDB_API_KEY]
module = "sandbox"
address = "127.0.0.1:{port}"
arguments = {arguments}
secret = "sandbox"
vars = {{ ISBNDB_URL = "http://127.0.0.1:{port}", ISBNDB_PLAN = "{plan}" }}
"""

_SERVICE = """
[services.{name}]
manifest = "{root}/services/{package}/service.toml"
public = true
default = {default}
admin = {admin}
mesh = {mesh}
"""

_PACKAGES = {
    "isbndb-biography-worker": "isbndb",
    "books-api-proxy": "books",
    "personal-library-cache-warmer": "warmer",
}

TWO_OF_EACH: Mapping[str, int] = dict.fromkeys(RESTARTED, 2)
"""How often each service runs in a rolling restart."""


class RollingError(Exception):
    """The services did not start, or did not restart; the text says what they said last."""


class House:
    """The services, running.

    Args:
        book: their address book.
        process: what minds them; its log is read here.
        sandbox: where the sandbox answers.
    """

    def __init__(self, book: Path, process: asyncio.subprocess.Process, sandbox: str = "") -> None:
        self.book = book
        self.sandbox = sandbox
        self.restarts_s: list[float] = []
        """Seconds that each restart of a replica took, from the signal that ended it until it served again."""
        self._process = process
        self._last = ""
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def start(self) -> None:
        """Waits until all replicas serve.

        Raises:
            RollingError: they do not.
        """
        await self._until("all_serve", _START_S)

    @property
    def pid(self) -> int:
        """What minds the replicas."""
        return self._process.pid

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
                    if event in _FAULTS:
                        raise RollingError(f"waited for {wanted}; the last they said is: {self._last}")
        except TimeoutError:
            raise RollingError(f"{wanted} did not come in {limit_s:g} s; the last they said is: {self._last}") from None

    async def _read(self) -> None:
        if self._process.stderr is None:
            return
        async for line in self._process.stderr:
            text = line.decode(errors="replace").strip()
            with contextlib.suppress(ValueError):
                said = json.loads(text)
                if said["event"] == "process_restarted":
                    self.restarts_s.append(said["took_s"])
                self._events.put_nowait(said["event"])
            self._last = text or self._last
        self._events.put_nowait("")


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    settle_s: float = SETTLE_S,
    replicas: Mapping[str, int] = TWO_OF_EACH,
    plan: str = "enterprise",
    sandbox: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[House]:
    """Runs the services below a folder until the block ends.

    Args:
        folder: where their address book and their data go.
        environ: the process's environment.
        settle_s: seconds between one replica's return and the end of the next.
        replicas: how often each service runs; those that are not named do not.
        plan: what of ISBNdb's the sandbox keeps to, and the leaf.
        sandbox: more arguments of the sandbox.
        variables: vars of the services that are not as they are shipped.

    Raises:
        RollingError: they did not start.
    """
    book = folder / "mesh.toml"
    port, text = _address_book(replicas, settle_s, plan, sandbox)
    book.write_text(text)
    only = [word for name in replicas for word in ("--only", name)]
    kept = {name: value for name, value in environ.items() if not name.startswith(("ISBNDB", "BOOKMESH", "NOTIFY"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "clients.cli", "up", "--separate", "--book", str(book), *only),
        cwd=ROOT,
        env={
            **kept,
            "BOOKMESH_LOG": "json",
            "PROVIDERS": "isbndb",
            "BATCH_PROVIDERS": "isbndb",
            **(variables or {}),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which ends this one in order
        preexec_fn=die_with_parent,  # a measurement that is killed leaves nothing behind that would disturb the next
    )
    house = House(book, process, f"http://127.0.0.1:{port}")
    try:
        await house.start()
        yield house
    finally:
        await house.end()


def _address_book(replicas: Mapping[str, int], settle_s: float, plan: str, sandbox: Sequence[str]) -> tuple[int, str]:
    """The sandbox's port, and the address book: every service, so often as it runs, and else once."""
    counts = {name: replicas.get(name, 1) for name in _PACKAGES}
    ports = iter(free_ports(3 * sum(counts.values()) + 1))
    services = ""
    for name, count in counts.items():
        addresses = {
            key: json.dumps([f"127.0.0.1:{next(ports)}" for _ in range(count)]) for key in ("default", "admin", "mesh")
        }
        services += _SERVICE.format(name=name, root=ROOT, package=_PACKAGES[name], **addresses)
    port = next(ports)
    arguments = json.dumps(["--plan", plan, *sandbox])
    return port, _BOOK.format(settle_s=settle_s, services=services, port=port, plan=plan, arguments=arguments)
