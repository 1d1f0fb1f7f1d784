"""One entrypoint, reached in process, over a unix socket and over TCP; every test of this folder runs on all three."""

import asyncio
import contextlib
import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_BOOK_NOT_FOUND, ERROR_REASON_INVALID_FIELD

from mesh.breaker_settings import BreakerSettings
from mesh.contract import Service, service_of
from mesh.dispatch import handlers_of
from mesh.layers import client_layers, server_layers
from mesh.layers.breaking import Breakers
from mesh.stats import Stats
from mesh.status import FieldViolation, InvalidArgumentError, NotFoundError, UnavailableError
from mesh.transport.aio import AioServer, AioTransport
from mesh.transport.channel import BindingChannel, Transport
from mesh.transport.local import LocalTransport

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Generated:
    """The generated modules of echo.proto."""

    pb2: Any
    grpc: Any


@pytest.fixture(scope="session")
def echo() -> Any:
    """echo.proto, generated for this run: it is no part of the product's contract."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{HERE}", f"--python_out={out}"]
        subprocess.run([*command, f"--grpc_python_out={out}", "echo.proto"], check=True, timeout=60)
        sys.path.insert(0, out)
        try:
            yield Generated(importlib.import_module("echo_pb2"), importlib.import_module("echo_pb2_grpc"))
        finally:
            sys.path.remove(out)


@dataclass
class Seen:
    """What the entrypoint noticed."""

    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    remaining: float | None = None
    requests: list[Any] = field(default_factory=list)
    kept: Any = None
    calls: int = 0


@dataclass
class Bound:
    """A stub, and what stands around it."""

    stub: Any
    pb2: Any
    seen: Seen
    stats: Stats
    server_stats: Stats
    breakers: Breakers
    kind: str
    channel: BindingChannel
    clock: "Clock"


@dataclass
class Clock:
    """A clock that is moved by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def deeds(seen: Seen) -> dict[str, Callable[[Any], Awaitable[None]]]:
    """What an entrypoint does before it answers, by the text of its request."""

    async def hang(_: Any) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.cancelled.set()
            raise

    async def stubborn(_: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await hang(_)

    async def metadata(context: Any) -> None:
        if seen.calls == 1:
            await context.send_initial_metadata((("x-initial", "first"),))
            context.set_trailing_metadata((("x-trail", "last"), ("x-trail-bin", b"\x00\x01")))

    async def fail(error: BaseException) -> None:
        raise error

    return {
        "hang": hang,
        "stubborn": stubborn,
        "metadata": metadata,
        "not found": lambda _: fail(
            NotFoundError(ERROR_REASON_BOOK_NOT_FOUND, "no such book", metadata={"isbn": "123"})
        ),
        "invalid": lambda _: fail(InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "bad count", field="count")),
        "long": lambda _: fail(
            NotFoundError(
                ERROR_REASON_BOOK_NOT_FOUND,
                "🦀" * 5_000,
                violations=[FieldViolation("q" * 50, "🦀" * 50)] * 50,
                metadata={"isbn": "1" * 9_000},
            )
        ),
        "down": lambda _: fail(UnavailableError("PROVIDER_UNAVAILABLE", "provider is down", retry_after_s=2.5)),
        "bug": lambda _: fail(ZeroDivisionError("secret internals")),
        "self-cancel": lambda _: fail(asyncio.CancelledError()),
    }


def entrypoint(echo: Generated, seen: Seen) -> Any:  # noqa: C901 - one small method for each kind of call
    """An entrypoint that does what the text of its request says."""
    pb2, known = echo.pb2, deeds(seen)

    async def obey(text: str, context: Any) -> None:
        seen.calls += 1
        seen.started.set()
        seen.remaining = context.time_remaining()
        if text in known:
            await known[text](context)

    def answer(request: Any, context: Any) -> Any:
        match request.text:
            case "send back metadata":
                sent = dict(context.invocation_metadata())
                return pb2.EchoResponse(text=str(sent["x-sent"]), items=[sent["x-sent-bin"].decode()])
            case "keep":
                seen.kept = pb2.EchoResponse(text="kept", items=["a"])
                return seen.kept
            case "change":
                request.items.append("changed by the callee")
                request.text = "changed by the callee"
            case "big":
                return pb2.EchoResponse(text="x" * request.count)
            case "wrong type":
                return pb2.EchoRequest()
        return pb2.EchoResponse(text=request.text, items=request.items)

    class Entrypoint(echo.grpc.EchoServiceServicer):  # type: ignore[misc,name-defined]  # generated for this run alone
        async def One(self, request: Any, context: Any) -> Any:
            seen.requests.append(request)
            await obey(request.text, context)
            return answer(request, context)

        async def Many(self, request: Any, context: Any) -> AsyncIterator[Any]:
            if request.text == "metadata":
                await obey(request.text, context)
            for number in range(request.count):
                yield pb2.EchoResponse(text=str(number))
            if request.text == "late metadata":
                await context.send_initial_metadata((("x-initial", "late"),))
            await obey(request.text, context)

        async def Gather(self, requests: Any, context: Any) -> Any:
            texts = []
            async for request in requests:
                texts.append(request.text)
                await obey(request.text, context)
            return pb2.EchoResponse(text="+".join(texts))

        async def Chat(self, requests: Any, context: Any) -> AsyncIterator[Any]:
            async for request in requests:
                await obey(request.text, context)
                yield pb2.EchoResponse(text=request.text.upper())

    return Entrypoint()


@pytest.fixture(params=["in_process", "unix", "tcp"])
async def bound(request: pytest.FixtureRequest, echo: Generated) -> AsyncIterator[Bound]:
    """The entrypoint behind each transport, with every layer on."""
    seen, stats, server_stats, breakers, clock = Seen(), Stats(), Stats(), Breakers(), Clock()
    handlers = handlers_of(entrypoint(echo, seen), server_layers(service="echo", stats=server_stats))
    contract: Service = service_of(echo.grpc.EchoServiceStub)
    server: AioServer | None = None
    with tempfile.TemporaryDirectory() as folder:
        transport: Transport
        if request.param == "in_process":
            transport = LocalTransport(handlers, caller="tester", service="echo")
        else:
            server = AioServer(handlers, f"unix:{folder}/s" if request.param == "unix" else "127.0.0.1:0")
            await server.start()
            transport = AioTransport(server.address)
        channel = BindingChannel(
            service=contract,
            caller="tester",
            binding="ECHO",
            layers=client_layers(
                binding="ECHO",
                service="echo",
                stats=stats,
                breakers=breakers,
                breaker=BreakerSettings(jitter=0),
                default_s=10,
                clock=clock,
            ),
            transport=transport,
        )
        stub = echo.grpc.EchoServiceStub(channel)
        yield Bound(stub, echo.pb2, seen, stats, server_stats, breakers, transport.kind, channel, clock)
        await channel.close()
        if server is not None:
            await server.stop(0)


async def eventually(condition: Any, seconds: float = 5.0) -> bool:
    """Whether a condition comes true in time; what crosses a socket takes a moment."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        await asyncio.sleep(0.005)
    return bool(condition())
