"""The `bookmesh` command. Answers go to stdout, everything else to stderr.

Exit status: 0 success, 1 a call failed, 2 bad usage, 64 bad configuration.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.isbndb.v1 import admin_service_pb2 as isbndb_admin
from bookmesh.warmer.v1 import admin_service_pb2 as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from google.protobuf.json_format import MessageToJson

from clients import render
from clients.bibliography import author_command
from clients.breakers import breaker_command
from clients.connect import BOOKS, ISBNDB, WARMER, Services
from clients.demo import demo
from clients.terminal import AsJson, err, out, print_json, run
from clients.triggers import triggers_app
from clients.warming import upload, watch
from clients.why import explain, story
from mesh.cli import Book, Environment, check_command, up_command
from mesh.doctor.command import doctor_command
from mesh.identity.command import certs_command

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Book search over a mesh of bound services.")
app.command("up")(up_command)
app.command("check")(check_command)
app.command("doctor")(doctor_command)
app.command("certs")(certs_command)

_STRATEGIES = {"isbn": "STRATEGY_ISBN", "author-first": "STRATEGY_AUTHOR_FIRST", "hybrid": "STRATEGY_HYBRID"}


@app.command("search")
def search_command(
    q: Annotated[str, typer.Argument(help="An ISBN, a title, an author, or a mixture.")],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    max_results: Annotated[int, typer.Option("--max-results", help="Works in the answer; 0 is the default of 40.")] = 0,
    language: Annotated[str, typer.Option("--language", help="A language such as en.")] = "",
    translations: Annotated[bool, typer.Option("--translations", help="Other languages too.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Ask the providers, whatever the cache holds.")] = False,
    only_if_cached: Annotated[bool, typer.Option("--only-if-cached", help="Never ask a provider.")] = False,
    as_json: AsJson = False,
) -> None:
    """Search for books."""
    request = books.SearchAutoRequest(
        q=q, max_results=max_results, language=language, include_translations=translations
    )
    request.cache_control.no_cache = no_cache
    request.cache_control.only_if_cached = only_if_cached

    async def ask(services: Services) -> None:
        started = time.perf_counter()
        answer = await services.books.SearchAuto(request)
        elapsed = (time.perf_counter() - started) * 1000
        if as_json:
            print_json(answer)
            return
        err.print(render.interpretation(answer), render.provenance(answer.provenance, elapsed), sep=": ")
        err.print(render.outcomes(answer.providers))
        out.print(render.search(answer, limit=max_results or len(answer.results)))

    run(book, env, ask)


@app.command("warm")
def warm_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A library as CSV.")],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    strategy: Annotated[str, typer.Option("--strategy", help="isbn, author-first or hybrid.")] = "hybrid",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and start nothing.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not watch the job.")] = False,
    as_json: AsJson = False,
) -> None:
    """Upload a library and warm the cache for it."""
    if strategy not in _STRATEGIES:
        raise typer.BadParameter(f"one of {', '.join(_STRATEGIES)}", param_hint="--strategy")

    async def ask(services: Services) -> None:
        uploaded = await upload(services.warmer, file)
        err.print(render.library(uploaded.library))
        if uploaded.rejects or uploaded.repairs:
            err.print(render.rejects(uploaded.rejects, uploaded.repairs))
        request = warmer.WarmRequest(
            library_id=uploaded.library.id,
            strategy=warmer.Strategy.Value(_STRATEGIES[strategy]),
            dry_run=dry_run,
            request_id=uuid.uuid4().hex,
        )
        started = await services.warmer.Warm(request)
        if dry_run or detach:
            _show(started, as_json=as_json)
            return
        try:
            job = await watch(services.warmer, started.job.id, err)
        except asyncio.CancelledError:
            err.print(f"the job goes on; watch it with: bookmesh jobs --watch {started.job.id}")
            raise
        if as_json:
            print_json(job)
        else:
            out.print(render.summary(job))

    run(book, env, ask)


@app.command("jobs")
def jobs_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    watched: Annotated[str, typer.Option("--watch", help="Watch this job until it ends.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the jobs, newest first, or watch one."""

    async def ask(services: Services) -> None:
        if watched:
            job = await watch(services.warmer, watched, err)
            if as_json:
                print_json(job)
            else:
                out.print(render.summary(job))
            return
        answer = await services.warmer.ListWarmJobs(warmer.ListWarmJobsRequest())
        if as_json:
            print_json(answer)
        else:
            out.print(render.jobs(answer.jobs))

    run(book, env, ask)


@app.command("health")
def health_command(
    service: Annotated[str, typer.Argument(help="One service; all when left out.")] = "",
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how the services, their bindings, stores and secrets are doing."""

    async def ask(services: Services) -> None:
        reports: dict[str, Callable[[], Awaitable[Any]]] = {
            ISBNDB: lambda: services.isbndb_admin.GetHealth(isbndb_admin.GetHealthRequest()),
            BOOKS: lambda: services.books_admin.GetHealth(books_admin.GetHealthRequest()),
            WARMER: lambda: services.warmer_admin.GetHealth(warmer_admin.GetHealthRequest()),
        }
        if service and service not in reports:
            raise typer.BadParameter(f"one of {', '.join(reports)}", param_hint="SERVICE")
        answers = [await ask_one() for name, ask_one in reports.items() if service in {"", name}]
        if as_json:
            for answer in answers:
                print_json(answer)
        else:
            out.print(render.health(answer.health for answer in answers))

    run(book, env, ask)


@app.command("why")
def why_command(
    identity: Annotated[str, typer.Argument(metavar="ID", help="A trace id, or the id of one call.")],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what the mesh did for a call: each hop, and each decision with its reason."""

    async def ask(services: Services) -> None:
        records = await explain(services, identity)
        if as_json:
            for record in records:
                print_json(record)
        elif records:
            out.print(story(records))
        else:
            err.print("no service remembers such a call; each keeps its last ten thousand")
            raise typer.Exit(1)

    run(book, env, ask)


app.command("author")(author_command)
app.command("breaker")(breaker_command)
app.command("demo")(demo)
app.add_typer(triggers_app, name="triggers")


def _show(answer: warmer.WarmResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    elif answer.HasField("job"):
        out.print(f"{answer.job.id} is on its way; watch it with: bookmesh jobs --watch {answer.job.id}")
    else:
        out.print_json(MessageToJson(answer.plan))


def main() -> None:
    """Runs one command."""
    app(prog_name="bookmesh")


if __name__ == "__main__":
    main()
