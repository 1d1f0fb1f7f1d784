"""How addresses become targets, and how several targets share calls."""

import json

import grpc
import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.call import Call, Handler, Reply, Side
from mesh.contract import Method, service_of
from mesh.transport.balancing import Target, channel_options, targets
from mesh.transport.spread import reach

METHOD = service_of(BooksServiceStub).methods["/bookmesh.books.v1.BooksService/SearchAuto"]
State = grpc.ChannelConnectivity


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.0.1:1"], [Target("127.0.0.1:1", 1, balanced=False)]),
        (["[::1]:1"], [Target("[::1]:1", 1, balanced=False)]),
        (["unix:/a"], [Target("unix:/a", 1, balanced=False)]),
        (["localhost:1"], [Target("localhost:1", 1, balanced=False)]),
        (["books:1"], [Target("books:1", 1, balanced=True)]),
        (["127.0.0.1:1", "127.0.0.1:2"], [Target("ipv4:127.0.0.1:1,127.0.0.1:2", 2, balanced=True)]),
        (["[::1]:1", "[::1]:2"], [Target("ipv6:[::1]:1,[::1]:2", 2, balanced=True)]),
        (["unix:/a", "unix:/b"], [Target("unix:/a,/b", 2, balanced=True)]),
        (["a:1", "b:1"], [Target("a:1", 1, balanced=True), Target("b:1", 1, balanced=True)]),
        (
            ["127.0.0.1:1", "unix:/a", "127.0.0.1:2"],
            [Target("ipv4:127.0.0.1:1,127.0.0.1:2", 2, balanced=True), Target("unix:/a", 1, balanced=True)],
        ),
    ],
)
def test_targets(addresses: list[str], expected: list[Target]) -> None:
    """Addresses of one kind are one target; names have one each; whatever has a companion is asked for its health."""
    assert targets(addresses) == expected


def test_no_timeout_in_the_service_config() -> None:
    """The service config has no timeout, which gRPC shortens, and balances only where there may be several."""
    configs = [json.loads(str(value)) for key, value in channel_options(balanced=True) if key == "grpc.service_config"]
    assert ["timeout" in json.dumps(config) for config in configs] == [False]
    assert not any(key == "grpc.service_config" for key, _ in channel_options(balanced=False))


class FakeWay:
    """A way that tells when it is taken."""

    kind = "tcp"

    def __init__(self, target: Target, taken: list[str]) -> None:
        self.target = target
        self.now = State.READY
        self.closed = False
        self._taken = taken

    def state(self) -> grpc.ChannelConnectivity:
        """As it was set."""
        return self.now

    def connect(self, method: Method) -> Handler:
        """Notes the call."""

        async def carry(call: Call) -> Reply:
            self._taken.append(self.target.uri)
            return b""

        return carry

    async def aclose(self) -> None:
        """Notes the end."""
        self.closed = True


class Spreading:
    """Ways to three names."""

    def __init__(self, *addresses: str) -> None:
        self.taken: list[str] = []
        self.ways: dict[str, FakeWay] = {}
        self.transport = reach(addresses, self.dial)
        self.handler = self.transport.connect(METHOD)

    def dial(self, target: Target) -> FakeWay:
        """A way to one target."""
        self.ways[target.uri] = way = FakeWay(target, self.taken)
        return way

    async def call(self, times: int) -> dict[str, int]:
        """How often each way was taken."""
        self.taken.clear()
        for _ in range(times):
            await self.handler(Call(METHOD, Side.CLIENT))
        return {name: self.taken.count(name) for name in self.ways}


async def test_in_turn() -> None:
    """Ways are taken in turn, as often as each has replicas."""
    spreading = Spreading("127.0.0.1:1", "127.0.0.1:2", "a:1")
    assert await spreading.call(6) == {"ipv4:127.0.0.1:1,127.0.0.1:2": 4, "a:1": 2}


async def test_ready_ones_alone() -> None:
    """A way that is down or still connecting is left out while another is ready."""
    spreading = Spreading("a:1", "b:1", "c:1")
    spreading.ways["b:1"].now = State.TRANSIENT_FAILURE
    spreading.ways["c:1"].now = State.CONNECTING
    assert await spreading.call(6) == {"a:1": 6, "b:1": 0, "c:1": 0}


async def test_hopeful_ones_next() -> None:
    """Where none is ready, those that connect are taken before those that failed."""
    spreading = Spreading("a:1", "b:1")
    spreading.ways["a:1"].now = State.TRANSIENT_FAILURE
    spreading.ways["b:1"].now = State.IDLE
    assert await spreading.call(2) == {"a:1": 0, "b:1": 2}


async def test_all_down() -> None:
    """Where all are down, a call goes to one of them all the same, and hears why it fails."""
    spreading = Spreading("a:1", "b:1")
    for way in spreading.ways.values():
        way.now = State.TRANSIENT_FAILURE
    assert sum((await spreading.call(2)).values()) == 2


async def test_closing() -> None:
    """Closing closes every way."""
    spreading = Spreading("a:1", "b:1")
    await spreading.transport.aclose()
    assert [way.closed for way in spreading.ways.values()] == [True, True]
