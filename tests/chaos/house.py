"""A whole deployment with fault proxies in it: real processes, real stores, and a hand on each of their connections."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bookmesh.books.v1.admin_service_pb2 import SetBreakerRequest
from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest
from bookmesh.isbndb.v1.admin_service_pb2 import GetStatsRequest
from bookmesh.mesh.v1.admin_pb2 import BREAKER_STATE_CLOSED, BreakerState
from bookmesh.type.v1.book_pb2 import Tier

from clients.connect import BOOKS, ISBNDB, WARMER, Services, connect
from mesh.status import MeshError
from tests.alone import ISBNDB_ALONE
from tests.chaos.fault_proxy import FaultProxy, fault_proxy
from tests.chaos.load import Load, Stream
from tests.chaos.programs import CREDENTIALS, Program, seaweed, valkey
from tests.e2e.conftest import ROOT, Deployment, alive, children, command_of
from tests.ports import free_ports

SERVICES = (ISBNDB, BOOKS, WARMER)

DEADLINE_MS = 1_000
"""What a call of books to the leaf may take here; 10,000 is shipped. Nothing else hangs on it, and tests are short."""

OPEN_S = 1.0
"""Seconds that a breaker opens here; 60 are shipped."""

CACHED = 20
"""Searches that the cache knows."""

_START_S = 60.0
_END_S = 30.0

_fresh = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A deployment to break."""

    deployment: Deployment
    services: Services
    pid: int
    """The process that minds the services."""
    provider: FaultProxy
    """Stands between the leaf and the sandbox."""
    kv: FaultProxy
    """Stands between the services and the key-value server."""
    s3: FaultProxy
    """Stands between books and the S3 server."""
    valkey: Program
    seaweed: Program
    cached: tuple[str, ...]
    """Searches that the cache knows."""

    def load(self, *, cached_per_s: float = 40, uncached_per_s: float = 10, timeout_s: float | None = None) -> Load:
        """Searches that the cache knows, and others that nobody has asked for yet."""

        async def cached(turn: int) -> str:
            return await self.search(self.cached[turn % len(self.cached)], timeout_s)

        async def uncached(_: int) -> str:
            return await self.search(new_isbn(), timeout_s)

        streams = [Stream(kind="cached", ask=cached, per_s=cached_per_s)]
        if uncached_per_s:
            streams.append(Stream(kind="uncached", ask=uncached, per_s=uncached_per_s))
        return Load(streams)

    async def search(self, q: str, timeout_s: float | None = None) -> str:
        """The tier that answers a search.

        Raises:
            MeshError: none does.
        """
        answer = await self.services.books.SearchAuto(SearchAutoRequest(q=q, max_results=5), timeout=timeout_s)
        return Tier.Name(answer.provenance.tier).removeprefix("TIER_")

    def process(self, service: str) -> int:
        """The process of a service, by its id.

        Raises:
            ProcessLookupError: there is none just now.
        """
        for pid in children(self.pid):
            with contextlib.suppress(OSError):
                if alive(pid) and f"--only {service}" in command_of(pid):
                    return pid
        raise ProcessLookupError(service)

    def kill(self, service: str) -> None:
        """Ends a service's process as the system does when memory is short."""
        os.kill(self.process(service), signal.SIGKILL)

    async def sandbox(self, *faults: dict[str, Any]) -> None:
        """Switches the provider's own faults on, and all others off."""
        address = self.deployment.address("7490")
        await asyncio.to_thread(_put, f"http://{address}/_sandbox/faults", json.dumps(faults).encode())

    async def close_breakers(self, state: BreakerState.ValueType = BREAKER_STATE_CLOSED) -> None:
        """Moves the breakers of books, as an operator would."""
        await self.services.books_admin.SetBreaker(SetBreakerRequest(name="ISBNDB_WORKER/*", state=state))

    async def leaf_calls(self, method: str = "GetBook") -> int:
        """Calls of one method that the leaf has answered, one way or the other, since it started."""
        stats = (await self.services.isbndb_admin.GetStats(GetStatsRequest())).stats
        return sum(series.call_count for series in stats.served if series.method.endswith(f"/{method}"))


def new_isbn() -> str:
    """An ISBN-13 that no search had before; no book has it, and "none" is an answer as well."""
    body = f"979{next(_fresh) % 10**9:09d}"
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _put(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, body, method="PUT")  # noqa: S310 - the sandbox of this test, on loopback
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
        pass


@contextlib.asynccontextmanager
async def house(folder: Path, *, shipped: bool = False, remote: bool = True) -> AsyncIterator[House]:
    """Runs a deployment until the block ends, and gives it when it answers.

    Args:
        folder: where its data lives.
        shipped: with the settings of the shipped manifests, where tests are content with shorter times.
        remote: with the stores behind proxies; else with those that are shipped, where a proxy would show in a figure.
    """
    deployment = Deployment.made(folder)
    stores = valkey(folder / "valkey"), seaweed(folder / "seaweed", "books-cold")
    kv_port, s3_port, provider_port = free_ports(3)
    _rewrite(deployment, folder, provider_port=provider_port, shipped=shipped)
    if remote:
        _put_stores_apart(deployment, kv_port, s3_port)
    async with contextlib.AsyncExitStack() as stack:
        for store in stores:
            stack.callback(store.kill)
        await asyncio.gather(*(store.start() for store in stores))
        kv = await stack.enter_async_context(fault_proxy(kv_port, stores[0].port))
        s3 = await stack.enter_async_context(fault_proxy(s3_port, stores[1].port))
        provider = await stack.enter_async_context(fault_proxy(provider_port, deployment.ports["7490"]))
        pid = await stack.enter_async_context(_up(deployment))
        # Only then is there the operator's token that the stubs show.
        await _listening(deployment)
        services = await stack.enter_async_context(connect(deployment.book))
        made = House(
            deployment=deployment,
            services=services,
            pid=pid,
            provider=provider,
            kv=kv,
            s3=s3,
            valkey=stores[0],
            seaweed=stores[1],
            cached=tuple(_isbns()),
        )
        await _ready(made)
        yield made


def _rewrite(deployment: Deployment, folder: Path, *, provider_port: int, shipped: bool) -> None:
    """Puts the provider's proxy into the address book, takes the rates away, and shortens the times."""
    manifests = {}
    for name in ("isbndb", "books", "warmer"):
        text = (ROOT / f"services/{name}/service.toml").read_text()
        if not shipped and "[mesh.bindings" in text:
            text = _replaced(text, r"deadline_ms = 10_000", f"deadline_ms = {DEADLINE_MS}")
            text = _replaced(text, r"open_s = 60", f"open_s = {OPEN_S}, longest_open_s = {OPEN_S}")
        manifests[f"{ROOT}/services/{name}/service.toml"] = path = folder / f"{name}.toml"
        path.write_text(text)
    book = deployment.book.read_text()
    for shipped_path, path in manifests.items():
        book = book.replace(shipped_path, str(path))
    sandbox = deployment.ports["7490"]
    book = _replaced(
        book, rf'ISBNDB_URL = "http://127.0.0.1:{sandbox}"', f'ISBNDB_URL = "http://127.0.0.1:{provider_port}"'
    )
    book = _replaced(book, '"--plan", "enterprise"', '"--plan", "enterprise", "--per-second", "0", "--per-day", "0"')
    deployment.book.write_text(book)
    rates = {"RATE_LIMIT_MS": "0", "ISBNDB_CALLS_PER_SECOND": "1000", "ISBNDB_CALLS_PER_DAY": "0"}
    # One provider, so that what is claimed of a failing one can be seen; what lies in memory would hide what becomes of
    # the stores.
    rates |= ISBNDB_ALONE | {"CACHE_MEMORY_BYTES": "0"}
    deployment.environ |= {**CREDENTIALS, **rates}


def _put_stores_apart(deployment: Deployment, kv_port: int, s3_port: int) -> None:
    """Puts the stores' proxies into the address book."""
    book = deployment.book.read_text()
    for key in ("default", "kv"):
        book = _replaced(book, f'{key} = "embedded"', f'{key} = "redis://127.0.0.1:{kv_port}"')
    book = _replaced(book, r"\[buckets\]", f'[buckets]\nbooks-cold = "s3+http://127.0.0.1:{s3_port}"')
    deployment.book.write_text(book)


def _replaced(text: str, pattern: str, by: str) -> str:
    """A text with a part replaced that must be there, lest the test prove something else than it says."""
    made, count = re.subn(pattern, lambda _: by, text)
    assert count, pattern
    return made


@contextlib.asynccontextmanager
async def _up(deployment: Deployment) -> AsyncIterator[int]:
    """`bookmesh up --separate`; its end is waited for in a thread, since draining services still use the proxies."""
    process = _started(deployment)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, _END_S)
        finally:
            process.kill()
            process.wait(10)


def _started(deployment: Deployment) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "clients.cli", "up", "--separate"]
    with (deployment.data.parent / "up.log").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, env=deployment.environ, stdout=log, stderr=log)


async def _listening(deployment: Deployment) -> None:
    """Waits until every service listens.

    Raises:
        TimeoutError: one does not.
    """
    async with asyncio.timeout(_START_S):
        for port in ("7410", "7420", "7430"):
            while not await asyncio.to_thread(_takes_connections, deployment.ports[port]):  # noqa: ASYNC110 - a server elsewhere tells nobody
                await asyncio.sleep(0.05)


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


async def _ready(made: House) -> None:
    """Waits until all is well, with every cached search in the hot tier."""
    end = time.monotonic() + _START_S
    for q in made.cached:
        while True:
            try:
                if await made.search(q) == "HOT":
                    break
            except MeshError:
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(0.02)


def _isbns() -> list[str]:
    """ISBNs of the sandbox's catalogue."""
    return re.findall(r"\b978\d{10}\b", (ROOT / "sandbox/catalog/loc.csv").read_text())[:CACHED]
