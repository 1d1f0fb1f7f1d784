"""How long searches take while a job runs flat out, beside how long they take at rest, by turns in one run.

People ask at a steady pace for what is cached, by ISBN and by text, and a call's time counts from when it was due. In
every round there is rest for a while, and then a job on books that nobody has warmed yet, so long as it lasts.
"""

import argparse
import asyncio
import csv
import gc
import io
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from grpc import aio
from rich import box
from rich.table import Table

from bench.million.library import parts
from bench.rolling.house import RollingError, running
from bench.table import console
from bench.warming import BOOKS, LEAF, STRATEGIES, WARMER
from mesh.config.address_book import read_address_book
from sandbox.isbn import to13

MOST = 1.2
"""How many times as long the slowest hundredth of the searches may take beside a job."""

PACE = 60.0
"""Searches a second."""

ROUNDS, ROWS = 5, {"isbn": 12_000, "hybrid": 120}
"""Rounds, and rows of the job of each: both take some seconds at ten calls a second."""

_KNOWN = 100
"""Books that people ask for, each in two ways."""

_TIMEOUT_S = 30.0
_LONGEST_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Times of searches, in seconds."""

    rest: Sequence[float]
    job: Sequence[float]
    calls: int
    """Calls to the provider that the job made."""
    warmed: int
    """Searches that it settled."""

    @property
    def ratio(self) -> float:
        """How many times as long the slowest hundredth took beside the job."""
        return p99(self.job) / p99(self.rest)


def p99(times: Sequence[float]) -> float:
    """What 99 of 100 take at most."""
    return statistics.quantiles(times, n=100, method="inclusive")[-1]


class Load:
    """Searches at a steady pace, whether earlier ones have ended or not.

    Args:
        stub: who answers.
        queries: what is asked for, in turn.
        pace: searches a second.
    """

    def __init__(self, stub: BooksServiceStub, queries: Sequence[str], pace: float) -> None:
        self._stub = stub
        self._queries = queries
        self._pace = pace

    async def warm_up(self) -> None:
        """Asks for everything once, so that it is cached."""
        for q in self._queries:
            await self._stub.SearchAuto(books.SearchAutoRequest(q=q), timeout=_TIMEOUT_S)

    async def until(self, enough: Callable[[], bool]) -> Sequence[float]:
        """Searches until it is enough; how long each took, from when it was due."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        times: list[float] = []

        async def one(number: int, due: float) -> None:
            q = self._queries[number % len(self._queries)]
            await self._stub.SearchAuto(books.SearchAutoRequest(q=q), timeout=_TIMEOUT_S)
            times.append(loop.time() - due)

        async with asyncio.TaskGroup() as group:
            number = 0
            while not enough():
                due = began + number / self._pace
                await asyncio.sleep(max(0.0, due - loop.time()))
                group.create_task(one(number, due))
                number += 1
        return times


def catalogue(rows: int) -> Iterator[tuple[str, str, str]]:
    """Title, author and ISBN of so many made-up books, each once."""
    found: set[str] = set()
    lines = b"".join(parts(rows * 2)).decode().splitlines(keepends=True)
    for row in csv.DictReader(lines):
        isbn = to13("".join(filter(str.isalnum, row["ISBN13"])))
        if isbn and isbn not in found:
            found.add(isbn)
            yield row["Title"], row["Author"], isbn
        if len(found) == rows:
            return


def as_csv(rows: Sequence[tuple[str, str, str]]) -> bytes:
    """Books as a library, and as a catalogue."""
    out = io.StringIO()
    csv.writer(out).writerows([("title", "authors", "isbn13"), *rows])
    return out.getvalue().encode()


async def measured(strategy: str, rounds: int, rows: int, pace: float) -> list[Round]:
    """Starts all, and measures."""
    shelf = list(catalogue(_KNOWN + (rounds + 1) * rows))
    known, rest = shelf[:_KNOWN], shelf[_KNOWN:]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-")))
        file = folder / "catalogue.csv"
        file.write_bytes(as_csv(shelf))
        house = await stack.enter_async_context(
            running(folder, replicas={WARMER: 1, BOOKS: 1, LEAF: 1}, sandbox=("--catalog", str(file)))
        )
        addresses = (await asyncio.to_thread(read_address_book, house.book)).services
        channels = [
            await stack.enter_async_context(aio.insecure_channel(addresses[name].addresses("Default")[0].target))
            for name in (WARMER, BOOKS)
        ]
        warmer = WarmerServiceStub(channels[0])
        queries = [q for title, author, isbn in known for q in (isbn, f"{title} by {author}")]
        load = Load(BooksServiceStub(channels[1]), queries, pace)
        await load.warm_up()
        first, *libraries = [as_csv(rest[at : at + rows]) for at in range(0, len(rest), rows)]
        await _round(warmer, load, first, strategy)  # to warm up
        gc.collect()
        gc.freeze()  # what is looked for here must not be felt as theirs
        return [await _round(warmer, load, each, strategy) for each in libraries]


async def _round(warmer: WarmerServiceStub, load: Load, data: bytes, strategy: str) -> Round:
    library = (await warmer.UploadLibrary(iter([pb.UploadLibraryRequest(data=data)]), timeout=_TIMEOUT_S)).library
    loop = asyncio.get_running_loop()
    request = pb.WarmRequest(library_id=library.id, strategy=STRATEGIES[strategy])
    began = loop.time()
    job = (await warmer.Warm(request, timeout=_TIMEOUT_S)).job

    async def ended() -> pb.WarmJob:
        watched = warmer.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job.id), timeout=_LONGEST_S)
        return [change.job async for change in watched][-1]

    watching = asyncio.ensure_future(ended())
    busy = await load.until(watching.done)
    took_s = loop.time() - began
    # What the job left to be done behind it is no rest yet.
    await asyncio.sleep(1.0)
    until = loop.time() + took_s
    quiet = await load.until(lambda: loop.time() >= until)
    progress = (await watching).progress
    return Round(rest=quiet, job=busy, calls=progress.provider_call_count, warmed=progress.warmed_count)


def table(strategy: str, rounds: Sequence[Round], pace: float) -> Table:
    """What was measured, for people."""
    shown = Table(
        title=f"{pace:g} searches a second beside a job by {strategy}, in milliseconds",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("round", "searches", "rest: p50", "p99", "job: p50", "p99", "p99, job / rest", "warmed", "calls"):
        shown.add_column(heading, justify="right")
    for number, each in enumerate(rounds, 1):
        figures = (statistics.median(each.rest), p99(each.rest), statistics.median(each.job), p99(each.job))
        shown.add_row(
            str(number),
            f"{len(each.rest) + len(each.job):,}",
            *(f"{figure * 1000:.1f}" for figure in figures),
            f"{each.ratio:.2f} x",
            f"{each.warmed:,}",
            str(each.calls),
        )
    verdict = "[green]met" if is_met(rounds) else "[red]missed"
    shown.add_row("median", "", "", "", "", "", f"{ratio(rounds):.2f} x", f"<= {MOST:g} x", verdict)
    return shown


def ratio(rounds: Sequence[Round]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(each.ratio for each in rounds)


def is_met(rounds: Sequence[Round]) -> bool:
    """Whether searches take no longer than they may."""
    return ratio(rounds) <= MOST


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 when all is as it must be, 1 when it is not, 2 when the services did not start."""
    parser = argparse.ArgumentParser(prog="python -m bench.beside", description=__doc__)
    parser.add_argument("--only", choices=sorted(ROWS), default="", help="one strategy instead of both")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument("--pace", type=float, default=PACE, help="searches a second (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not (1 <= options.rounds <= 50 and 1 <= options.pace <= 1_000):  # noqa: PLR2004 - bounds of the load
        parser.error("1 to 50 rounds and 1 to 1,000 searches a second make sense")
    met = True
    try:
        for strategy in [options.only] if options.only else ROWS:
            rounds = asyncio.run(measured(strategy, options.rounds, ROWS[strategy], options.pace))
            console().print(table(strategy, rounds, options.pace))
            met = met and is_met(rounds)
    except RollingError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
