"""Services served in this process on real listeners: health, reflection, Admin, unknown methods, and draining."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.isbndb.v1 import admin_service_pb2 as isbndb_admin
from bookmesh.isbndb.v1 import isbndb_service_pb2 as isbndb
from bookmesh.mesh.v1 import admin_pb2
from bookmesh.warmer.v1 import admin_service_pb2 as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from clients.connect import BOOKS, ISBNDB, Services, connect_to
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.embedded import embedded_valkey
from mesh.hosting.endpoint import Serving
from mesh.hosting.serve import serving
from mesh.status import FailedPreconditionError, InvalidArgumentError, NotFoundError, UnavailableError
from tests.alone import ISBNDB_ALONE

ROOT = Path(__file__).parents[2]

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def made(folder: Path, more: str = "") -> Deployment:
    """The project's services on any free ports, with stores in memory and a provider that is not there.

    Args:
        folder: where the address book goes.
        more: what else it says.
    """
    entries = [
        f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"\n'
        'public = true\ndefault = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\n'
        for name, package in ((ISBNDB, "isbndb"), (BOOKS, "books"), ("personal-library-cache-warmer", "warmer"))
    ]
    book = folder / "mesh.toml"
    book.write_text("\n".join([*entries, '[kv]\ndefault = "memory:"\n[buckets]\ndefault = "memory:"\n', more]))
    # A port of loopback on which nobody can listen.
    nobody = {"ISBNDB_API_KEY": "canary-key", "ISBNDB_URL": "http://127.0.0.1:9"}
    return read_deployment(book, None, {**nobody, **ISBNDB_ALONE})


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Serving]:
    """The services, running."""
    async with serving(made(tmp_path)) as running:
        yield running


@pytest.fixture
async def services(house: Serving) -> AsyncIterator[Services]:
    """Their clients."""
    async with connect_to(
        {key: listener.address for key, listener in house.listeners.items()}, token=house.token
    ) as found:
        yield found


@pytest.fixture
async def channel(house: Serving) -> AsyncIterator[Any]:
    """A plain gRPC channel to the book search, as a foreign client has it."""
    async with aio.insecure_channel(house.address(BOOKS)) as found:
        yield found


async def test_replicas_count_together(tmp_path: Path) -> None:
    """Processes that are told of one ledger count in it, and say so; one that is told of none counts for itself."""
    request = isbndb_admin.GetQuotaRequest()
    async with embedded_valkey(tmp_path / "valkey") as url, AsyncExitStack() as closing:
        told = []
        for number, ledger in enumerate((url, url, "")):
            folder = tmp_path / str(number)
            folder.mkdir()
            deployment = made(folder, f'[ledger]\nkv = "{ledger}"' if ledger else "")
            fast = {**deployment.variables, "RATE_LIMIT_MS": "0", "ISBNDB_CALLS_PER_SECOND": "1000"}
            house = await closing.enter_async_context(serving(replace(deployment, variables=fast)))
            addresses = {key: listener.address for key, listener in house.listeners.items()}
            told.append(await closing.enter_async_context(connect_to(addresses, token=house.token)))
        for services in told:
            with pytest.raises(UnavailableError):
                await services.isbndb.GetBook(isbndb.GetBookRequest(isbn="9780441013593"))
        quotas = [await services.isbndb_admin.GetQuota(request) for services in told]
    shared, alone = isbndb_admin.QUOTA_SCOPE_SHARED, isbndb_admin.QUOTA_SCOPE_PROCESS
    mine = [quota.call_count for quota in quotas]
    counted = [(quota.scope, quota.day_used) for quota in quotas]
    assert (counted, min(mine) > 0) == ([(shared, mine[0] + mine[1])] * 2 + [(alone, mine[2])], True)


async def test_health_check_and_list(channel: Any) -> None:
    """Check and List tell SERVING of '' and of the entrypoint's service; an unknown one is NOT_FOUND."""
    stub = health_pb2_grpc.HealthStub(channel)
    checked = [
        (await stub.Check(health_pb2.HealthCheckRequest(service=name))).status
        for name in ("", "bookmesh.books.v1.BooksService")
    ]
    listed = await stub.List(health_pb2.HealthListRequest())
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nope"))
    assert (checked, sorted(listed.statuses), caught.value.code()) == (
        [SERVING, SERVING],
        ["", "bookmesh.books.v1.BooksService", "liveness", "readiness"],
        grpc.StatusCode.NOT_FOUND,
    )


async def test_health_watch(house: Serving, channel: Any) -> None:
    """A watcher hears of the status now, and of each change."""
    call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    first = await call.read()
    house.endpoints[BOOKS, "Default"].health.set_all(NOT_SERVING)
    assert (first.status, (await call.read()).status) == (SERVING, NOT_SERVING)
    call.cancel()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection(channel: Any, version: str) -> None:
    """Both versions of reflection list the services."""
    ask = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    answers = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    listed = [service.name async for answer in answers for service in answer.list_services_response.service]
    assert {"bookmesh.books.v1.BooksService", "grpc.health.v1.Health"} <= set(listed)


async def test_default_listener_has_no_admin(channel: Any) -> None:
    """Admin can't be reached where the default entrypoint listens; an unknown method is the standard status."""
    for path in ("/bookmesh.books.v1.AdminService/GetHealth", "/bookmesh.books.v1.BooksService/Nope"):
        with pytest.raises(aio.AioRpcError) as caught:
            await channel.unary_unary(path)(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff", b"\x08" * 40])
async def test_malformed_bytes(channel: Any, data: bytes) -> None:
    """Bytes that are no message are INVALID_ARGUMENT, never a stack."""
    with pytest.raises(aio.AioRpcError) as caught:
        await channel.unary_unary("/bookmesh.books.v1.BooksService/SearchAuto")(data)
    assert (caught.value.code(), "Traceback" in str(caught.value.details())) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        False,
    )


async def test_get_health(services: Services) -> None:
    """GetHealth tells of every binding with its time, every store's ping and every secret, but no value."""
    health = (await services.books_admin.GetHealth(books_admin.GetHealthRequest())).health
    assert health.state == admin_pb2.HEALTH_STATE_HEALTHY
    assert [(each.binding, each.transport, each.response_time_ms > 0) for each in health.bindings] == [
        ("ISBNDB_WORKER", "in_process", True)
    ]
    assert [each.binding for each in health.stores] == ["CACHE", "API_CACHE_COLD"]
    assert [(each.binding, each.present) for each in health.secrets] == [
        ("GOOGLE_BOOKS_API_KEY", False),
        ("GOOGLE_BOOKS_IOSKEY", False),
        ("ISBNDB_API_KEY", True),
        ("ISBN_SEARCH_KEY", False),
    ]
    assert "canary-key" not in str(health)


async def test_get_stats(services: Services) -> None:
    """Calls and failures are counted for what is served and for what is called, under the dashboard's names too."""
    with pytest.raises(UnavailableError):
        await services.books.SearchAuto(books.SearchAutoRequest(q="9780441013593"))
    stats = (await services.books_admin.GetStats(books_admin.GetStatsRequest())).stats
    served = {each.method.rpartition("/")[2]: (each.call_count, each.failure_count) for each in stats.served}
    called = {(each.binding, each.method.rpartition("/")[2]): each.failure_count for each in stats.bindings}
    metrics = {metric.name: metric.value for metric in stats.metrics}
    assert (served["SearchAuto"], called["ISBNDB_WORKER", "GetBook"], metrics["service_binding_calls_failed"]) == (
        (1, 1),
        1,
        1,
    )


async def test_breaker_by_hand(services: Services) -> None:
    """An operator can force a breaker open, and what it guards is refused with CIRCUIT_OPEN until it is closed."""
    name = "ISBNDB_WORKER/GetBook"
    request = books_admin.SetBreakerRequest(name=name, state=admin_pb2.BREAKER_STATE_FORCED_OPEN)
    moved = await services.books_admin.SetBreaker(request)
    with pytest.raises(UnavailableError) as caught:
        await services.books.SearchAuto(books.SearchAutoRequest(q="9780441013593"))
    listed = {
        each.name: each
        for each in (await services.books_admin.ListBreakers(books_admin.ListBreakersRequest())).breakers
    }
    assert [each.name for each in moved.breakers] == [name]
    assert (listed[name].state, listed[name].refused_count >= 1) == (admin_pb2.BREAKER_STATE_FORCED_OPEN, True)
    assert caught.value.reason in {"CIRCUIT_OPEN", "ALL_PROVIDERS_FAILED"}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (books_admin.SetBreakerRequest(name="NOPE/Nope", state=admin_pb2.BREAKER_STATE_CLOSED), NotFoundError),
        (books_admin.SetBreakerRequest(name="ISBNDB_WORKER/*"), InvalidArgumentError),
        (
            books_admin.SetBreakerRequest(name="ISBNDB_WORKER/*", state=admin_pb2.BREAKER_STATE_OPEN),
            InvalidArgumentError,
        ),
    ],
)
async def test_breaker_that_cannot_be_moved(
    services: Services, request_: books_admin.SetBreakerRequest, error: type[Exception]
) -> None:
    """A breaker that is not there, and a state that is not for hands, are refused."""
    with pytest.raises(error):
        await services.books_admin.SetBreaker(request_)


async def test_times_are_told_to_the_outside(channel: Any) -> None:
    """A plain client sees how long the whole answer took, and how much of it the binding calls."""
    call = channel.unary_unary("/bookmesh.books.v1.BooksService/SearchAuto")(
        books.SearchAutoRequest(q="9780441013593").SerializeToString()
    )
    assert await call.code() is grpc.StatusCode.UNAVAILABLE
    trailing = {key: value for key, value in await call.trailing_metadata() if isinstance(value, str)}
    assert float(trailing["x-response-time"]) >= float(trailing["x-service-binding-time"]) > 0


async def test_without_a_key(tmp_path: Path) -> None:
    """A leaf without its key starts, and says what is missing when it is asked."""
    deployment = made(tmp_path)
    book = deployment.book.path
    without = read_deployment(book, None, {})
    async with serving(without) as house:
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        async with connect_to(addresses, token=house.token) as services:
            with pytest.raises(FailedPreconditionError) as caught:
                await services.isbndb.GetBook(isbndb.GetBookRequest(isbn="9780441013593"))
    assert (caught.value.reason, caught.value.metadata["secret"]) == ("SECRET_MISSING", "ISBNDB_API_KEY")


async def is_uploading(services: Services) -> bool:
    """Whether an upload has reached the warmer."""
    stats = (await services.warmer_admin.GetStats(warmer_admin.GetStatsRequest())).stats
    return any(each.method.endswith("UploadLibrary") and each.active_count for each in stats.served)


async def test_drain_lets_calls_finish(tmp_path: Path) -> None:
    """While services drain they say NOT_SERVING, and a call that is under way gets its answer."""
    async with AsyncExitStack() as stack:
        running = AsyncExitStack()
        house = await running.enter_async_context(serving(made(tmp_path)))
        addresses = {key: listener.address for key, listener in house.listeners.items()}
        services = await stack.enter_async_context(connect_to(addresses, token=house.token))
        draining = asyncio.Event()

        async def parts() -> AsyncIterator[warmer.UploadLibraryRequest]:
            yield warmer.UploadLibraryRequest(data=b"Title,Author\n")
            await draining.wait()
            yield warmer.UploadLibraryRequest(data=b"Dune,Frank Herbert\n")

        async def upload() -> warmer.UploadLibraryResponse:
            return await services.warmer.UploadLibrary(parts())

        uploading = asyncio.create_task(upload())
        while not await is_uploading(services):  # noqa: ASYNC110 - the server's own count is what tells
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(running.aclose())
        await asyncio.sleep(0)
        draining.set()
        await closing
        assert house.endpoints[BOOKS, "Default"].health.status_of("") == NOT_SERVING
        assert (await uploading).library.book_count == 1
