"""Has a warmer that runs take in a library of a million rows and plan it; tells rows a second and core, and memory."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from grpc import aio
from rich import box
from rich.table import Table

from bench.million.library import CHUNK, SEED, parts
from bench.million.process import cpu_s, peak_mb
from bench.rolling.house import House, RollingError, running
from bench.table import console
from mesh.config.address_book import read_address_book
from tests.e2e.conftest import children, command_of

ROWS = 1_000_000
RATE = 25_000
"""Rows a second and core that taking in and planning together must reach."""

MEMORY_MB = 200
"""Megabytes that the warmer may have at most."""

FORETOLD = "foretold: every search looked for in the cache"
"""The step that a dry run adds, whose cost is told beside the others'."""

WARMER = "personal-library-cache-warmer"
_SERVICES = {WARMER: 1, "books-api-proxy": 1, "isbndb-biography-worker": 1}
_LONGEST_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that the warmer did with the library."""

    name: str
    rows: int
    cpu_s: float
    """CPU seconds of the warmer, all threads."""
    wall_s: float
    peak_mb: float
    """The most memory that it had until the end of the step."""

    @property
    def rate(self) -> float:
        """Rows a second and core."""
        return self.rows / max(self.cpu_s, 0.01)


async def measured(stub: WarmerServiceStub, pid: int, file: IO[bytes]) -> list[Step]:
    """Takes the library through every step, one after the other."""
    began = cpu_s(pid), time.monotonic()
    library = (await stub.UploadLibrary(_requests(file), timeout=_LONGEST_S)).library
    uploaded = _step("uploaded, read and stored", library.row_count, pid, began)
    began = cpu_s(pid), time.monotonic()
    job = (await stub.Warm(pb.WarmRequest(library_id=library.id), timeout=_LONGEST_S)).job
    async for change in stub.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job.id), timeout=_LONGEST_S):
        if change.job.state != pb.WARM_JOB_STATE_PENDING:
            break
    planned = _step("planned", library.row_count, pid, began)
    await stub.PauseWarmJob(pb.PauseWarmJobRequest(job_id=job.id), timeout=_LONGEST_S)
    began = cpu_s(pid), time.monotonic()
    await stub.Warm(pb.WarmRequest(library_id=library.id, dry_run=True), timeout=_LONGEST_S)
    return [uploaded, planned, _step(FORETOLD, library.row_count, pid, began)]


def _step(name: str, rows: int, pid: int, began: tuple[float, float]) -> Step:
    """What a step took that began with so many CPU seconds spent, at that time."""
    cpu, wall = began
    return Step(name=name, rows=rows, cpu_s=cpu_s(pid) - cpu, wall_s=time.monotonic() - wall, peak_mb=peak_mb(pid))


async def _requests(file: IO[bytes]) -> AsyncIterator[pb.UploadLibraryRequest]:
    yield pb.UploadLibraryRequest(header=pb.LibraryHeader(file_name="million.csv"))
    file.seek(0)
    while data := file.read(CHUNK):
        yield pb.UploadLibraryRequest(data=data)


def _pid_of(house: House) -> int:
    """The warmer's process.

    Raises:
        RollingError: it does not run.
    """
    found = next((pid for pid in children(house.pid) if WARMER in command_of(pid)), 0)
    if not found:
        raise RollingError("the warmer does not run")
    return found


async def run(rows: int, seed: int) -> list[Step]:
    """Starts all, and measures."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh-")))
        file = stack.enter_context((folder / "library.csv").open("w+b"))
        for part in parts(rows, seed):
            file.write(part)
        house = await stack.enter_async_context(running(folder, replicas=_SERVICES))
        (address,) = (await asyncio.to_thread(read_address_book, house.book)).services[WARMER].addresses("Default")
        channel = await stack.enter_async_context(aio.insecure_channel(address.target))
        return await measured(WarmerServiceStub(channel), _pid_of(house), file)


def table(steps: Sequence[Step]) -> Table:
    """What was measured, for people."""
    shown = Table(title=f"a library of {steps[0].rows:,} rows", title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("the warmer")
    for heading in ("CPU s", "wall s", "us a row", "rows a second and core", "peak MB"):
        shown.add_column(heading, justify="right")
    counted = _counted(steps)
    whole = Step(
        name=f"uploaded and planned: at least {RATE:,}, at most {MEMORY_MB} MB",
        rows=steps[0].rows,
        cpu_s=sum(step.cpu_s for step in counted),
        wall_s=sum(step.wall_s for step in counted),
        peak_mb=max(step.peak_mb for step in steps),
    )
    for step in (*steps, whole):
        shown.add_row(
            step.name,
            f"{step.cpu_s:.1f}",
            f"{step.wall_s:.1f}",
            f"{step.cpu_s / step.rows * 1e6:.1f}",
            f"{step.rate:,.0f}",
            f"{step.peak_mb:.0f}",
        )
    shown.add_row("", "", "", "", "[green]met" if is_met(steps) else "[red]missed", "")
    return shown


def _counted(steps: Sequence[Step]) -> Sequence[Step]:
    return [step for step in steps if step.name != FORETOLD]


def is_met(steps: Sequence[Step]) -> bool:
    """Whether all steps together are fast and small enough."""
    return (
        steps[0].rows / max(0.01, sum(step.cpu_s for step in _counted(steps))) >= RATE
        and max(step.peak_mb for step in steps) < MEMORY_MB
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 when the figures are met, 1 when they are not, 2 when the services did not start."""
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the library (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="another library (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not 1 <= options.rows <= ROWS:
        parser.error(f"1 to {ROWS:,} rows make sense")
    try:
        steps = asyncio.run(run(options.rows, options.seed))
    except RollingError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    console().print(table(steps))
    return 0 if is_met(steps) else 1


if __name__ == "__main__":
    sys.exit(main())
