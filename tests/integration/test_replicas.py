"""Calls to a service of several replicas, each a real listener: who gets them, and who does not."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest, SearchAutoResponse
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceServicer, BooksServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_STORE_UNAVAILABLE

from mesh.call import Call, Side
from mesh.config.permissions import EVERYBODY
from mesh.contract import service_of
from mesh.hosting.dispatch import handlers_of
from mesh.hosting.health import NOT_SERVING, SERVING, Health
from mesh.layers import server_layers
from mesh.runtime import Runtime
from mesh.status import MeshError, UnavailableError
from mesh.transport.aio import AioTransport
from mesh.transport.aio_server import AioServer
from mesh.transport.calls import as_message
from mesh.transport.spread import reach
from tests.ports import free_ports

METHOD = service_of(BooksServiceStub).methods["/bookmesh.books.v1.BooksService/SearchAuto"]
REQUEST = SearchAutoRequest(q="dune").SerializeToString()


class Books(BooksServiceServicer):
    """Answers with its own name, or fails."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.broken = False

    async def SearchAuto(self, request: SearchAutoRequest, context: Any) -> SearchAutoResponse:
        """Its name."""
        if self.broken:
            raise UnavailableError(ERROR_REASON_STORE_UNAVAILABLE, "broken")
        response = SearchAutoResponse()
        response.interpretation.normalized_text = self.name
        return response


class Replica:
    """One replica, with its health."""

    def __init__(self, address: str, name: str) -> None:
        self.books = Books(name)  # type: ignore[abstract]  # nobody asks for its other methods
        self.health = Health(())
        self.health.set_all(SERVING)
        layers = server_layers(Runtime(service="books"), door=EVERYBODY)
        self.server = AioServer({**handlers_of(self.books, layers), **handlers_of(self.health, layers)}, address)


class House:
    """Replicas, and a way to all of them."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.replicas = [Replica(address, name) for address, name in zip(addresses, "ab", strict=True)]
        self.way = reach(addresses, lambda target: AioTransport(target.uri, balanced=target.balanced))
        self._carry = self.way.connect(METHOD)

    async def call(self, times: int) -> Counter[str]:
        """Who answered, one call after the other; a failure counts under its reason."""
        found: Counter[str] = Counter()
        for _ in range(times):
            call = Call(METHOD, Side.CLIENT, request=REQUEST, deadline=time.monotonic() + 5)
            try:
                reply: Any = as_message(METHOD, await self._carry(call))
                found[reply.interpretation.normalized_text] += 1
            except MeshError as error:
                found[error.reason] += 1
        return found

    async def until(self, *names: str) -> None:
        """Waits until these answer, and no others."""
        async with asyncio.timeout(10):
            while set(await self.call(6)) != set(names):  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(addresses: Sequence[str]) -> AsyncIterator[House]:
    """Two replicas that serve, and that the way has found."""
    async with AsyncExitStack() as stack:
        house = House(addresses)
        for replica in house.replicas:
            await replica.server.start()
            stack.push_async_callback(replica.server.stop, 0.1)
        stack.push_async_callback(house.way.aclose)
        await house.until("a", "b")
        yield house


def addresses(kind: str, folder: Path) -> list[str]:
    """Two of a kind."""
    first, second = free_ports(2)
    return {
        "ipv4": [f"127.0.0.1:{first}", f"127.0.0.1:{second}"],
        "unix": [f"unix:{folder}/a", f"unix:{folder}/b"],
        "names": [f"localhost:{first}", f"localhost:{second}"],
        "mixed": [f"127.0.0.1:{first}", f"unix:{folder}/b"],
    }[kind]


KINDS = ("ipv4", "unix", "names", "mixed")


@pytest.mark.parametrize("kind", KINDS)
async def test_calls_are_shared(kind: str, tmp_path: Path) -> None:
    """Calls go to both replicas in turn, whatever their addresses are."""
    async with running(addresses(kind, tmp_path)) as house:
        assert await house.call(20) == {"a": 10, "b": 10}


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_drains_gets_no_calls(kind: str, tmp_path: Path) -> None:
    """A replica that says NOT_SERVING gets no calls, without one that fails; serving again, it gets its share."""
    async with running(addresses(kind, tmp_path)) as house:
        house.replicas[0].health.set_all(NOT_SERVING)
        await house.until("b")
        alone = await house.call(20)
        house.replicas[0].health.set_all(SERVING)
        await house.until("a", "b")
        assert (alone, set(await house.call(20))) == ({"b": 20}, {"a", "b"})


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_is_gone(kind: str, tmp_path: Path) -> None:
    """Calls go on while a replica is gone, and it is found again soon after it has come back."""
    async with running(addresses(kind, tmp_path)) as house:
        first = house.replicas[0]
        first.health.set_all(NOT_SERVING)
        await house.until("b")
        await first.server.stop(0.1)
        alone = await house.call(20)
        again = Replica(first.server.address, "a")
        await again.server.start()
        await house.until("a", "b")
        await again.server.stop(0.1)
        assert alone == {"b": 20}


async def test_all_drain() -> None:
    """Where no replica serves, a call is refused at once."""
    async with running(addresses("ipv4", Path())) as house:
        for replica in house.replicas:
            replica.health.set_all(NOT_SERVING)
        await house.until("SERVICE_UNREACHABLE")
        started = time.monotonic()
        await house.call(1)
        assert time.monotonic() - started < 1


async def test_outlier_is_ejected() -> None:
    """A replica that fails every call, and yet says SERVING, is left out; the other one gets all calls."""
    async with running(addresses("ipv4", Path())) as house:
        house.replicas[0].books.broken = True
        failures, started = 0, time.monotonic()
        async with asyncio.timeout(10):
            while (outcome := await house.call(10)) != {"b": 10}:
                failures += outcome["STORE_UNAVAILABLE"]
                await asyncio.sleep(0.05)
        assert (failures > 0, time.monotonic() - started < 5, await house.call(50)) == (True, True, {"b": 50})
