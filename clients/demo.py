"""`bookmesh demo`, which is `make run`: all services in one process, and their main job before your eyes."""

import asyncio
import csv
import io
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from rich.console import Console
from rich.rule import Rule

from clients import job_views, render
from clients.connect import Addresses, Services, connect_to
from clients.warming import upload, watch
from mesh.cli import Book, Environment, explained
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.serve import serving
from mesh.hosting.up import shared_parts
from mesh.logs import log_to_stderr
from mesh.status import MeshError

GOOGLE_SECRETS = ("Google_books_hardoooe", "Google_books_ioskey", "GOOGLE_BOOKS_API_KEY", "GOOGLE_BOOKS_IOSKEY")
"""Google Books' keys, by what they are called in a store of secrets and by their bindings; either will do."""

console = Console(highlight=False)


def demo(
    library: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)] = Path("samples/library.csv"),
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    once: Annotated[bool, typer.Option("--once", envvar="ONCE", help="End after the searches.")] = False,
) -> None:
    """Run everything, warm a library and search it; stays up until Ctrl-C."""
    log_to_stderr(quiet=True)
    with explained():
        deployment = read_deployment(book, env, os.environ)
        try:
            succeeded = asyncio.run(_demonstrate(deployment, library, once=once))
        except MeshError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
    if not succeeded:
        raise typer.Exit(1)


async def _demonstrate(deployment: Deployment, library: Path, *, once: bool) -> bool:
    """Whether the job succeeded. A signal at any moment ends it in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    _tell_providers(deployment)
    async with shared_parts(deployment) as ready, serving(ready) as house:
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        _tell_addresses(addresses)
        async with connect_to(addresses, token=house.token) as services:
            work = loop.create_task(_main_job(services, library))
            stopped = loop.create_task(stop.wait())
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
                console.print("stopped; the job goes on at the next start")
                return True
            succeeded = work.result()
            if not once:
                _tell_commands(deployment, library)
                await stopped
            stopped.cancel()
        if not once:
            console.print("draining")
    return succeeded


def _tell_providers(deployment: Deployment) -> None:
    """Which providers are real, and which are not; whoever sees the answers must know whose they are."""
    if deployment.stand_ins:
        where = ", ".join(stand_in.address.target for stand_in in deployment.stand_ins)
        console.print(
            f"[bold]ISBNdb, Google Books and Open Library[/]: [yellow]a sandbox[/] on {where}, for ISBNDB_API_KEY is "
            "not set; its books are real, its answers are its own. LIVE=1 asks the real providers"
        )
        return
    for name, who in _providers(deployment):
        console.print(f"[bold]{name}[/]: {who}")


def _providers(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Each provider, and how it is reached, without a stand-in."""

    def there(var: str) -> str:
        url = deployment.variables.get(var, "")
        return f"at {url}" if url else "the real one"

    def has(secret: str) -> bool:
        return deployment.secrets.get(secret) is not None

    yield (
        "ISBNdb",
        (
            f"{there('ISBNDB_URL')}, with your ISBNDB_API_KEY"
            if has("ISBNDB_API_KEY")
            else "[yellow]not asked[/], for ISBNDB_API_KEY is not set"
        ),
    )
    keyed = any(map(has, GOOGLE_SECRETS))
    yield (
        "Google Books",
        there("GOOGLE_BOOKS_URL")
        + (", with your key" if keyed else ", without a key, while the quota lasts that all share who have none"),
    )
    contact = deployment.variables.get("OPEN_LIBRARY_CONTACT", "")
    yield (
        "Open Library",
        there("OPEN_LIBRARY_URL")
        + (
            f", at three calls a second, with {contact} to write to"
            if contact
            else ", at one call a second; it allows three if OPEN_LIBRARY_CONTACT is an address of yours"
        ),
    )


def _tell_addresses(addresses: Addresses) -> None:
    for (service, entrypoint), address in addresses.items():
        console.print(f"  {service} [dim]{entrypoint}[/] on {address}")


async def _main_job(services: Services, library: Path) -> bool:
    console.print(Rule(f"warming {library}", style="dim"))
    uploaded = await upload(services.warmer, library)
    console.print(job_views.library(uploaded.library))
    if uploaded.rejects or uploaded.repairs:
        console.print(job_views.rejects(uploaded.rejects, uploaded.repairs))
    before = await _hits(services, uploaded.library.id)
    started = await services.warmer.Warm(warmer.WarmRequest(library_id=uploaded.library.id))
    job = await watch(services.warmer, started.job.id, console)
    after = await _hits(services, uploaded.library.id)
    console.print(job_views.summary(job))
    if not job.progress.warmed_count and not job.progress.provider_call_count:
        console.print("everything is fresh: no provider was called")
    console.print(f"searches answered from the cache: {before} before, {after} after")
    console.print(Rule("three searches", style="dim"))
    for sample in (await _samples(services, job.id)).queries():
        await _search(services, sample)
    return job.state == warmer.WARM_JOB_STATE_SUCCEEDED


async def _hits(services: Services, library_id: str) -> str:
    """How many of a library's searches the cache would answer now; the plan counts them without a provider call."""
    answer = await services.warmer.Warm(warmer.WarmRequest(library_id=library_id, dry_run=True))
    return f"{answer.plan.fresh_count} of {answer.plan.search_count}"


@dataclass(frozen=True, slots=True)
class _Sample:
    """A book of the library."""

    isbn: str
    title: str
    author: str

    def queries(self) -> list[str]:
        """Its ISBN, its title and its author, as far as the library knows them."""
        return [text for text in (self.isbn, self.title, self.author) if text]


async def _samples(services: Services, job_id: str) -> _Sample:
    """The first book that was found, as the job's report has it."""
    parts = [part.data async for part in services.warmer.GetWarmReport(warmer.GetWarmReportRequest(job_id=job_id))]
    rows = csv.DictReader(io.StringIO(b"".join(parts).decode()))
    found = (row for row in rows if row["outcome"] in {"fresh", "warmed"} and row["isbn_13"] and row["authors"])
    row = next(found, {"isbn_13": "", "title": "", "authors": ""})
    return _Sample(row["isbn_13"], row["title"], row["authors"].split(";")[0].strip())


async def _search(services: Services, q: str) -> None:
    started = time.perf_counter()
    answer = await services.books.SearchAuto(books.SearchAutoRequest(q=q))
    elapsed = (time.perf_counter() - started) * 1000
    console.print(
        f"[bold]{q}[/]", render.interpretation(answer), render.provenance(answer.provenance, elapsed), sep=" · "
    )
    console.print(render.search(answer, limit=3))


def _tell_commands(deployment: Deployment, library: Path) -> None:
    console.print(Rule("it stays up until Ctrl-C; try in another terminal", style="dim"))
    address = deployment.book.services["books-api-proxy"].default.target
    for line in (
        '.venv/bin/bookmesh search "charles dickens"',
        f".venv/bin/bookmesh warm {library}",
        ".venv/bin/bookmesh jobs",
        ".venv/bin/bookmesh health",
        f"""grpcurl -plaintext -d '{{"q": "dune"}}' {address} bookmesh.books.v1.BooksService/SearchAuto""",
    ):
        console.print(f"  {line}", soft_wrap=True, markup=False)
