"""`bookmesh jobs` and `bookmesh report`: what jobs there are, how to halt and end them, and what became of each row."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from clients import job_views
from clients.connect import Services
from clients.terminal import AsJson, err, out, print_json, run
from clients.warm import watched
from mesh.cli import Book, Environment


def jobs_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    watch: Annotated[str, typer.Option("--watch", help="Watch this job until it ends.")] = "",
    pause: Annotated[str, typer.Option("--pause", help="Halt this job.")] = "",
    resume: Annotated[str, typer.Option("--resume", help="Go on with this job.")] = "",
    cancel: Annotated[str, typer.Option("--cancel", help="End this job; what is warm stays warm.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the jobs, newest first, or watch, halt, resume or end one."""

    async def ask(services: Services) -> None:
        warmer = services.warmer
        if watch:
            await watched(services, watch, as_json=as_json)
            return
        answer: pb.ListWarmJobsResponse | pb.PauseWarmJobResponse | pb.ResumeWarmJobResponse | pb.CancelWarmJobResponse
        if pause:
            answer = await warmer.PauseWarmJob(pb.PauseWarmJobRequest(job_id=pause))
        elif resume:
            answer = await warmer.ResumeWarmJob(pb.ResumeWarmJobRequest(job_id=resume))
        elif cancel:
            answer = await warmer.CancelWarmJob(pb.CancelWarmJobRequest(job_id=cancel))
        else:
            answer = await warmer.ListWarmJobs(pb.ListWarmJobsRequest())
        if as_json:
            print_json(answer)
        else:
            out.print(job_views.jobs(answer.jobs if isinstance(answer, pb.ListWarmJobsResponse) else [answer.job]))

    run(book, env, ask)


def report_command(
    job: Annotated[str, typer.Argument(help="The job's id.")],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    to: Annotated[Path | None, typer.Option("--to", help="A file for it; stdout when left out.")] = None,
) -> None:
    """Tell what became of every row of a job's library, as CSV: mend what failed, and send it again."""

    async def ask(services: Services) -> None:
        call = services.warmer.GetWarmReport(pb.GetWarmReportRequest(job_id=job), timeout=_REPORT_S)
        with to.open("wb") if to is not None else sys.stdout.buffer as file:
            async for part in call:
                file.write(part.data)
        if to is not None:
            err.print(f"written to {to}")

    run(book, env, ask)


_REPORT_S = 600.0
