"""Who calls the books while they restart: a client of bookmesh, and one that knows nothing but gRPC."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from grpc import aio

from clients.connect import BOOKS, addresses_of, connect
from mesh.config.address_book import read_address_book
from mesh.config.manifest import DEFAULT_ENTRYPOINT
from mesh.status import MeshError
from mesh.status_details import from_status
from mesh.transport.balancing import channel_options, targets

_TIMEOUT_S = 10.0
"""Seconds that a call gets."""


@dataclass(slots=True)
class Outcome:
    """What became of a caller's calls."""

    times_s: list[float] = field(default_factory=list)
    """Seconds that each took, failed ones too."""
    failures: Counter[str] = field(default_factory=Counter)
    """Failed calls by code and reason."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One that searches."""

    name: str
    """What it is, for people."""
    search: Callable[[str], Awaitable[object]]
    """Searches for a text; a call that fails raises MeshError."""
    outcome: Outcome = field(default_factory=Outcome)


@asynccontextmanager
async def callers(book: Path) -> AsyncIterator[list[Caller]]:
    """Both of them, for the replicas of an address book.

    The second shows what the drain alone is worth: where a call of the first fails, it may be made again.
    """
    addresses = addresses_of(read_address_book(book))[BOOKS, DEFAULT_ENTRYPOINT]
    (target,) = targets(addresses)
    options = channel_options(balanced=target.balanced)
    async with connect(book) as services, aio.insecure_channel(target.uri, options=options) as channel:
        plain: BooksServiceStub = BooksServiceStub(channel)

        async def bound(text: str) -> object:
            return await services.books.SearchAuto(SearchAutoRequest(q=text), timeout=_TIMEOUT_S)

        async def bare(text: str) -> object:
            try:
                return await plain.SearchAuto(SearchAutoRequest(q=text), timeout=_TIMEOUT_S)
            except aio.AioRpcError as error:
                raise _read(error) from None

        yield [Caller("bookmesh client", bound), Caller("plain gRPC, no retries", bare)]


def _read(error: aio.AioRpcError) -> MeshError:
    return from_status(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))
