"""`bookmesh certs`: makes the certificates of a deployment for development, and tells which there are."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mesh.options import Book, Environment


def certs_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    operator: Annotated[list[str] | None, typer.Option("--operator", help="Who may call everything.")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="Where to; else where the address book says.")] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Make all of them anew, the authority too.")] = False,
) -> None:
    """Make a development authority, and a certificate for each service and for operators."""
    # The library takes a while to import, which the other commands should not wait for.
    from mesh.cli import explained  # noqa: PLC0415 - it imports this module
    from mesh.hosting.certificates import issue  # noqa: PLC0415

    with explained():
        for each in issue(book, env, os.environ, folder=folder, operators=operator or (), renew=renew):
            state = "made" if each.fresh else "kept"
            typer.echo(f"{state}  {each.identity.uri():<60}  until {each.until:%Y-%m-%d %H:%M} UTC  {each.path}")
