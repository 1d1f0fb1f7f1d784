"""`bookmesh breaker`: shows the circuit breakers of a deployment, and moves them while it runs."""

import enum
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import typer
from bookmesh.books.v1 import admin_service_pb2 as books
from bookmesh.isbndb.v1 import admin_service_pb2 as isbndb
from bookmesh.mesh.v1.admin_pb2 import Breaker
from bookmesh.warmer.v1 import admin_service_pb2 as warmer

from clients import render
from clients.connect import BOOKS, ISBNDB, WARMER, Services
from clients.terminal import AsJson, err, out, print_json, run
from mesh.cli import Book, Environment
from mesh.status import MeshError


class Settable(enum.StrEnum):
    """What a person may set."""

    CLOSED = "closed"
    FORCED_OPEN = "forced-open"
    DISABLED = "disabled"
    METRICS_ONLY = "metrics-only"


def breaker_command(
    service: Annotated[str, typer.Argument(help="The service that calls; all when left out.")] = "",
    name: Annotated[str, typer.Argument(help="BINDING/Method, or BINDING for all of its methods.")] = "",
    state: Annotated[
        Settable | None,
        typer.Argument(help="Move it: closed also forgets what was counted, the others hold until set again."),
    ] = None,
    book: Book = Path("mesh.toml"),
    env: Environment = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the circuit breakers of the services' bindings, or move some of them.

    A service that can't be asked is told on stderr, with status 1; the breakers of the others are shown all the same.
    """
    if service and service not in _CONTRACTS:
        raise typer.BadParameter(f"one of {', '.join(_CONTRACTS)}", param_hint="SERVICE")

    async def ask(services: Services) -> None:
        failures: Sequence[str] = ()
        if state is None:
            found, failures = await find(services, service, name)
        else:
            found = await move(services, service, name, state)
        if as_json:
            # Each contract has a message of its own for the same list; one of them can carry all.
            print_json(books.ListBreakersResponse(breakers=found))
        elif found or not (name or failures):
            out.print(render.breakers(found, time.time()))
        for failure in failures:
            err.print(failure, markup=False, soft_wrap=True)
        if name and not (found or failures):
            err.print(f"no breaker is called {name!r}; bookmesh breaker lists them", markup=False)
        if failures or (name and not found):
            raise typer.Exit(1)

    run(book, env, ask)


_CONTRACTS: dict[str, Any] = {ISBNDB: isbndb, BOOKS: books, WARMER: warmer}
"""The contract of each service's Admin; all have the same methods, each with messages of its own."""


async def find(services: Services, service: str = "", name: str = "") -> tuple[Sequence[Breaker], Sequence[str]]:
    """The breakers of one service or of all, and what the services said that could not be asked.

    Args:
        services: the deployment.
        service: the service that calls; empty for all.
        name: "BINDING/Method", "BINDING/*" or "BINDING"; empty for all.
    """
    found: list[Breaker] = []
    failures: list[str] = []
    for caller, contract in _CONTRACTS.items():
        if service in {"", caller}:
            try:
                listed = (await _admin(services, caller).ListBreakers(contract.ListBreakersRequest())).breakers
            except MeshError as error:
                failures.append(f"{caller}: {error}")
            else:
                found += [each for each in listed if fnmatchcase(each.name, _pattern(name))]
    return found, failures


async def move(services: Services, service: str, name: str, state: Settable) -> Sequence[Breaker]:
    """Moves the breakers of one service that a name fits, and gives them back as they are now.

    Raises:
        MeshError: no breaker has this name, or the service can't be asked.
    """
    request = _CONTRACTS[service].SetBreakerRequest(name=_pattern(name), state=f"BREAKER_STATE_{state.name}")
    moved: Sequence[Breaker] = (await _admin(services, service).SetBreaker(request)).breakers
    return moved


def _admin(services: Services, service: str) -> Any:
    return {ISBNDB: services.isbndb_admin, BOOKS: services.books_admin, WARMER: services.warmer_admin}[service]


def _pattern(name: str) -> str:
    """A breaker's name as SetBreaker takes it: a binding alone stands for all of its methods."""
    if not name:
        return "*"
    return name if "/" in name else f"{name}/*"
