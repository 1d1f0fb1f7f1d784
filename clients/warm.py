"""`bookmesh warm`: uploads a library, shows what it holds and what it will cost, and warms the cache for it."""

import asyncio
import uuid
from pathlib import Path
from typing import Annotated

import typer
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from clients import job_views
from clients.connect import Services
from clients.terminal import AsJson, err, out, print_json, run
from clients.warming import upload, watch
from mesh.cli import Book, Environment

_STRATEGIES = {"isbn": "STRATEGY_ISBN", "author-first": "STRATEGY_AUTHOR_FIRST", "hybrid": "STRATEGY_HYBRID"}
_FORMATS = {
    name.removeprefix("LIBRARY_FORMAT_").lower().replace("_", "-"): value
    for name, value in pb.LibraryFormat.items()
    if value
}


def warm_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A library as CSV.")],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    strategy: Annotated[str, typer.Option("--strategy", help="isbn, author-first or hybrid.")] = "hybrid",
    form: Annotated[str, typer.Option("--format", help=f"Instead of finding it: {', '.join(_FORMATS)}.")] = "",
    parked: Annotated[bool, typer.Option("--parked", help="Only what earlier jobs left undone.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and start nothing.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not watch the job.")] = False,
    as_json: AsJson = False,
) -> None:
    """Upload a library and warm the cache for it."""
    if strategy not in _STRATEGIES:
        raise typer.BadParameter(f"one of {', '.join(_STRATEGIES)}", param_hint="--strategy")
    if form and form not in _FORMATS:
        raise typer.BadParameter(f"one of {', '.join(_FORMATS)}", param_hint="--format")

    async def ask(services: Services) -> None:
        uploaded = await upload(services.warmer, file, _FORMATS.get(form, pb.LIBRARY_FORMAT_UNSPECIFIED))
        err.print(job_views.library(uploaded.library))
        if uploaded.rejects or uploaded.repairs:
            err.print(job_views.rejects(uploaded.rejects, uploaded.repairs))
        request = pb.WarmRequest(
            library_id=uploaded.library.id,
            strategy=pb.Strategy.Value(_STRATEGIES[strategy]),
            rows=pb.ROW_SELECTION_PARKED if parked else pb.ROW_SELECTION_ALL,
            dry_run=dry_run,
            request_id=uuid.uuid4().hex,
        )
        # A plan asks the cache for every search.
        started = await services.warmer.Warm(request, timeout=_PLAN_S if dry_run else None)
        if dry_run or detach:
            _show(started, as_json=as_json)
            return
        await watched(services, started.job.id, as_json=as_json)

    run(book, env, ask)


_PLAN_S = 600.0


async def watched(services: Services, job_id: str, *, as_json: bool) -> None:
    """Watches a job to its end, and tells what came of it; Ctrl-C leaves it running and says how to watch it again."""
    try:
        job = await watch(services.warmer, job_id, err)
    except asyncio.CancelledError:
        err.print(f"the job goes on; watch it with: bookmesh jobs --watch {job_id}")
        raise
    if as_json:
        print_json(job)
    else:
        out.print(job_views.summary(job))


def _show(answer: pb.WarmResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    elif answer.HasField("job"):
        out.print(f"{answer.job.id} is on its way; watch it with: bookmesh jobs --watch {answer.job.id}")
    else:
        out.print(job_views.plan(answer.plan))
