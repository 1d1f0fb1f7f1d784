"""Uploads a library, warms it and shows how far it has come: what `bookmesh warm` and the demonstration share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn

from clients import job_views
from mesh.status import UnavailableError

_CHUNK = 256 * 1024
"""Bytes of a library that one message carries."""

UPLOAD_S = 300.0
"""Seconds that an upload may take."""

WATCH_S = 24 * 3600.0
"""Seconds that a job is watched at most; a long one goes on without its watcher."""


_ABSENCES = 10
"""Times that a watcher asks anew before it gives up."""


async def upload(
    warmer: WarmerServiceStub, path: Path, form: pb.LibraryFormat.ValueType = pb.LIBRARY_FORMAT_UNSPECIFIED
) -> pb.UploadLibraryResponse:
    """Uploads a library.

    Args:
        warmer: who takes it.
        path: the file.
        form: its format; found by its header and content when unspecified.

    Raises:
        OSError: the file can't be read.
        MeshError: the library was refused.
    """
    return await warmer.UploadLibrary(_parts(path, form), timeout=UPLOAD_S)


async def _parts(path: Path, form: pb.LibraryFormat.ValueType) -> AsyncIterator[pb.UploadLibraryRequest]:
    yield pb.UploadLibraryRequest(header=pb.LibraryHeader(file_name=path.name, format=form))
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            yield pb.UploadLibraryRequest(data=data)


async def watch(warmer: WarmerServiceStub, job_id: str, console: Console) -> pb.WarmJob:
    """Shows a job until it ends: a bar on a terminal, plain lines elsewhere."""
    if not console.is_terminal:
        return await _follow(warmer, job_id, _Lines(console))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[calls]} provider calls"),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        bar = progress.add_task("warming", total=None, calls=0, left="")

        def draw(job: pb.WarmJob) -> None:
            progress.update(
                bar,
                description=doing(job),
                total=job.progress.search_count or None,
                completed=job_views.settled(job),
                calls=job.progress.provider_call_count,
                left=time_left(job),
            )

        return await _follow(warmer, job_id, draw)


class _Lines:
    """Tells a job in plain lines, one for every tenth of it.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = ""

    def __call__(self, job: pb.WarmJob) -> None:
        """Tells a change, when there is something new."""
        settled, total = job_views.settled(job), job.progress.search_count
        percent = 100 * settled // max(1, total)
        what = f"{doing(job)} {percent // 10}"
        if what != self._told:
            self._told = what
            calls = f"{job.progress.provider_call_count} provider calls"
            self._console.print(f"{doing(job)} {percent} % ({settled}/{total}), {calls} {time_left(job)}".rstrip())


def doing(job: pb.WarmJob) -> str:
    """What a job is at."""
    match job.state:
        case pb.WARM_JOB_STATE_PENDING:
            return "planning"
        case pb.WARM_JOB_STATE_WAITING:
            time = job.resume_time.ToDatetime().isoformat(sep=" ", timespec="minutes")
            return f"waiting for the provider's next day, at {time} UTC,"
        case pb.WARM_JOB_STATE_PAUSED:
            return "paused"
    return "warming"


def time_left(job: pb.WarmJob) -> str:
    """How long it will take at its rate; nothing while that is unknown."""
    left_ms = job.progress.remaining_ms
    return f"{timedelta(seconds=round(left_ms / 1000))} left" if left_ms > 0 else ""


async def _follow(warmer: WarmerServiceStub, job_id: str, show: Callable[[pb.WarmJob], None]) -> pb.WarmJob:
    """Watches a job to its end; where whoever tells of it goes away, another replica is asked to."""
    job, absences = pb.WarmJob(id=job_id), 0
    while True:
        try:
            async for change in warmer.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job_id), timeout=WATCH_S):
                job, absences = change.job, 0
                show(job)
        except UnavailableError:
            absences += 1
            if absences > _ABSENCES:
                raise
            await asyncio.sleep(absences)
        else:
            return job
