"""How a process ends, as those see it that call it over the wire: nothing is lost, and every refusal says why."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.warmer.v1 import admin_service_pb2 as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from clients.connect import WARMER, Services, connect_to
from mesh.call import Call, Side
from mesh.contract import service_of
from mesh.hosting.endpoint import Serving
from mesh.hosting.serve import serving
from mesh.status import MeshError, UnavailableError
from mesh.status_details import from_status
from mesh.transport.aio import AioTransport
from tests.integration.test_serving import made

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
METHOD = service_of(BooksServiceStub).methods["/bookmesh.books.v1.BooksService/SearchAuto"]


@dataclass
class Ending:
    """Services that run, and are told to end."""

    house: Serving
    services: Services
    channel: Any
    """A plain gRPC channel to the warmer."""
    closing: "asyncio.Task[None] | None" = None
    stack: AsyncExitStack | None = None

    def end(self) -> "asyncio.Task[None]":
        """Tells them to end."""
        assert self.stack is not None
        self.closing = asyncio.create_task(self.stack.aclose())
        return self.closing

    def watch(self, name: str = "") -> Any:
        """Watches the warmer's health."""
        return health_pb2_grpc.HealthStub(self.channel).Watch(health_pb2.HealthCheckRequest(service=name))

    async def uploading(self, parts: AsyncIterator[warmer.UploadLibraryRequest]) -> "asyncio.Task[Any]":
        """An upload that has reached the warmer."""

        async def upload() -> Any:
            return await self.services.warmer.UploadLibrary(parts)

        task = asyncio.create_task(upload())
        while not await self._is_uploading():  # noqa: ASYNC110 - the server's own count is what tells
            await asyncio.sleep(0.01)
        return task

    async def _is_uploading(self) -> bool:
        stats = (await self.services.warmer_admin.GetStats(warmer_admin.GetStatsRequest())).stats
        return any(each.method.endswith("UploadLibrary") and each.active_count for each in stats.served)


@asynccontextmanager
async def running(folder: Path, drain: str) -> AsyncIterator[Ending]:
    """The services with some settings of [drain]."""
    async with AsyncExitStack() as stack:
        house_stack = AsyncExitStack()
        house = await house_stack.enter_async_context(serving(made(folder, f"[drain]\n{drain}\n")))
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        services = await stack.enter_async_context(connect_to(addresses, token=house.token))
        channel = await stack.enter_async_context(aio.insecure_channel(house.address(WARMER)))
        ending = Ending(house, services, channel, stack=house_stack)
        try:
            yield ending
        finally:
            await (ending.closing or ending.end())


async def never_ends() -> AsyncIterator[warmer.UploadLibraryRequest]:
    """A library whose last part does not come."""
    yield warmer.UploadLibraryRequest(data=b"Title,Author\n")
    await asyncio.Event().wait()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def test_lame_duck(tmp_path: Path) -> None:
    """Where somebody watches, a draining service says NOT_SERVING, lives, and still answers."""
    async with running(tmp_path, "lame_duck_s = 0.5") as ending:
        watching = ending.watch()
        before = (await watching.read()).status
        ending.end()
        after = (await watching.read()).status
        answer = await ending.services.warmer.ListLibraries(warmer.ListLibrariesRequest())
        health = health_pb2_grpc.HealthStub(ending.channel)
        alive = (await health.Check(health_pb2.HealthCheckRequest(service="liveness"))).status
        assert (before, after, list(answer.libraries), alive) == (SERVING, NOT_SERVING, [], SERVING)


async def test_no_pause_without_an_audience(tmp_path: Path) -> None:
    """Where nobody asks for the health, nobody is waited for."""
    async with running(tmp_path, "lame_duck_s = 30") as ending:
        await ending.services.warmer.ListLibraries(warmer.ListLibrariesRequest())
        started = time.monotonic()
        await ending.end()
        assert time.monotonic() - started < 10


async def test_watch_ends_with_draining(tmp_path: Path) -> None:
    """A watcher hears why its stream ends."""
    async with running(tmp_path, "lame_duck_s = 0") as ending:
        watching = aiter(ending.watch())
        await anext(watching)
        ending.end()
        assert (await anext(watching)).status == NOT_SERVING
        with pytest.raises(aio.AioRpcError) as caught:
            await anext(watching)
        assert reason_of(caught.value) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")


async def test_new_calls_are_refused_while_others_finish(tmp_path: Path) -> None:
    """After the pause, a new call of a plain client is UNAVAILABLE with DRAINING, and one that runs gets its answer."""
    async with running(tmp_path, "grace_s = 20") as ending:
        last = asyncio.Event()

        async def parts() -> AsyncIterator[warmer.UploadLibraryRequest]:
            yield warmer.UploadLibraryRequest(data=b"Title,Author\n")
            await last.wait()
            yield warmer.UploadLibraryRequest(data=b"Dune,Frank Herbert\n")

        upload = await ending.uploading(parts())
        ending.end()
        await until(lambda: ending.house.entrances[WARMER].closed)
        with pytest.raises(aio.AioRpcError) as caught:
            await ending.channel.unary_unary("/bookmesh.warmer.v1.WarmerService/ListWarmJobs")(b"")
        last.set()
        assert (reason_of(caught.value), (await upload).library.book_count) == (
            (grpc.StatusCode.UNAVAILABLE, "DRAINING"),
            1,
        )


async def test_streams_are_cut_off_after_the_grace(tmp_path: Path) -> None:
    """A call that outlasts the grace ends with UNAVAILABLE and DRAINING."""
    async with running(tmp_path, "grace_s = 0.05") as ending:
        upload = await ending.uploading(never_ends())
        ending.end()
        with pytest.raises(UnavailableError) as caught:
            await upload
        assert (caught.value.reason, caught.value.metadata) == ("DRAINING", {"service": WARMER})


async def test_calls_that_were_never_begun() -> None:
    """Whoever calls a listener that closes hears UNAVAILABLE of a call that it took in and did not begin."""
    server = aio.server(options=[("grpc.so_reuseport", 0)])

    async def answer(_: bytes, __: Any) -> bytes:
        await asyncio.sleep(0.001)
        return b""

    service, _, name = METHOD.path[1:].rpartition("/")
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {name: grpc.unary_unary_rpc_method_handler(answer)})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    transport = AioTransport(f"127.0.0.1:{port}")
    carry = transport.connect(METHOD)
    outcomes: list[MeshError] = []

    async def hammer() -> None:
        while not outcomes or outcomes[-1].reason == "DRAINING":
            try:
                await carry(Call(METHOD, Side.CLIENT))
            except MeshError as error:
                outcomes.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(32):
            group.create_task(hammer())
        await asyncio.sleep(0.2)
        await server.stop(5)
    await transport.aclose()
    assert {type(outcome) for outcome in outcomes} == {UnavailableError}
    assert {outcome.reason for outcome in outcomes} <= {"DRAINING", "SERVICE_UNREACHABLE"}


def reason_of(error: aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """What a plain client reads in a failed call."""
    read = from_status(error.code(), error.details() or "", tuple(error.trailing_metadata()))
    return read.code, read.reason
