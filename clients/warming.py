"""Uploads a library, warms it and shows how far it has come: what `bookmesh warm` and the demonstration share."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from clients import render

_CHUNK = 256 * 1024
"""Bytes of a library that one message carries."""

UPLOAD_S = 300.0
"""Seconds that an upload may take."""

WATCH_S = 24 * 3600.0
"""Seconds that a job is watched at most; a long one goes on without its watcher."""


async def upload(warmer: WarmerServiceStub, path: Path) -> pb.UploadLibraryResponse:
    """Uploads a library.

    Raises:
        OSError: the file can't be read.
        MeshError: the library was refused.
    """
    return await warmer.UploadLibrary(_parts(path), timeout=UPLOAD_S)


async def _parts(path: Path) -> AsyncIterator[pb.UploadLibraryRequest]:
    yield pb.UploadLibraryRequest(header=pb.LibraryHeader(file_name=path.name))
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            yield pb.UploadLibraryRequest(data=data)


async def watch(warmer: WarmerServiceStub, job_id: str, console: Console) -> pb.WarmJob:
    """Shows a job until it ends: a bar on a terminal, plain lines elsewhere."""
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[calls]} provider calls"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, expand=True) as progress:
            bar = progress.add_task("warming", total=None, calls=0)

            def draw(job: pb.WarmJob) -> None:
                progress.update(
                    bar,
                    total=job.progress.search_count or None,
                    completed=render.settled(job),
                    calls=job.progress.provider_call_count,
                )

            return await _follow(warmer, job_id, draw)
    told = -1

    def tell(job: pb.WarmJob) -> None:
        nonlocal told
        percent = 100 * render.settled(job) // max(1, job.progress.search_count)
        if percent // 10 > told // 10:
            told = percent
            calls = job.progress.provider_call_count
            console.print(
                f"warming {percent} % ({render.settled(job)}/{job.progress.search_count}), {calls} provider calls"
            )

    return await _follow(warmer, job_id, tell)


async def _follow(warmer: WarmerServiceStub, job_id: str, show: Callable[[pb.WarmJob], None]) -> pb.WarmJob:
    job = pb.WarmJob(id=job_id)
    async for change in warmer.WatchWarmJob(pb.WatchWarmJobRequest(job_id=job_id), timeout=WATCH_S):
        job = change.job
        show(job)
    return job
