"""`bookmesh libraries`: what libraries are kept, and how to have one forgotten."""

from pathlib import Path
from typing import Annotated

import typer
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from clients import job_views
from clients.connect import Services
from clients.terminal import AsJson, err, out, print_json, run
from mesh.cli import Book, Environment


def libraries_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    delete: Annotated[str, typer.Option("--delete", help="Forget the library of this id.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the libraries that are kept, or forget one; a library stays until it is deleted."""

    async def ask(services: Services) -> None:
        if delete:
            await services.warmer.DeleteLibrary(pb.DeleteLibraryRequest(library_id=delete))
            err.print(f"library {delete} is forgotten; what was warmed for it stays in the cache for its time")
            return
        found: list[pb.Library] = []
        token, is_end = "", False
        while not is_end:
            page = await services.warmer.ListLibraries(pb.ListLibrariesRequest(page_token=token))
            found += page.libraries
            token = page.next_page_token
            is_end = not token
        if as_json:
            print_json(pb.ListLibrariesResponse(libraries=found))
        else:
            out.print(job_views.libraries(found))

    run(book, env, ask)
