"""The `bookmesh` command. Answers go to stdout, everything else to stderr.

Exit status: 0 success, 1 a call failed, 2 bad usage, 64 bad configuration.
"""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.isbndb.v1 import admin_service_pb2 as isbndb_admin
from bookmesh.warmer.v1 import admin_service_pb2 as warmer_admin

from clients import render
from clients.bibliography import author_command
from clients.breakers import breaker_command
from clients.connect import BOOKS, ISBNDB, WARMER, Services
from clients.demo import demo
from clients.jobs import jobs_command, report_command
from clients.libraries import libraries_command
from clients.terminal import AsJson, err, out, print_json, run
from clients.triggers import triggers_app
from clients.warm import warm_command
from clients.why import explain, story
from mesh.cli import Book, Environment, check_command, up_command
from mesh.doctor.command import doctor_command
from mesh.identity.command import certs_command

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Book search over a mesh of bound services.")
app.command("up")(up_command)
app.command("check")(check_command)
app.command("doctor")(doctor_command)
app.command("certs")(certs_command)


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


app.command("warm")(warm_command)
app.command("jobs")(jobs_command)
app.command("report")(report_command)
app.command("libraries")(libraries_command)
app.add_typer(triggers_app, name="triggers")
app.command("author")(author_command)
app.command("breaker")(breaker_command)
app.command("demo")(demo)


def main() -> None:
    """Runs one command."""
    app(prog_name="bookmesh")


if __name__ == "__main__":
    main()
