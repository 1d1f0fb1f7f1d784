"""The proxy behind a real gRPC server: what an ordinary client sees of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc
import pytest
from bookmesh.books.v1 import admin_service_pb2 as admin_pb
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from mesh.config.permissions import EVERYBODY
from mesh.hosting.dispatch import handlers_of
from mesh.layers import server_layers
from mesh.runtime import Runtime
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.transport.aio_server import AioServer
from services.books.entrypoints import Admin, Default, lifespan
from tests.unit.books_house import DUNE, EMMA, FakeLeaf, env_of


@dataclass(slots=True, kw_only=True)
class Wire:
    """Ordinary stubs on an ordinary channel."""

    stub: BooksServiceStub
    admin: AdminServiceStub


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """The proxy on a port of the loopback."""
    async with AsyncExitStack() as closing:
        env = env_of(FakeLeaf(), MemoryKv(), MemoryBucket())
        state = await closing.enter_async_context(lifespan(env))
        layers = server_layers(Runtime(service="books-api-proxy"), door=EVERYBODY)
        entrypoints = Default(env, state), Admin(env, state)
        handlers = {path: found for each in entrypoints for path, found in handlers_of(each, layers).items()}
        server = AioServer(handlers, "127.0.0.1:0")
        await server.start()
        closing.push_async_callback(server.stop, 0)
        channel = await closing.enter_async_context(aio.insecure_channel(server.address))
        yield Wire(stub=BooksServiceStub(channel), admin=AdminServiceStub(channel))


async def test_trailing_metadata(wire: Wire) -> None:
    """Tier and age, and the time that the leaf took, come in the trailing metadata."""
    call = wire.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE))
    await call
    trailing = {key: value for key, value in await call.trailing_metadata() or ()}  # noqa: C416 - gRPC's own mapping
    assert (str(trailing["x-cache"]).partition(";")[0], float(trailing["x-service-binding-time"]) > 0) == (
        "ORIGIN",
        True,
    )


async def test_hit_needs_no_binding(wire: Wire) -> None:
    """An answer out of the cache took no time of other services."""
    await wire.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE, cache_control=pb.CacheControl(no_cache=True)))
    call = wire.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE))
    await call
    trailing = {key: value for key, value in await call.trailing_metadata() or ()}  # noqa: C416 - gRPC's own mapping
    assert (str(trailing["x-cache"]).partition(";")[0], trailing.get("x-service-binding-time")) == ("MEMORY", None)


async def test_error_details(wire: Wire) -> None:
    """A refused search has its reason in an ErrorInfo and its field in a BadRequest."""
    with pytest.raises(aio.AioRpcError) as caught:
        await wire.stub.SearchAuto(pb.SearchAutoRequest(q="9780441013594"))
    trailing = {key: value for key, value in caught.value.trailing_metadata() or ()}  # noqa: C416 - gRPC's own mapping
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert (caught.value.code(), status.details[0].Unpack(info), status.details[1].Unpack(bad)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        True,
        True,
    )
    assert (info.reason, bad.field_violations[0].field) == ("INVALID_ISBN", "q")


async def test_batch(wire: Wire) -> None:
    """A batch streams its answers."""
    queries = [pb.SearchAutoRequest(q=q) for q in (DUNE, "Jane Austen", "")]
    call = wire.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=queries))
    answers = {answer.query_index: answer async for answer in call}
    found = [work.title for at in (0, 1) for work in answers[at].response.results]
    assert (found, answers[2].error.reason) == (["Dune", "Emma"], "EMPTY_QUERY")


async def test_min_fresh(wire: Wire) -> None:
    """An answer that is fresh for a week is a hit for who wants a day of it, and none for who wants ten."""
    await wire.stub.SearchAuto(pb.SearchAutoRequest(q=DUNE, cache_control=pb.CacheControl(no_cache=True)))
    day, ten = (
        pb.SearchAutoRequest(
            q=DUNE, cache_control=pb.CacheControl(min_fresh=Duration(seconds=seconds), only_if_cached=True)
        )
        for seconds in (86_400, 864_000)
    )
    assert [work.title for work in (await wire.stub.SearchAuto(day)).results] == ["Dune"]
    with pytest.raises(aio.AioRpcError) as caught:
        await wire.stub.SearchAuto(ten)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    call = wire.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=[day, ten]))
    outcomes = {answer.query_index: answer.WhichOneof("outcome") async for answer in call}
    assert outcomes == {0: "response", 1: "error"}


async def test_inspect(wire: Wire) -> None:
    """Operators can look under a key."""
    await wire.stub.SearchAuto(pb.SearchAutoRequest(q=EMMA, cache_control=pb.CacheControl(no_cache=True)))
    found = await wire.admin.InspectKey(admin_pb.InspectKeyRequest(q=EMMA))
    assert [copy.present for copy in found.copies] == [True, True, True]
