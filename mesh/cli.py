"""`bookmesh up` and `bookmesh check`: the commands that need no service to run."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mesh.config.address_book import AddressBook
from mesh.config.binding_graph import as_data, binding_graph, render_mermaid, render_tree
from mesh.config.problems import EX_CONFIG, ConfigurationError, Problem
from mesh.config.topology import as_json as rows_as_json
from mesh.config.topology import matrix, render_matrix
from mesh.doctor.command import doctor_command
from mesh.hosting.deployment import read_deployment, read_files
from mesh.hosting.embedded import EmbeddedError
from mesh.hosting.patient_loop import PatientLoop
from mesh.hosting.up import up
from mesh.identity.command import certs_command
from mesh.logs import log_to_stderr
from mesh.options import Book, Environment
from mesh.transport.aio_server import AddressInUseError

__all__ = ["Book", "Environment", "app", "check_command", "explained", "main", "up_command"]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Runs and checks a mesh of services.")
app.command("doctor")(doctor_command)
app.command("certs")(certs_command)


@app.command("up")
def up_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    separate: Annotated[bool, typer.Option("--separate", help="Each service in a process of its own.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="Run this service alone; may be repeated.")] = None,
    replica: Annotated[int, typer.Option("--replica", min=1, help="Which replica of it this process is.")] = 1,
) -> None:
    """Run the services until Ctrl-C; with --separate, SIGHUP restarts them one after the other."""
    log_to_stderr()
    with explained():
        deployment = read_deployment(book, env, os.environ)
        unknown = [name for name in only or () if name not in deployment.workers]
        if unknown:
            raise ConfigurationError([Problem("--only", f"no service is called {', '.join(unknown)}.")])
        fault = _replica_fault(deployment.book, only or (), replica)
        if fault:
            raise ConfigurationError([Problem("--replica", fault)])
        deployment = replace(deployment, replica=replica)
        with asyncio.Runner(loop_factory=PatientLoop) as runner:
            runner.run(up(deployment, separate=separate, only=only))


def _replica_fault(book: AddressBook, only: Sequence[str], replica: int) -> str:
    """Why no process can be this replica; empty when one can."""
    if replica == 1:
        return ""
    if len(only) != 1:
        return "says which replica of one service to run. Name that with --only."
    count = len(book.services[only[0]].replicas)
    return "" if replica <= count else f"{only[0]} has no replica {replica}; the address book gives it {count}."


@app.command("check")
def check_command(
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    drawn: Annotated[
        bool, typer.Option("--graph", help="Print the binding graph for Mermaid, and nothing else.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check manifests, bindings, addresses and code, and print who is bound to what."""
    problems: list[Problem] = []
    _, manifests = read_files(book, env, os.environ, problems)
    if not problems:
        try:
            read_deployment(book, env, os.environ)
        except ConfigurationError as error:
            problems += error.problems
    rows, graph = matrix(manifests), binding_graph(manifests)
    ignored = {manifest.name: list(manifest.ignored) for manifest in manifests if manifest.ignored}
    if as_json:
        report = {
            "bindings": rows_as_json(rows),
            "graph": as_data(graph),
            "ignored": ignored,
            "problems": [str(problem) for problem in problems],
        }
        typer.echo(json.dumps(report, indent=2))
    elif drawn:
        typer.echo(render_mermaid(graph))
    else:
        typer.echo(f"{render_matrix(rows)}\n\n{render_tree(graph)}")
        for name, keys in ignored.items():
            typer.echo(f"{name}: without meaning here: {', '.join(keys)}")
    if not as_json:
        for problem in problems:
            typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(EX_CONFIG)


class explained:  # noqa: N801 - reads as a statement where it is used
    """Turns what a person can mend into a sentence on stderr and a status, without a stack."""

    def __enter__(self) -> None:
        """Begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: object) -> None:
        """Says what went wrong, if a person can mend it."""
        if isinstance(error, ConfigurationError):
            typer.echo(str(error), err=True)
            raise typer.Exit(EX_CONFIG) from None
        if isinstance(error, AddressInUseError | EmbeddedError | PermissionError):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


def main() -> None:
    """Runs one command."""
    app(prog_name="bookmesh")


if __name__ == "__main__":
    main()
