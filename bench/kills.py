"""Kills replicas of the warmer at random moments of one job, and counts what was lost, counted twice or paid for twice.

Three replicas share a job; a process of theirs is killed with SIGKILL, over and over, and started again by what minds
it. At the end every row must have an outcome in the report, the counts must add up to the plan, and the provider must
have seen no more calls than the plan foretold, but for one batch in hand for each kill.
"""

import argparse
import asyncio
import csv
import io
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from grpc import aio
from rich import box
from rich.table import Table

from bench.rolling.house import House, RollingError, running
from bench.stampede import Provider
from bench.table import console
from mesh.config.address_book import read_address_book
from sandbox.catalog import LOC
from sandbox.shelf import read
from services.warmer.plan.making import TEXT_BATCH
from tests.e2e.conftest import children, command_of

WARMER = "personal-library-cache-warmer"
REPLICAS, KILLS, AUTHORS = 3, 30, 900

_LONGEST_S = 900.0
_ENDED = frozenset({pb.WARM_JOB_STATE_SUCCEEDED, pb.WARM_JOB_STATE_FAILED, pb.WARM_JOB_STATE_CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the job."""

    kills: int
    rows: int
    lost: int
    """Rows without an outcome."""
    twice: int
    """Searches counted beyond the plan, or missing in the count."""
    planned_calls: int
    calls: int
    """Calls that the provider saw."""
    state: str

    @property
    def extra(self) -> int:
        """Calls beyond the plan."""
        return max(0, self.calls - self.planned_calls)

    @property
    def met(self) -> bool:
        """Whether all is as it must be."""
        return not self.lost and not self.twice and self.extra <= TEXT_BATCH * self.kills and self.state == "SUCCEEDED"


def library(authors: int) -> bytes:
    """A library of one book of each author, without ISBNs for every third, so that all kinds of search are in it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("Title", "Author", "ISBN13"))
    known: set[str] = set()
    for at, book in enumerate(read(LOC)):
        name = book.authors[0] if book.authors else ""
        if name and name not in known:
            known.add(name)
            writer.writerow((book.title, name, "" if at % 3 == 0 else book.isbn13))
        if len(known) == authors:
            break
    return out.getvalue().encode()


async def measured(house: House, stubs: Sequence[WarmerServiceStub], kills: int, authors: int, seed: int) -> Outcome:
    """Runs the job, and kills."""
    dice = random.Random(seed)  # noqa: S311 - moments, not secrets
    data = library(authors)
    stub = stubs[0]
    stored = (await stub.UploadLibrary(iter([pb.UploadLibraryRequest(data=data)]))).library
    planned = (await stub.Warm(pb.WarmRequest(library_id=stored.id, dry_run=True), timeout=60)).plan
    provider = Provider(house.sandbox)
    await provider.slow_down(0)
    job = (await stub.Warm(pb.WarmRequest(library_id=stored.id), timeout=10)).job
    least_s = planned.estimated_duration_ms / 1000
    killed = 0
    async with asyncio.timeout(_LONGEST_S):
        while True:
            await asyncio.sleep(dice.uniform(0.3, 1.7) * max(0.3, least_s / kills))
            now = await _job(stubs, job.id)
            if now is not None and now.state in _ENDED:
                break
            if killed < kills:
                killed += kill_one(house, dice)
    report = await _report(stubs, job.id)
    outcomes = Counter(row["outcome"] for row in report)
    progress = now.progress
    settled = progress.fresh_count + progress.warmed_count + progress.not_found_count
    settled += progress.failed_count + progress.parked_count
    return Outcome(
        kills=killed,
        rows=stored.row_count,
        lost=stored.row_count - len(report) + outcomes["pending"],
        twice=abs(settled - planned.search_count),
        planned_calls=planned.provider_calls[0].call_count,
        calls=await provider.calls(),
        state=pb.WarmJobState.Name(now.state).removeprefix("WARM_JOB_STATE_"),
    )


def kill_one(house: House, dice: random.Random) -> int:
    """Kills a process of the warmer; how many were killed, for between two lives there may be none."""
    found = []
    for pid in children(house.pid):
        with suppress(OSError):
            if WARMER in command_of(pid):
                found.append(pid)
    if not found:
        return 0
    with suppress(ProcessLookupError):
        os.kill(dice.choice(found), signal.SIGKILL)
    return 1


async def _job(stubs: Sequence[WarmerServiceStub], job_id: str) -> pb.WarmJob | None:
    """The job, from whichever replica answers."""
    for stub in stubs:
        with suppress(aio.AioRpcError):
            return (await stub.GetWarmJob(pb.GetWarmJobRequest(job_id=job_id), timeout=2)).job
    return None


async def _report(stubs: Sequence[WarmerServiceStub], job_id: str) -> list[dict[str, str]]:
    for attempt in range(60):
        with suppress(aio.AioRpcError):
            call = stubs[attempt % len(stubs)].GetWarmReport(pb.GetWarmReportRequest(job_id=job_id), timeout=60)
            data = b"".join([part.data async for part in call])
            return list(csv.DictReader(io.StringIO(data.decode())))
        await asyncio.sleep(0.5)
    raise RollingError("no replica gave the report")


async def run(kills: int, authors: int, seed: int) -> Outcome:
    """Starts all, and measures."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-")))
        house = await stack.enter_async_context(
            running(folder, replicas={WARMER: REPLICAS, "books-api-proxy": 1, "isbndb-biography-worker": 1})
        )
        stubs = []
        for address in (await asyncio.to_thread(read_address_book, house.book)).services[WARMER].addresses("Default"):
            channel = await stack.enter_async_context(aio.insecure_channel(address.target))
            stubs.append(WarmerServiceStub(channel))
        return await measured(house, stubs, kills, authors, seed)


def table(outcome: Outcome) -> Table:
    """The outcome, for people."""
    shown = Table(
        title=f"{outcome.kills} SIGKILLs over {REPLICAS} replicas of the warmer, in one job", box=box.SIMPLE_HEAD
    )
    for heading in ("what", "measured", "expected"):
        shown.add_column(heading)
    shown.add_row("rows lost", f"{outcome.lost} of {outcome.rows:,}", "0")
    shown.add_row("searches counted twice, or not", f"{outcome.twice}", "0")
    shown.add_row(
        "provider calls beyond the plan",
        f"{outcome.extra} ({outcome.calls:,} where {outcome.planned_calls:,} were planned)",
        f"at most {TEXT_BATCH * outcome.kills}: one batch a kill",
    )
    shown.add_row("the job", outcome.state.lower(), "[green]met" if outcome.met else "[red]missed")
    return shown


def main(arguments: Sequence[str]) -> int:
    """The command; 0 when all is as it must be."""
    parser = argparse.ArgumentParser(prog="bench.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--authors", type=int, default=AUTHORS)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))  # noqa: S311 - it is printed
    chosen = parser.parse_args(arguments)
    if not (1 <= chosen.kills <= 200 and 10 <= chosen.authors <= 5_000):  # noqa: PLR2004 - bounds of the load
        parser.error("1 to 200 kills and 10 to 5,000 authors make sense")
    try:
        outcome = asyncio.run(run(chosen.kills, chosen.authors, chosen.seed))
    except RollingError as error:
        print(error, file=sys.stderr)
        return 2
    console().print(table(outcome))
    print(f"seed {chosen.seed}")
    return 0 if outcome.met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
