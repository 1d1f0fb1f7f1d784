"""Every caller, every method, every transport: exactly what the manifests say is allowed."""

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from mesh.call import Call, Side
from mesh.contract import Method
from mesh.hosting.certificates import holders
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.endpoint import Serving
from mesh.hosting.listening import MESH
from mesh.hosting.serve import serving
from mesh.identity.authority import ensure
from mesh.identity.credentials import Credentials
from mesh.identity.spiffe import Identity
from mesh.status import MeshError
from mesh.transport.local import LocalTransport
from tests.alone import ISBNDB_ALONE

ROOT = Path(__file__).parents[2]

ISBNDB, BOOKS, WARMER = "isbndb-biography-worker", "books-api-proxy", "personal-library-cache-warmer"
SERVICES = {ISBNDB: "isbndb", BOOKS: "books", WARMER: "warmer"}

STRANGER, OPERATOR, PEOPLE, TOKEN, LIAR = "stranger", "operator", "people", "people with the token", "people who lie"

ALLOWED = {
    (ISBNDB, "Default"): {WARMER, BOOKS, OPERATOR},
    (BOOKS, "Default"): {WARMER, OPERATOR, PEOPLE, TOKEN, LIAR},
    (WARMER, "Default"): {OPERATOR, PEOPLE, TOKEN, LIAR},
    (ISBNDB, "Admin"): {WARMER, OPERATOR, TOKEN},
    (BOOKS, "Admin"): {WARMER, OPERATOR, TOKEN},
    (WARMER, "Admin"): {OPERATOR, TOKEN},
}
"""The manifests, read by a person. The leaf is not public here, and people with the token are only sent to Admin."""

REFUSALS = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED}

Ask = Callable[[str, str, str, Method], Awaitable[grpc.StatusCode]]
"""From caller, service, entrypoint and method to the status of an empty call."""


def made(folder: Path, kind: str) -> Deployment:
    """The project's services on addresses of one kind, the leaf not public."""
    text = '[kv]\ndefault = "memory:"\n[buckets]\ndefault = "memory:"\n'
    for name, package in SERVICES.items():
        text += f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"\n'
        text += "public = true\n" if name != ISBNDB else ""
        for key in ("default", "admin", "mesh"):
            address = f"unix:{folder}/{package}-{key}" if kind == "unix" else "127.0.0.1:0"
            text += f'{key} = "{address}"\n'
    book = folder / "mesh.toml"
    book.write_text(text)
    deployment = read_deployment(
        book, None, {"ISBNDB_API_KEY": "none", "ISBNDB_URL": "http://127.0.0.1:9", **ISBNDB_ALONE}
    )
    stranger = Identity(deployment.book.tls.trust_domain, "service", STRANGER)
    ensure(deployment.book.tls.certificates, [*holders(deployment.book), stranger], datetime.now(UTC))
    return deployment


class OverTheWire:
    """Calls as anybody, over channels that are made once."""

    def __init__(self, deployment: Deployment, running: Serving) -> None:
        self._tls = deployment.book.tls
        self._running = running
        self._channels: dict[tuple[str, str, str], aio.Channel] = {}

    async def __call__(self, caller: str, service: str, entrypoint: str, method: Method) -> grpc.StatusCode:
        """The status of an empty call."""
        # Over HTTP/2 every kind of call is a stream of requests and a stream of responses.
        start: Any = self._channel(caller, service, entrypoint).stream_stream(method.path)
        assert self._running.token is not None
        shown = {
            TOKEN: (("authorization", self._running.token.header()),),
            LIAR: (("authorization", "Bearer 0"), ("x-bookmesh-chain", WARMER), ("x-bookmesh-binding", "X")),
        }
        call = start(iter([b""]), metadata=shown.get(caller, ()), timeout=10)
        try:
            async for _ in call:
                break
            call.cancel()
        except aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def _channel(self, caller: str, service: str, entrypoint: str) -> aio.Channel:
        key = (caller, service, entrypoint)
        if key not in self._channels:
            self._channels[key] = self._open(*key)
        return self._channels[key]

    def _open(self, caller: str, service: str, entrypoint: str) -> aio.Channel:
        if caller in {PEOPLE, TOKEN, LIAR}:
            return aio.insecure_channel(self._running.listeners[service, entrypoint].address)
        host = Identity(self._tls.trust_domain, "service", service).host()
        return aio.secure_channel(
            self._running.listeners[service, MESH].address,
            Credentials(self._tls.certificates, caller).channel(),
            options=[("grpc.ssl_target_name_override", host)],
        )

    async def aclose(self) -> None:
        """Closes the channels."""
        for channel in self._channels.values():
            await channel.close()


class InProcess:
    """Calls as any service, as its binding in the same process does."""

    def __init__(self, running: Serving) -> None:
        self._running = running

    async def __call__(self, caller: str, service: str, entrypoint: str, method: Method) -> grpc.StatusCode:
        """The status of an empty call."""

        async def one() -> AsyncIterator[bytes]:
            yield b""

        async def drop(_: object) -> None:
            return None

        handlers = self._running.endpoints[service, entrypoint].handlers
        carry = LocalTransport(handlers, caller=caller, service=service).connect(method)
        call = Call(method, Side.CLIENT, deadline=time.monotonic() + 10)
        call.requests = one() if method.client_streaming else None
        call.send = drop if method.server_streaming else None
        try:
            await carry(call)
        except MeshError as error:
            return error.code
        return grpc.StatusCode.OK


@pytest.fixture(params=["in_process", "unix", "tcp"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Serving, Ask]]:
    """The services, and a way to call any method of them as anybody."""
    # Not pytest's own directory: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory() as folder:
        deployment = made(Path(folder), request.param)
        async with serving(deployment) as running:
            wire = OverTheWire(deployment, running)
            yield request.param, running, InProcess(running) if request.param == "in_process" else wire
            await wire.aclose()


async def test_matrix(house: tuple[str, Serving, Ask]) -> None:
    """Each caller gets through to exactly the entrypoints that it is bound to, by every one of their methods."""
    kind, running, ask = house
    callers = [WARMER, BOOKS, ISBNDB, STRANGER]
    callers += [] if kind == "in_process" else [OPERATOR, PEOPLE, TOKEN, LIAR]
    expected, found, asked = set(), set(), 0
    for (service, entrypoint), endpoint in running.endpoints.items():
        methods = [method for method, _ in endpoint.handlers.values() if not method.path.startswith("/grpc.health")]
        for caller in callers:
            if caller == TOKEN and entrypoint == "Default":
                continue
            for method in methods:
                asked += 1
                if caller in ALLOWED[service, entrypoint]:
                    expected.add((caller, method.path))
                if await ask(caller, service, entrypoint, method) not in REFUSALS:
                    found.add((caller, method.path))
    assert found == expected
    assert asked > 37 * 3


async def test_refusals_differ(house: tuple[str, Serving, Ask]) -> None:
    """A service without a binding is denied; who has proven nothing is asked for a proof where one would help."""
    kind, running, ask = house

    async def status(caller: str, service: str, entrypoint: str) -> grpc.StatusCode:
        method = next(method for method, _ in running.endpoints[service, entrypoint].handlers.values())
        return await ask(caller, service, entrypoint, method)

    assert await status(STRANGER, BOOKS, "Default") is grpc.StatusCode.PERMISSION_DENIED
    assert await status(BOOKS, WARMER, "Admin") is grpc.StatusCode.PERMISSION_DENIED
    if kind != "in_process":
        assert await status(PEOPLE, ISBNDB, "Default") is grpc.StatusCode.PERMISSION_DENIED
        assert await status(PEOPLE, BOOKS, "Admin") is grpc.StatusCode.UNAUTHENTICATED
        assert await status(LIAR, BOOKS, "Admin") is grpc.StatusCode.UNAUTHENTICATED
