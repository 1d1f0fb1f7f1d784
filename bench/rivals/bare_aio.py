"""grpc.aio alone, with the same body: what a server costs that has no deadline, no permission and no account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub, add_BooksServiceServicer_to_server
from grpc import aio

from bench.rivals.in_process import prepared


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serves the answers as a generated servicer does; gives the address that it listens on."""
    listener = aio.server()
    # The parameter is the servicer of a synchronous server, which the generated code takes for both.
    add_BooksServiceServicer_to_server(prepared(), listener)
    port = listener.add_insecure_port(address)
    await listener.start()
    try:
        yield f"127.0.0.1:{port}" if address.endswith(":0") else address
    finally:
        await listener.stop(1)


@asynccontextmanager
async def stub(address: str) -> AsyncIterator[BooksServiceStub]:
    """A stub as one makes it without the mesh."""
    async with aio.insecure_channel(address) as channel:
        yield BooksServiceStub(channel)
