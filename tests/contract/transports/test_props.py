"""Props: the callee reads what its caller's manifest says, and nothing that a caller sends changes it."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mesh.config.binding_settings import BindingSettings
from mesh.config.breaker_settings import BreakerSettings
from mesh.config.manifest import Manifest, parse_manifest
from mesh.config.permissions import EVERYBODY
from mesh.config.props import NO_PROPS, props_for
from mesh.context import props_of
from mesh.contract import service_of
from mesh.hosting.dispatch import handlers_of
from mesh.layers import client_layers, server_layers
from mesh.runtime import Runtime
from mesh.transport.aio import AioTransport
from mesh.transport.aio_server import AioServer
from mesh.transport.callers import NOBODY, Callers, Proof, unproven
from mesh.transport.channel import BindingChannel, Transport
from mesh.transport.local import LocalTransport

CALLER = b"""
name = "caller"
main = "m"
[[services]]
binding = "PLAIN"
service = "echo"
[[services]]
binding = "ECHO"
service = "echo"
props = { tier = "gold", limits = { pages = 3 }, tags = ["a", "b"] }
[[services]]
binding = "OTHER"
service = "elsewhere"
props = { tier = "elsewhere" }
[[services]]
binding = "OPERATOR"
service = "echo"
entrypoint = "Admin"
props = { tier = "operator" }
"""

RIVAL = b"""
name = "rival"
main = "m"
services = [{ binding = "ECHO", service = "echo", props = { tier = "tin" } }]
"""

MANIFESTS = [parse_manifest(text, Path("service.toml")) for text in (CALLER, RIVAL)]

GOLD = {"tier": "gold", "limits": {"pages": 3}, "tags": ("a", "b")}

Calling = Callable[..., AbstractAsyncContextManager[Any]]


def manifest(name: str) -> Manifest:
    """A manifest of these tests."""
    return next(found for found in MANIFESTS if found.name == name)


@pytest.fixture
def seen() -> list[Any]:
    """The props that the entrypoint was told, call by call."""
    return []


@pytest.fixture(params=["in_process", "unix", "tcp"])
def calling(request: pytest.FixtureRequest, echo: Any, seen: list[Any]) -> Calling:
    """A stub of one binding of one service; over the wire the listener is told who it is."""

    class Entrypoint(echo.grpc.EchoServiceServicer):  # type: ignore[misc]  # generated for this run alone
        async def One(self, request: Any, context: Any) -> Any:
            seen.append(props_of(context))
            assert context.props is props_of(context)
            return echo.pb2.EchoResponse(items=[key for key, _ in context.invocation_metadata()])

    @asynccontextmanager
    async def open_stub(
        binding: str, caller: str = "caller", identify: Callable[[Any], Proof] | None = None
    ) -> AsyncIterator[Any]:
        handlers = handlers_of(Entrypoint(), server_layers(Runtime(service="echo"), door=EVERYBODY))
        server: AioServer | None = None
        with tempfile.TemporaryDirectory() as folder:
            transport: Transport
            if request.param == "in_process":
                (entry,) = (entry for entry in manifest(caller).services if entry.binding == binding)
                transport = LocalTransport(handlers, caller=caller, service="echo", props=entry.props)
            else:
                callers = Callers(
                    identify=identify or (lambda _: Proof(caller)), props_for=props_for(MANIFESTS, "echo", "Default")
                )
                address = f"unix:{folder}/s" if request.param == "unix" else "127.0.0.1:0"
                server = AioServer(handlers, address, callers)
                await server.start()
                transport = AioTransport(server.address)
            channel: Any = BindingChannel(
                service=service_of(echo.grpc.EchoServiceStub),
                caller=caller,
                binding=binding,
                layers=client_layers(
                    Runtime(service=caller),
                    binding=binding,
                    service="echo",
                    settings=BindingSettings(breaker=BreakerSettings(enabled=False)),
                ),
                transport=transport,
            )
            try:
                yield echo.grpc.EchoServiceStub(channel)
            finally:
                await channel.close()
                if server is not None:
                    await server.stop(0)

    return open_stub


wires = pytest.mark.parametrize("calling", ["unix", "tcp"], indirect=True)


async def test_props_of_the_binding(calling: Calling, echo: Any, seen: list[Any]) -> None:
    """The entrypoint reads the props of the binding that the call came through."""
    async with calling("ECHO") as stub:
        await stub.One(echo.pb2.EchoRequest())
    assert seen == [GOLD]


async def test_binding_without_props(calling: Calling, echo: Any, seen: list[Any]) -> None:
    """A binding without props has none, also beside one to the same entrypoint that has some."""
    async with calling("PLAIN") as stub:
        await stub.One(echo.pb2.EchoRequest())
    assert seen == [{}]


async def test_each_caller_has_its_own(calling: Calling, echo: Any, seen: list[Any]) -> None:
    """Two services whose bindings bear the same name each have their own props."""
    async with calling("ECHO") as gold, calling("ECHO", "rival") as tin:
        await gold.One(echo.pb2.EchoRequest())
        await tin.One(echo.pb2.EchoRequest())
    assert [props["tier"] for props in seen] == ["gold", "tin"]


async def test_props_cannot_be_changed(calling: Calling, echo: Any, seen: list[Any]) -> None:
    """What one call does to its props reaches no other call: they can't be changed, to their depths."""
    async with calling("ECHO") as stub:
        await stub.One(echo.pb2.EchoRequest())
    for props in (seen[0], seen[0]["limits"]):
        with pytest.raises(TypeError):
            props["tier"] = "platinum"
    assert isinstance(seen[0]["tags"], tuple)


async def test_metadata_changes_nothing(calling: Calling, echo: Any, seen: list[Any]) -> None:
    """A caller that writes another binding's name, or props, into its metadata has the props of its binding."""
    forged = (("x-bookmesh-binding", "ECHO"), ("x-bookmesh-props", '{"tier": "gold"}'), ("props", "gold"))
    async with calling("PLAIN") as stub:
        await stub.One(echo.pb2.EchoRequest(), metadata=forged)
    assert seen == [{}]


async def test_entrypoint_does_not_see_how_it_is_done(calling: Calling, echo: Any) -> None:
    """The name of the binding that crosses the wire is not among the metadata that an entrypoint sees."""
    async with calling("ECHO") as stub:
        answer = await stub.One(echo.pb2.EchoRequest(), metadata=(("x-mine", "1"),))
    assert ("x-mine" in answer.items, "x-bookmesh-binding" in answer.items) == (True, False)


@wires
async def test_unproven_caller(calling: Calling, echo: Any, seen: list[Any]) -> None:
    """Whoever has not proven who it is has no props, whatever binding it names."""
    async with calling("ECHO", identify=unproven) as stub:
        await stub.One(echo.pb2.EchoRequest())
    assert seen == [{}]


@wires
@pytest.mark.parametrize("binding", ["OTHER", "OPERATOR", "NOPE"])
async def test_binding_that_leads_elsewhere(calling: Calling, echo: Any, seen: list[Any], binding: str) -> None:
    """A proven caller that names its binding to another service or entrypoint, or none, has no props here."""
    async with calling(binding) as stub:
        await stub.One(echo.pb2.EchoRequest())
    assert seen == [{}]


def test_default_is_unproven() -> None:
    """A listener that is told nothing about its callers trusts none."""
    callers = Callers()
    assert (callers.identify(object()), callers.props_for("caller", "ECHO")) == (NOBODY, NO_PROPS)
    assert not callers.is_operators("Bearer anything")
