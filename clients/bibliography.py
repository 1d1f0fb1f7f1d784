"""`bookmesh author`: what an author wrote, a page at a time or all of it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from bookmesh.books.v1 import books_service_pb2 as books
from rich.text import Text

from clients import render
from clients.connect import Services
from clients.terminal import AsJson, err, out, print_json, run
from mesh.cli import Book, Environment


def author_command(
    name: Annotated[str, typer.Argument(help="The author's name.")],
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    all_pages: Annotated[bool, typer.Option("--all", help="Every page, one after the other.")] = False,
    page_size: Annotated[int, typer.Option("--page-size", help="Works a page; 0 is the default of 50.")] = 0,
    page_token: Annotated[str, typer.Option("--page-token", help="From the page before.")] = "",
    language: Annotated[str, typer.Option("--language", help="A language such as en.")] = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Ask the providers, whatever the cache holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an author wrote, in the order of the years."""
    request = books.AuthorBibliographyRequest(
        author=name, page_size=page_size, page_token=page_token, language=language
    )
    request.cache_control.no_cache = no_cache

    async def ask(services: Services) -> None:
        started = time.perf_counter()
        answer = await services.books.AuthorBibliography(request)
        # The pages that follow are cut out of the same whole, which has been asked for anew once already.
        request.cache_control.no_cache = False
        while all_pages and answer.next_page_token:
            request.page_token = answer.next_page_token
            following = await services.books.AuthorBibliography(request)
            answer.next_page_token = following.next_page_token
            answer.works.extend(following.works)
            answer.gaps.extend(gap for gap in following.gaps if gap not in answer.gaps)
        elapsed = (time.perf_counter() - started) * 1000
        if as_json:
            print_json(answer)
            return
        count = f"{len(answer.works)} work{'' if len(answer.works) == 1 else 's'} by {answer.author or name}"
        err.print(Text(count), render.provenance(answer.provenance, elapsed), sep=": ")
        err.print(render.outcomes(answer.providers))
        out.print(render.works(answer.works))
        for line in _remarks(answer):
            err.print(line)

    run(book, env, ask)


def _remarks(answer: books.AuthorBibliographyResponse) -> Iterator[Text]:
    """What is missing, and how to go on."""
    for gap in answer.gaps:
        yield Text(gap, style="yellow")
    if answer.next_page_token:
        yield Text(f"there is more; --all shows it, or --page-token={answer.next_page_token}", style="dim")
