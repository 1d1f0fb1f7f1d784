"""(b) The same binding to a service in another process, over a unix socket and over TCP."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from bench.process import server
from bench.rivals import Rival
from bench.rivals.in_process import prepared, starter, to_message
from mesh.config.binding_settings import BindingSettings
from mesh.config.permissions import EVERYBODY
from mesh.contract import service_of
from mesh.hosting.dispatch import handlers_of
from mesh.layers import client_layers, server_layers
from mesh.runtime import Runtime
from mesh.transport.aio import AioTransport
from mesh.transport.aio_server import AioServer
from mesh.transport.channel import BindingChannel

UNIX = "unix"
TCP = "tcp"

_DEADLINE_S = 10.0
"""What a manifest gives a binding when it says nothing."""


@asynccontextmanager
async def over_unix() -> AsyncIterator[Rival]:
    """The rival over a unix socket."""
    with tempfile.TemporaryDirectory() as folder:
        async with _over(UNIX, "binding over a unix socket", f"unix:{folder}/s") as rival:
            yield rival


@asynccontextmanager
async def over_tcp() -> AsyncIterator[Rival]:
    """The rival over TCP."""
    async with _over(TCP, "binding over TCP", "127.0.0.1:0") as rival:
        yield rival


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serves the answers with every layer on; gives the address that it listens on."""
    listener = AioServer(handlers_of(prepared(), server_layers(Runtime(service="bench"), door=EVERYBODY)), address)
    await listener.start()
    try:
        yield listener.address
    finally:
        # Not at once: a client that is told so says it on standard error.
        await listener.stop(1)


@asynccontextmanager
async def _over(name: str, title: str, address: str) -> AsyncIterator[Rival]:
    async with server("mesh_wire", address) as process, stub(process.address) as made:
        yield Rival(name=name, title=title, start=starter(made), to_message=to_message, server_cpu=process.cpu_s)


@asynccontextmanager
async def stub(address: str) -> AsyncIterator[BooksServiceStub]:
    """A stub as a binding has it, with every layer on."""
    channel = _channel(address)
    try:
        # A generated stub takes any channel of grpc.aio's interface, which its type does not say.
        yield BooksServiceStub(cast("Any", channel))
    finally:
        await channel.close()


def _channel(address: str) -> BindingChannel:
    return BindingChannel(
        service=service_of(BooksServiceStub),
        caller="bench",
        binding="BENCH",
        layers=client_layers(
            Runtime(service="caller"),
            binding="BENCH",
            service="bench",
            settings=BindingSettings(deadline_ms=round(_DEADLINE_S * 1000)),
        ),
        transport=AioTransport(address),
    )
