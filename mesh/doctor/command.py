"""`bookmesh doctor`: the command, and how findings are printed."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from mesh.doctor.finding import Severity, summary
from mesh.options import Book, Environment


def doctor_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for what goes wrong in practice; status 1 where something is an error."""
    # What it needs to read certificates takes a while to import, which the other commands should not wait for.
    from mesh.doctor.examine import examine  # noqa: PLC0415

    findings = asyncio.run(examine(book, env, os.environ))
    if as_json:
        typer.echo(json.dumps({"findings": [finding.as_data() for finding in findings]}, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(finding.line())
        typer.echo(summary(findings), err=True)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)
