"""One call gives typed stubs for a whole deployment.

    async with connect() as services:
        answer = await services.books.SearchAuto(SearchAutoRequest(q="dune"))


Calls get a deadline, and fail with the typed errors of `mesh.status` rather than with gRPC's own.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bookmesh.books.v1 import admin_service_pb2_grpc as books_admin
from bookmesh.books.v1 import books_service_pb2_grpc as books
from bookmesh.isbndb.v1 import admin_service_pb2_grpc as isbndb_admin
from bookmesh.isbndb.v1 import isbndb_service_pb2_grpc as isbndb
from bookmesh.warmer.v1 import admin_service_pb2_grpc as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2_grpc as warmer
from grpc_health.v1 import health_pb2_grpc

from mesh.config.address import is_here
from mesh.config.address_book import AddressBook, read_address_book
from mesh.config.binding_settings import BindingSettings
from mesh.config.breaker_settings import BreakerSettings
from mesh.config.manifest import DEFAULT_ENTRYPOINT
from mesh.config.topology import ADMIN_ENTRYPOINT
from mesh.contract import service_of
from mesh.hosting.certificates import OPERATOR
from mesh.hosting.deployment import DATA_VARIABLE
from mesh.identity.certificate_files import bundle_path
from mesh.identity.credentials import Credentials, Trust
from mesh.identity.operator_token import OperatorToken, find_token
from mesh.identity.spiffe import Identity
from mesh.layers import client_layers
from mesh.runtime import Runtime
from mesh.transport.aio import AioTransport, Security
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


@dataclass(frozen=True, slots=True)
class Way:
    """How one entrypoint is called."""

    targets: Sequence[str]
    """Where it listens, one address for each replica."""
    security: Security | None = None
    """What is trusted and shown; None in plain text."""
    authorization: str = field(default="", repr=False)
    """What is shown with each call; nothing when empty."""


Ways = Mapping[tuple[str, str], Way]
"""How each entrypoint is called, by service and entrypoint."""


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
    found = _read(book, environment)
    token, operator = find_token(found.data, os.environ), bundle_path(found.tls.certificates, OPERATOR)
    ways: dict[tuple[str, str], Way] = {}
    for (service, entrypoint), targets in addresses_of(found).items():
        host = Identity(found.tls.trust_domain, "service", service).host()
        security = Security(Trust(found.tls.certificates), host) if found.tls.people else None
        # What crosses a network in plain text is no secret any more.
        private = security is not None or all(map(is_here, targets))
        shown = token.header() if token is not None and entrypoint != DEFAULT_ENTRYPOINT and private else ""
        ways[service, entrypoint] = Way(targets, security, shown)
    if token is None and operator.is_file():
        credentials = Credentials(found.tls.certificates, OPERATOR)
        for name, service_address in found.services.items():
            if targets := [address.target for address in service_address.mesh_addresses()]:
                host = Identity(found.tls.trust_domain, "service", name).host()
                ways[name, ADMIN_ENTRYPOINT] = Way(targets, Security(credentials, host))
    async with _connected(ways, deadline_s) as services:
        yield services


@asynccontextmanager
async def connect_to(
    addresses: Addresses, *, token: OperatorToken | None = None, deadline_s: float = DEADLINE_S
) -> AsyncIterator[Services]:
    """The same for addresses that are known already, in plain text.

    Args:
        addresses: where the entrypoints listen.
        token: shown to Admin entrypoints, and to nobody else.
        deadline_s: seconds that a call gets when it brings no timeout of its own.
    """
    ways = {}
    for (service, entrypoint), said in addresses.items():
        shown = token.header() if token is not None and entrypoint != DEFAULT_ENTRYPOINT else ""
        ways[service, entrypoint] = Way([said] if isinstance(said, str) else said, None, shown)
    async with _connected(ways, deadline_s) as services:
        yield services


@asynccontextmanager
async def _connected(ways: Ways, deadline_s: float) -> AsyncIterator[Services]:
    async with AsyncExitStack() as closing:

        def stub(make: Callable[[Any], Stub], service: str, entrypoint: str = DEFAULT_ENTRYPOINT) -> Stub:
            channel = _channel(make, service, ways[_named(ways, service), entrypoint], deadline_s)
            closing.push_async_callback(channel.close)
            return make(channel)

        yield Services(
            books=stub(books.BooksServiceStub, BOOKS),
            isbndb=stub(isbndb.IsbndbServiceStub, ISBNDB),
            warmer=stub(warmer.WarmerServiceStub, WARMER),
            books_admin=stub(books_admin.AdminServiceStub, BOOKS, ADMIN_ENTRYPOINT),
            isbndb_admin=stub(isbndb_admin.AdminServiceStub, ISBNDB, ADMIN_ENTRYPOINT),
            warmer_admin=stub(warmer_admin.AdminServiceStub, WARMER, ADMIN_ENTRYPOINT),
            health={name: stub(health_pb2_grpc.HealthStub, name) for name in (ISBNDB, BOOKS, WARMER)},
        )


def addresses_of(book: AddressBook) -> dict[tuple[str, str], list[str]]:
    """Where the entrypoints of an address book listen."""
    return {
        (name, entrypoint): [address.target for address in addresses]
        for name, service in book.services.items()
        for entrypoint in (DEFAULT_ENTRYPOINT, ADMIN_ENTRYPOINT)
        if (addresses := service.addresses(entrypoint))
    }


def _read(book: Path, environment: str | None) -> AddressBook:
    data = os.environ.get(DATA_VARIABLE)
    return read_address_book(book, environment, data=Path(data) if data else None)


def _named(ways: Ways, service: str) -> str:
    """A service's name in this environment: an environment may call it something longer, as production does."""
    names = {name for name, _ in ways}
    return service if service in names else next(name for name in sorted(names) if name.startswith(service))


def _channel(make: Any, service: str, way: Way, deadline_s: float) -> BindingChannel:
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
        way.targets,
        lambda target: AioTransport(
            target.uri, balanced=target.balanced, security=way.security, authorization=way.authorization
        ),
    )
    return BindingChannel(
        service=service_of(make), caller="client", binding=service, layers=layers, transport=transport
    )
