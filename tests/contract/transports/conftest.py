"""One entrypoint, reached in process, over a unix socket and over TCP; every test of this folder runs on all three."""

import asyncio
import contextlib
import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_BOOK_NOT_FOUND, ERROR_REASON_INVALID_FIELD

from mesh.breakers import Breakers
from mesh.config.binding_settings import BindingSettings, RetrySettings
from mesh.config.breaker_settings import BreakerSettings
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.config.permissions import EVERYBODY
from mesh.contract import Service, service_of
from mesh.hosting.dispatch import handlers_of
from mesh.identity.authority import ensure
from mesh.identity.credentials import Credentials
from mesh.identity.peer import identify_in
from mesh.identity.spiffe import TRUST_DOMAIN, Identity
from mesh.journal import Journal
from mesh.layers import client_layers, server_layers
from mesh.runtime import Runtime
from mesh.stats import Stats
from mesh.status import FieldViolation, Hop, InvalidArgumentError, NotFoundError, UnavailableError
from mesh.transport.aio import AioTransport, Security
from mesh.transport.aio_server import AioServer
from mesh.transport.callers import Callers
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
    journal: Journal
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


DOWN = UnavailableError("PROVIDER_UNAVAILABLE", "provider is down")
"""A failure without a word of when to come back."""


def below() -> UnavailableError:
    """The same, of a callee's callee, which was called once."""
    error = UnavailableError("PROVIDER_UNAVAILABLE", "provider is down")
    error.trail = (Hop(caller="echo", binding="LEAF", service="leaf", method="GetBook", attempts=1),)
    return error


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
        "unfinished": lambda _: fail(NotImplementedError("secret internals")),
        "down at once": lambda _: fail(DOWN.detached()),
        "down below": lambda _: fail(below()),
        "down twice": lambda _: fail(DOWN.detached()) if seen.calls <= 2 else asyncio.sleep(0),
        "hang once": lambda context: hang(context) if seen.calls == 1 else asyncio.sleep(0),
        "nap": lambda _: asyncio.sleep(0.2),
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

        async def Write(self, request: Any, context: Any) -> Any:
            return await self.One(request, context)

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


Rebind = Callable[[BindingSettings], Bound]
"""Makes the stub anew, with other settings of its binding."""


Serve = Callable[[EntrypointSettings], Awaitable[Bound]]
"""Starts the entrypoint with settings of its own, behind a binding that calls once."""

ONCE = BindingSettings(breaker=BreakerSettings(jitter=0), retry=RetrySettings(attempts=1))
"""A binding that calls once, so that tests of failures see the failures, and whose breaker reopens on time."""


ECHO = Identity(TRUST_DOMAIN, "service", "echo").host()
"""The name in the callee's certificate."""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of both."""
    folder = tmp_path_factory.mktemp("certs")
    ensure(folder, [Identity(TRUST_DOMAIN, "service", name) for name in ("echo", "tester")], datetime.now(UTC))
    return folder


@pytest.fixture(params=["in_process", "unix", "tcp"])
async def start(
    request: pytest.FixtureRequest, echo: Generated, certificates: Path
) -> AsyncIterator[Callable[[EntrypointSettings], Awaitable[Rebind]]]:
    """The entrypoint behind each transport, with every layer on."""
    seen, stats, server_stats, breakers, journal, clock = Seen(), Stats(), Stats(), Breakers(), Journal(), Clock()
    callee = Runtime(service="echo", stats=server_stats, journal=journal)
    caller = Runtime(service="tester", stats=stats, breakers=breakers, journal=journal, clock=clock)
    contract: Service = service_of(echo.grpc.EchoServiceStub)
    async with AsyncExitStack() as closing:
        folder = closing.enter_context(tempfile.TemporaryDirectory())

        async def begin(settings: EntrypointSettings) -> Rebind:
            handlers = handlers_of(entrypoint(echo, seen), server_layers(callee, settings=settings, door=EVERYBODY))
            server: AioServer | None = None
            if request.param != "in_process":
                address = f"unix:{folder}/s" if request.param == "unix" else "127.0.0.1:0"
                shown = Credentials(certificates, "echo").server(ask=True)
                server = AioServer(handlers, address, Callers(identify=identify_in(TRUST_DOMAIN)), shown)
                await server.start()
                closing.push_async_callback(server.stop, 0)

            def make(settings: BindingSettings) -> Bound:
                transport: Transport = (
                    LocalTransport(handlers, caller="tester", service="echo")
                    if server is None
                    else AioTransport(server.address, security=Security(Credentials(certificates, "tester"), ECHO))
                )
                layers = client_layers(caller, binding="ECHO", service="echo", settings=settings)
                channel = BindingChannel(
                    service=contract, caller="tester", binding="ECHO", layers=layers, transport=transport
                )
                closing.push_async_callback(channel.close)
                stub = echo.grpc.EchoServiceStub(channel)
                return Bound(
                    stub, echo.pb2, seen, stats, server_stats, breakers, journal, transport.kind, channel, clock
                )

            return make

        yield begin


@pytest.fixture
async def rebind(start: Callable[[EntrypointSettings], Awaitable[Rebind]]) -> Rebind:
    """The entrypoint as a manifest leaves it that says nothing, behind a binding of any settings."""
    return await start(EntrypointSettings())


@pytest.fixture
def serve(start: Callable[[EntrypointSettings], Awaitable[Rebind]]) -> Serve:
    """The entrypoint with any settings."""

    async def begin(settings: EntrypointSettings) -> Bound:
        return (await start(settings))(ONCE)

    return begin


@pytest.fixture
def bound(rebind: Rebind) -> Bound:
    """Both as most tests want them."""
    return rebind(ONCE)


async def eventually(condition: Any, seconds: float = 5.0) -> bool:
    """Whether a condition comes true in time; what crosses a socket takes a moment."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        await asyncio.sleep(0.005)
    return bool(condition())
