"""A thousand callers ask one cold key at once, over several processes: how many calls the provider sees.

The provider takes a while for each call, so that all callers come before its first answer. What a text costs a lone
caller is measured first, on other texts: a crowd must cost the same. At the end the process that asks is killed while
it does; the others must go on once its lease is over, for one more call.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from grpc import aio
from rich import box
from rich.table import Table

from bench.rolling.house import House, RollingError, running
from bench.table import console
from mesh.config.address_book import read_address_book
from sandbox.catalog import LOC
from sandbox.shelf import read
from services.books.lease import LEASE_S
from tests.e2e.conftest import children, command_of

BOOKS = "books-api-proxy"
CALLERS, PROCESSES, KEYS = 1_000, 4, 3
LATENCY_S = 0.5
"""What the provider takes for a call while the crowd comes."""

_LONG_S = 4.0
"""What it takes while the process that asks is killed."""

_BOUNDS = (("callers", 1, 5 * CALLERS), ("processes", 2, 16), ("leaves", 1, 16), ("keys", 1, 50))
"""What the load may be."""

_FEWER = 200
"""Callers of each process that is left then: more would wait for longer than a place is waited for, and be shed."""

_TIMEOUT_S = 30.0
_FREE = {"RATE_LIMIT_MS": "0", "ISBNDB_CALLS_PER_SECOND": "100000", "ISBNDB_CALLS_PER_DAY": "0"}
"""No pace of our own: it is not what is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What came of one crowd."""

    what: str
    """What was asked for."""
    callers: int
    """Callers at once."""
    answered: int
    """Those that got an answer."""
    calls: int
    """What the provider saw."""
    expected: int
    """What it may see."""
    p50_s: float
    p99_s: float

    @property
    def met(self) -> bool:
        """Whether all were answered for no more calls than one of them costs."""
        return self.answered == self.callers and self.calls <= self.expected


class Provider:
    """The sandbox's switches and counters.

    Args:
        url: where it answers.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def slow_down(self, seconds: float) -> None:
        """Lets each call take so long from now on, and counts anew."""
        await asyncio.to_thread(self._send, "PUT", "faults", [{"kind": "latency", "latency_ms": round(seconds * 1000)}])
        await asyncio.to_thread(self._send, "DELETE", "calls")

    async def calls(self) -> int:
        """Calls since it was slowed down, under way or over."""
        report = await asyncio.to_thread(self._send, "GET", "calls")
        return int(report["total"])

    def _send(self, method: str, what: str, body: object = None) -> dict[str, int]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/_sandbox/{what}", data, method=method)  # noqa: S310 - a sandbox of our own, on loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            found: dict[str, int] = json.loads(answer.read() or b"{}")
            return found


async def crowd(
    stubs: Sequence[BooksServiceStub], provider: Provider, q: str, *, what: str, callers: int, expected: int
) -> Crowd:
    """Asks one cold key by many at once, evenly over the processes."""
    await provider.slow_down(LATENCY_S)
    took_s = await _asked(stubs, q, callers)
    return _told(what, callers, took_s, await provider.calls(), expected)


async def alone(stubs: Sequence[BooksServiceStub], provider: Provider, q: str) -> int:
    """Calls that one caller of a cold key costs."""
    await provider.slow_down(0)
    await _asked(stubs[:1], q, 1)
    return await provider.calls()


async def orphaned(
    stubs: Sequence[BooksServiceStub], provider: Provider, q: str, *, callers: int, kill: Callable[[], None]
) -> Crowd:
    """The same where the process that asks is killed while it does: the callers of the others are answered."""
    await provider.slow_down(_LONG_S)
    first = asyncio.ensure_future(_asked(stubs[:1], q, 1))
    while not await provider.calls():  # noqa: ASYNC110 - the provider is another process, which sends no events
        await asyncio.sleep(0.02)
    others = asyncio.ensure_future(_asked(stubs[1:], q, callers))
    await asyncio.sleep(0.2)
    kill()
    took_s = await others
    await first
    return _told(f"an ISBN, whose asker is killed (lease {LEASE_S:g} s)", callers, took_s, await provider.calls(), 2)


async def _asked(stubs: Sequence[BooksServiceStub], q: str, callers: int) -> list[float]:
    """Seconds that those took who were answered."""

    async def one(stub: BooksServiceStub) -> float | None:
        started = time.perf_counter()
        try:
            answer = await stub.SearchAuto(SearchAutoRequest(q=q), timeout=_TIMEOUT_S)
        except aio.AioRpcError:
            return None
        return time.perf_counter() - started if answer.results else None

    found = await asyncio.gather(*(one(stubs[at % len(stubs)]) for at in range(callers)))
    return [each for each in found if each is not None]


def _told(what: str, callers: int, took_s: Sequence[float], calls: int, expected: int) -> Crowd:
    cuts = statistics.quantiles(took_s, n=100) if len(took_s) > 1 else [0.0] * 99
    return Crowd(
        what=what,
        callers=callers,
        answered=len(took_s),
        calls=calls,
        expected=expected,
        p50_s=cuts[49],
        p99_s=cuts[98],
    )


async def measured(callers: int, processes: int, keys: int, leaves: int = 1) -> list[Crowd]:
    """Starts the processes, and lets the crowds come.

    Args:
        callers: at once.
        processes: of the proxy.
        keys: of each kind.
        leaves: processes of the leaf. One, as shipped, has flights of its own, and makes one call of what two processes
            of the proxy ask it at once; with several, only the proxy's leases do.

    Raises:
        RollingError: the services did not start.
    """
    books = [book for book in read(LOC) if book.language == "en" and len(book.title.split()) > 1]
    picked = iter(books[:: max(1, len(books) // (4 * keys + 4))])
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        async with (
            running(
                Path(folder),
                replicas={"isbndb-biography-worker": leaves, BOOKS: processes},
                sandbox=("--per-second", "0", "--per-day", "0"),
                variables=_FREE,
            ) as house,
            AsyncExitStack() as open_channels,
        ):
            addresses = (await asyncio.to_thread(read_address_book, house.book)).services[BOOKS].addresses("Default")
            channels = [
                await open_channels.enter_async_context(aio.insecure_channel(address.target)) for address in addresses
            ]
            stubs, provider = [BooksServiceStub(channel) for channel in channels], Provider(house.sandbox)
            found = []
            for _ in range(keys):
                isbn = next(picked).isbn13
                found.append(await crowd(stubs, provider, isbn, what="an ISBN", callers=callers, expected=1))
            lone = [await alone(stubs, provider, next(picked).title) for _ in range(keys)]
            for _ in range(keys):
                title = next(picked).title
                costs = round(statistics.median(lone))
                found.append(await crowd(stubs, provider, title, what="a title", callers=callers, expected=costs))
            found.append(
                await orphaned(
                    stubs,
                    provider,
                    next(picked).isbn13,
                    callers=min(callers, _FEWER * (processes - 1)),
                    kill=lambda: _kill_first(house),
                )
            )
            return found


def _kill_first(house: House) -> None:
    """Ends the first process of the books as the system does when memory is short."""
    for pid in children(house.pid):
        command = command_of(pid)
        if f"--only {BOOKS}" in command and "--replica 1 " in f"{command} ":
            os.kill(pid, signal.SIGKILL)
            return
    raise RollingError(f"no process of {BOOKS} is the first")


def table(found: Sequence[Crowd]) -> Table:
    """All crowds, for people."""
    shown = Table(title="many callers of one cold key", title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("asked for")
    for heading in ("callers", "answered", "provider calls", "expected", "p50 s", "p99 s", ""):
        shown.add_column(heading, justify="right")
    for each in found:
        shown.add_row(
            each.what,
            f"{each.callers:,}",
            f"{each.answered:,}",
            str(each.calls),
            str(each.expected),
            f"{each.p50_s:.2f}",
            f"{each.p99_s:.2f}",
            "[green]met" if each.met else "[red]missed",
        )
    return shown


def main(arguments: list[str] | None = None) -> int:
    """Measures.

    Returns:
        0 when every crowd cost what one caller costs, else 1. Bad arguments end the process with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.stampede", description=__doc__)
    parser.add_argument("--callers", type=int, default=CALLERS, help="at once (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="of the proxy (default: %(default)s)")
    parser.add_argument("--leaves", type=int, default=1, help="processes of the leaf (default: %(default)s)")
    parser.add_argument("--keys", type=int, default=KEYS, help="of each kind (default: %(default)s)")
    options = parser.parse_args(arguments)
    for name, least, most in _BOUNDS:
        if not least <= getattr(options, name) <= most:
            parser.error(f"{name} are {least} to {most}")
    try:
        found = asyncio.run(measured(options.callers, options.processes, options.keys, options.leaves))
    except RollingError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    console().print(table(found))
    return 0 if all(each.met for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
