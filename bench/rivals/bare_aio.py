"""(c) grpc.aio alone, with the same body: what a server costs that has no deadline, no permission and no account."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub, add_BooksServiceServicer_to_server
from grpc import aio

from bench.process import server
from bench.rivals import Rival
from bench.rivals.in_process import prepared, starter, to_message

UNIX = "bare_unix"
TCP = "bare_tcp"


@asynccontextmanager
async def over_unix() -> AsyncIterator[Rival]:
    """The rival over a unix socket."""
    with tempfile.TemporaryDirectory() as folder:
        async with _over(UNIX, "grpc.aio over a unix socket, bare", f"unix:{folder}/s") as rival:
            yield rival


@asynccontextmanager
async def over_tcp() -> AsyncIterator[Rival]:
    """The rival over TCP."""
    async with _over(TCP, "grpc.aio over TCP, bare", "127.0.0.1:0") as rival:
        yield rival


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
async def _over(name: str, title: str, address: str) -> AsyncIterator[Rival]:
    async with server("bare_aio", address) as process, aio.insecure_channel(process.address) as channel:
        stub = BooksServiceStub(channel)
        yield Rival(name=name, title=title, start=starter(stub), to_message=to_message, server_cpu=process.cpu_s)
