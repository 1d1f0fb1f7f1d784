"""What all commands that call services share: where their answers go, and how a failure ends them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.console import Console

from clients.connect import Services, connect
from mesh.cli import explained
from mesh.status import MeshError

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as proto JSON on stdout, and nothing else.")]

_WIDE = 200
"""Columns where there is no terminal to measure: what is piped on is not folded."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False)


def print_json(message: Message) -> None:
    """One answer on stdout, and nothing else."""
    typer.echo(MessageToJson(message, ensure_ascii=False))


def run(book: Path, env: str | None, ask: Callable[[Services], Awaitable[None]]) -> None:
    """Runs one command against a deployment; a call that fails is told on stderr with status 1."""

    async def main() -> None:
        async with connect(book, env) as services:
            await ask(services)

    with explained():
        try:
            asyncio.run(main())
        except MeshError as error:
            typer.echo(str(error), err=True)
            typer.echo(f"what was done for it: bookmesh why {error.trace_id}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
