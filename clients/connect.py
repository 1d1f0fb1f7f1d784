"""One call gives typed stubs for a whole deployment.

    async with connect() as services:
        answer = await services.books.SearchAuto(SearchAutoRequest(q="dune"))


Calls get a deadline, and fail with the typed errors of `mesh.status` rather than with gRPC's own.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bookmesh.books.v1 import admin_service_pb2_grpc as books_admin
from bookmesh.books.v1 import books_service_pb2_grpc as books
from bookmesh.isbndb.v1 import admin_service_pb2_grpc as isbndb_admin
from bookmesh.isbndb.v1 import isbndb_service_pb2_grpc as isbndb
from bookmesh.warmer.v1 import admin_service_pb2_grpc as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2_grpc as warmer
from grpc_health.v1 import health_pb2_grpc

from mesh.address_book import read_address_book
from mesh.binding_settings import BindingSettings
from mesh.breaker_settings import BreakerSettings
from mesh.contract import service_of
from mesh.layers import client_layers
from mesh.runtime import Runtime
from mesh.transport.aio import AioTransport
from mesh.transport.channel import BindingChannel
from mesh.transport.spread import reach

ISBNDB = "isbndb-biography-worker"
BOOKS = "books-api-proxy"
WARMER = "personal-library-cache-warmer"

DEADLINE_S = 30.0
"""Seconds that a call gets when it brings no timeout of its own."""

Addresses = Mapping[tuple[str, str], str | Sequence[str]]
"""Where each entrypoint listens, by service and entrypoint ("Default" or "Admin"): one address for each replica."""

Stub = TypeVar("Stub")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The stubs of a deployment; each connects when it is first used."""

    books: books.BooksServiceStub
    """Book search."""
    isbndb: isbndb.IsbndbServiceStub
    """The leaf."""
    warmer: warmer.WarmerServiceStub
    """The warmer."""
    books_admin: books_admin.AdminServiceStub
    """What operators ask of the book search."""
    isbndb_admin: isbndb_admin.AdminServiceStub
    """What operators ask of the leaf."""
    warmer_admin: warmer_admin.AdminServiceStub
    """What operators ask of the warmer."""
    health: Mapping[str, Any]
    """grpc.health.v1 of each service's default entrypoint, by the service's name."""


@asynccontextmanager
async def connect(
    book: Path = Path("mesh.toml"), environment: str | None = None, *, deadline_s: float = DEADLINE_S
) -> AsyncIterator[Services]:
    """Stubs for the deployment that an address book tells of.

    Args:
        book: the address book, mesh.toml.
        environment: the environment of the address book, such as "production".
        deadline_s: seconds that a call gets when it brings no timeout of its own.

    Raises:
        ConfigurationError: the address book is wrong.
    """
    async with connect_to(addresses_of(book, environment), deadline_s=deadline_s) as services:
        yield services


@asynccontextmanager
async def connect_to(addresses: Addresses, *, deadline_s: float = DEADLINE_S) -> AsyncIterator[Services]:
    """The same for addresses that are known already."""
    async with AsyncExitStack() as closing:

        def stub(make: Callable[[Any], Stub], service: str, entrypoint: str = "Default") -> Stub:
            channel = _channel(make, service, addresses[_named(addresses, service), entrypoint], deadline_s)
            closing.push_async_callback(channel.close)
            return make(channel)

        yield Services(
            books=stub(books.BooksServiceStub, BOOKS),
            isbndb=stub(isbndb.IsbndbServiceStub, ISBNDB),
            warmer=stub(warmer.WarmerServiceStub, WARMER),
            books_admin=stub(books_admin.AdminServiceStub, BOOKS, "Admin"),
            isbndb_admin=stub(isbndb_admin.AdminServiceStub, ISBNDB, "Admin"),
            warmer_admin=stub(warmer_admin.AdminServiceStub, WARMER, "Admin"),
            health={name: stub(health_pb2_grpc.HealthStub, name) for name in (ISBNDB, BOOKS, WARMER)},
        )


def addresses_of(book: Path, environment: str | None) -> Addresses:
    """Where the entrypoints of an address book listen.

    Raises:
        ConfigurationError: the address book is wrong.
    """
    return {
        (name, entrypoint): [address.target for address in addresses]
        for name, service in read_address_book(book, environment).services.items()
        for entrypoint in ("Default", "Admin")
        if (addresses := service.addresses(entrypoint))
    }


def _named(addresses: Addresses, service: str) -> str:
    """A service's name in this environment: an environment may call it something longer, as production does."""
    names = {name for name, _ in addresses}
    return service if service in names else next(name for name in sorted(names) if name.startswith(service))


def _channel(make: Any, service: str, addresses: str | Sequence[str], deadline_s: float) -> BindingChannel:
    layers = client_layers(
        Runtime(service=""),
        binding=service,
        service=service,
        settings=BindingSettings(
            deadline_ms=round(deadline_s * 1000),
            # A person who tries again wants an answer from the service, not from a breaker of their own.
            breaker=BreakerSettings(enabled=False),
        ),
    )
    transport = reach(
        [addresses] if isinstance(addresses, str) else addresses,
        lambda target: AioTransport(target.uri, balanced=target.balanced),
    )
    return BindingChannel(
        service=service_of(make), caller="client", binding=service, layers=layers, transport=transport
    )
