"""A caller that goes away: what runs for it ends at every hop, down to the provider's socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest

from clients.connect import BOOKS, ISBNDB, WARMER, Services, connect_to
from mesh.hosting.certificates import made
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.serve import serving
from mesh.status import DeadlineExceededError
from tests.alone import ISBNDB_ALONE
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]

SOON_S = 5.0
"""Far less than the provider would let itself be waited for."""


class Silent:
    """A provider that takes requests and says nothing."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads a request, and waits until whoever sent it hangs up."""
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await reader.read()
        self.left.set()
        writer.close()


def deployment(folder: Path, provider: int) -> Deployment:
    """The project's services, that ask this provider."""
    ports = iter(free_ports(9))
    text = '[kv]\ndefault = "memory:"\n[buckets]\ndefault = "memory:"\n'
    for name, package in ((ISBNDB, "isbndb"), (BOOKS, "books"), (WARMER, "warmer")):
        text += f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"\npublic = true\n'
        text += "".join(f'{key} = "127.0.0.1:{next(ports)}"\n' for key in ("default", "admin", "mesh"))
    book = folder / "mesh.toml"
    book.write_text(text)
    variables = {"ISBNDB_API_KEY": "none", "ISBNDB_URL": f"http://127.0.0.1:{provider}", **ISBNDB_ALONE}
    return read_deployment(book, None, variables)


@asynccontextmanager
async def apart(found: Deployment) -> AsyncIterator[None]:
    """The leaf and the others, each behind listeners of its own, as in two processes."""
    async with serving(found, only=[ISBNDB]), serving(found, only=[BOOKS, WARMER]):
        yield


@pytest.fixture(params=["in process", "over the wire"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Services, Silent]]:
    """The book search, and the provider at its end."""
    async with AsyncExitStack() as closing:
        provider = Silent()
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        closing.callback(server.close)
        found = deployment(tmp_path, server.sockets[0].getsockname()[1])
        made(found.book)
        await closing.enter_async_context(serving(found) if request.param == "in process" else apart(found))
        addresses = {(name, "Default"): each.default.target for name, each in found.book.services.items()}
        addresses |= {(name, "Admin"): each.admin.target for name, each in found.book.services.items() if each.admin}
        yield await closing.enter_async_context(connect_to(addresses)), provider


async def test_caller_that_leaves(house: tuple[Services, Silent]) -> None:
    """When a client cancels its search, the leaf hangs up on the provider."""
    services, provider = house
    searching = asyncio.ensure_future(services.books.SearchAuto(SearchAutoRequest(q="9780441013593")))
    await asyncio.wait_for(provider.asked.wait(), SOON_S)
    searching.cancel()
    await asyncio.wait_for(provider.left.wait(), SOON_S)


async def test_caller_out_of_time(house: tuple[Services, Silent]) -> None:
    """When a client's time is over, it is told so, and the leaf hangs up on the provider."""
    services, provider = house
    with pytest.raises(DeadlineExceededError):
        await services.books.SearchAuto(SearchAutoRequest(q="9780441013593"), timeout=1)
    await asyncio.wait_for(provider.left.wait(), SOON_S)


async def test_one_of_two_who_leaves(house: tuple[Services, Silent]) -> None:
    """What two wait for goes on while one of them does."""
    services, provider = house
    both = [asyncio.ensure_future(services.books.SearchAuto(SearchAutoRequest(q="9780441013593"))) for _ in range(2)]
    await asyncio.wait_for(provider.asked.wait(), SOON_S)
    await asyncio.sleep(0.1)
    both[0].cancel()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(provider.left.wait(), 0.5)
    both[1].cancel()
    await asyncio.wait_for(provider.left.wait(), SOON_S)
