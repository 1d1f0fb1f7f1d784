"""Warms a library from a cold cache by each strategy, and tells what it cost beside what was foretold.

The sandbox answers over the library's own books and keeps to a plan of ISBNdb's, calls a second and a day. When a job
is over every search that people make for what it warmed is asked for with only_if_cached, the way people ask: as text.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
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

from bench.rolling.house import RollingError, running
from bench.stampede import Provider
from bench.table import console
from mesh.config.address_book import read_address_book
from sandbox.catalog import LOC
from services.isbndb.plans import PLANS
from services.warmer.library.reading import read_library
from services.warmer.library.rows import Row
from services.warmer.plan.searches import author_search, book_search

WARMER, BOOKS, LEAF = "personal-library-cache-warmer", "books-api-proxy", "isbndb-biography-worker"
STRATEGIES = {"isbn": pb.STRATEGY_ISBN, "hybrid": pb.STRATEGY_HYBRID, "author-first": pb.STRATEGY_AUTHOR_FIRST}

CALLS_PER_BOOK, CALLS_PER_AUTHOR = 0.02, 1.05
"""Provider calls that a job may take at most: by ISBN for each book, else for each author."""

TIMES = {"isbn": 1.2, "hybrid": 1.1, "author-first": 1.1}
"""How much longer than the provider's rate demands a job may take."""

FORETOLD = 0.02
"""How far the calls that a dry run tells may be from those that are made."""

_LONGEST_S = 7_200.0
_CHUNK = 256 * 1024
_TOGETHER = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one job."""

    strategy: str
    library: pb.Library
    plan: pb.WarmPlan
    """What the dry run told."""
    progress: pb.WarmProgress
    """What the job told at its end."""
    state: str
    calls: int
    """Calls that the provider saw."""
    rate: float
    """Calls a second that its plan allows."""
    took_s: float
    """Seconds from the request for the job to its end."""
    searches: int
    """Searches that people may make for what was warmed."""
    cached: int
    """Those of them that only_if_cached answers."""

    @property
    def foretold(self) -> int:
        """Calls that the dry run told."""
        return sum(each.call_count for each in self.plan.provider_calls)

    @property
    def least_s(self) -> float:
        """Seconds that the provider's rate makes the calls take."""
        return self.calls / self.rate

    @property
    def per(self) -> tuple[str, float, float]:
        """Of what the calls are counted, how many they are for each, and how many they may be."""
        if self.strategy == "isbn":
            return "book", self.calls / max(1, self.library.book_count), CALLS_PER_BOOK
        return "author", self.calls / max(1, self.plan.author_count), CALLS_PER_AUTHOR

    @property
    def verdicts(self) -> Sequence[tuple[str, str, str, bool]]:
        """What, what was measured, what is expected, and whether that is met."""
        unit, share, most = self.per
        times = self.took_s / max(self.least_s, 1e-9)
        return (
            (f"provider calls a {unit}", f"{share:.4f} ({self.calls:,} calls)", f"<= {most:g}", share <= most),
            (
                "time beside the least that the rate allows",
                f"{times:.2f} x ({self.took_s:.2f} s where {self.least_s:.2f} s are the least)",
                f"<= {TIMES[self.strategy]:g} x",
                times <= TIMES[self.strategy],
            ),
            (
                "calls that the dry run told",
                f"{self.foretold:,}, {abs(self.foretold - self.calls) / max(1, self.calls):.1%} off",
                f"within {FORETOLD:.0%}",
                abs(self.foretold - self.calls) <= FORETOLD * self.calls,
            ),
            (
                "calls that the job told",
                f"{self.progress.provider_call_count:,}",
                f"{self.calls:,}",
                self.progress.provider_call_count == self.calls,
            ),
            (
                "searches that the cache answers afterwards",
                f"{self.cached:,} of {self.searches:,}",
                "all",
                self.cached == self.searches,
            ),
            ("the job", self.state.lower(), "succeeded", self.state == "SUCCEEDED"),
        )

    @property
    def met(self) -> bool:
        """Whether all is as it must be."""
        return all(verdict[-1] for verdict in self.verdicts)


def searches_of(data: bytes, strategy: str) -> Sequence[str]:
    """What people may ask for once a library is warmed: each ISBN; titles and authors too, unless it was by ISBN."""
    found: dict[str, None] = {}
    for row in read_library([data])[1]:
        if not isinstance(row, Row) or (strategy == "isbn" and not row.isbn13):
            continue
        search = book_search(row)
        if search is not None:
            found.setdefault(search.q)
        if strategy != "isbn":
            found.update((author_search(name).q, None) for name in row.authors)
    return list(found)


async def warmed(data: bytes, catalogue: Path, strategy: str, plan: str) -> Outcome:
    """Starts all with empty stores, and warms."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-")))
        house = await stack.enter_async_context(
            running(folder, replicas={WARMER: 1, BOOKS: 1, LEAF: 1}, plan=plan, sandbox=("--catalog", str(catalogue)))
        )
        addresses = (await asyncio.to_thread(read_address_book, house.book)).services
        channels = [
            await stack.enter_async_context(aio.insecure_channel(addresses[name].addresses("Default")[0].target))
            for name in (WARMER, BOOKS)
        ]
        warmer, proxy = WarmerServiceStub(channels[0]), BooksServiceStub(channels[1])
        library = (await warmer.UploadLibrary(_parts(data), timeout=_LONGEST_S)).library
        request = pb.WarmRequest(library_id=library.id, strategy=STRATEGIES[strategy], dry_run=True)
        foretold = (await warmer.Warm(request, timeout=_LONGEST_S)).plan
        provider = Provider(house.sandbox)
        await provider.slow_down(0)
        request.dry_run = False
        loop = asyncio.get_running_loop()
        began = loop.time()
        job = (await warmer.Warm(request, timeout=_LONGEST_S)).job
        async for change in warmer.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job.id), timeout=_LONGEST_S):
            job = change.job
        took_s = loop.time() - began
        calls = await provider.calls()
        searches = searches_of(data, strategy)
        return Outcome(
            strategy=strategy,
            library=library,
            plan=foretold,
            progress=job.progress,
            state=pb.WarmJobState.Name(job.state).removeprefix("WARM_JOB_STATE_"),
            calls=calls,
            rate=PLANS[plan].calls_per_second,
            took_s=took_s,
            searches=len(searches),
            cached=await cached(proxy, searches),
        )


async def cached(proxy: BooksServiceStub, searches: Sequence[str]) -> int:
    """How many of some searches the cache answers."""
    control = books.CacheControl(only_if_cached=True)
    found = 0
    for start in range(0, len(searches), _TOGETHER):
        queries = [
            books.SearchAutoRequest(q=q, max_results=1, cache_control=control)
            for q in searches[start : start + _TOGETHER]
        ]
        async for answer in proxy.BatchSearchAuto(books.BatchSearchAutoRequest(queries=queries), timeout=60):
            found += answer.WhichOneof("outcome") == "response"
    return found


async def _parts(data: bytes) -> AsyncIterator[pb.UploadLibraryRequest]:
    yield pb.UploadLibraryRequest(header=pb.LibraryHeader(file_name="library.csv"))
    for start in range(0, len(data), _CHUNK):
        yield pb.UploadLibraryRequest(data=data[start : start + _CHUNK])


def table(outcome: Outcome) -> Table:
    """What came of a job, for people."""
    library, plan = outcome.library, outcome.plan
    shown = Table(
        title=f"{outcome.strategy}: {library.row_count:,} rows, {plan.isbn_count:,} searches by ISBN, "
        f"{plan.author_count:,} by author, {plan.title_count:,} by title; {plan.skipped_count:,} rows skipped",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("what", "measured", "expected", ""):
        shown.add_column(heading)
    for what, measured, expected, met in outcome.verdicts:
        shown.add_row(what, measured, expected, "[green]met" if met else "[red]missed")
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 when all is as it must be, 1 when it is not, 2 when the services did not start."""
    parser = argparse.ArgumentParser(prog="python -m bench.warming", description=__doc__)
    parser.add_argument("--catalog", type=Path, default=LOC, help="CSV, the library and what the sandbox knows")
    parser.add_argument("--rows", type=int, default=0, help="rows of it that are the library (default: all)")
    parser.add_argument("--plan", choices=sorted(PLANS), default="premium", help="default: %(default)s")
    parser.add_argument("--only", choices=sorted(STRATEGIES), default="", help="one strategy instead of all")
    options = parser.parse_args(arguments)
    lines = options.catalog.read_bytes().splitlines(keepends=True)
    data = b"".join(lines[: options.rows + 1] if options.rows > 0 else lines)
    strategies: Iterable[str] = [options.only] if options.only else ["isbn", "hybrid"]
    outcomes = []
    try:
        for strategy in strategies:
            outcomes.append(asyncio.run(warmed(data, options.catalog.resolve(), strategy, options.plan)))
            console().print(table(outcomes[-1]))
    except RollingError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0 if all(outcome.met for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
