"""Identity on real connections, TCP and unix sockets: who is let in, who is refused, and files that are replaced."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from grpc_health.v1 import health_pb2_grpc

from mesh.call import Call, Reply, Side
from mesh.contract import service_of
from mesh.identity.authority import ensure
from mesh.identity.certificate_files import replace_file
from mesh.identity.credentials import Credentials, Trust
from mesh.identity.peer import identify_in
from mesh.identity.spiffe import Identity
from mesh.status import UnavailableError
from mesh.transport import aio as over_the_wire
from mesh.transport.aio import AioTransport, Renewing, Security
from mesh.transport.aio_server import AioServer
from mesh.transport.callers import NOBODY, Callers, Proof
from tests.ports import free_ports

DOMAIN = "bookmesh.local"

A, B, ADA = (
    Identity(DOMAIN, "service", "a"),
    Identity(DOMAIN, "service", "b"),
    Identity(DOMAIN, "operator", "ada"),
)

CHECK = service_of(health_pb2_grpc.HealthStub).methods["/grpc.health.v1.Health/Check"]

NOW = datetime.now(UTC)


@dataclass(slots=True)
class Listener:
    """A server that keeps who called it."""

    address: str
    proofs: list[Proof] = field(default_factory=list)
    """What each caller proved to be."""
    serials: list[int] = field(default_factory=list)
    """The number of each caller's certificate."""

    def identify(self, context: Any) -> Proof:
        """Reads the caller as a listener of the mesh does, and keeps it."""
        proof = identify_in(DOMAIN)(context)
        self.proofs.append(proof)
        shown = context.auth_context().get("x509_pem_cert", ())
        self.serials += [x509.load_pem_x509_certificate(each).serial_number for each in shown]
        return proof

    async def shown(self) -> int:
        """The number of the certificate that a new connection is shown, as Python's own TLS sees it."""

        def handshake() -> bytes:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            host, _, port = self.address.rpartition(":")
            plain = socket.socket(socket.AF_UNIX if host == "unix" else socket.AF_INET)
            with plain:
                plain.settimeout(5)
                plain.connect(port if host == "unix" else (host, int(port)))
                with context.wrap_socket(plain) as secured:
                    return secured.getpeercert(binary_form=True) or b""

        return x509.load_der_x509_certificate(await asyncio.to_thread(handshake)).serial_number


@pytest.fixture(params=["tcp", "unix"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of each kind."""
    return f"127.0.0.1:{free_ports(1)[0]}" if request.param == "tcp" else f"unix:{tmp_path}/socket"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The certificates of two services and an operator."""
    ensure(tmp_path / "certs", [A, B, ADA], NOW)
    return tmp_path / "certs"


@asynccontextmanager
async def listening(place: str, credentials: Credentials, *, ask: bool = True) -> AsyncIterator[Listener]:
    """A server with a certificate, which asks its callers for theirs or, as for people, does not."""
    listener = Listener(place)

    async def answer(_: Call) -> Reply:
        return b""  # an empty message

    server = AioServer(
        {CHECK.path: (CHECK, answer)}, place, Callers(identify=listener.identify), credentials.server(ask=ask)
    )
    await server.start()
    try:
        yield listener
    finally:
        await server.stop(0)


@asynccontextmanager
async def calling(place: str, credentials: Renewing | None, host: str = A.host()) -> AsyncIterator[Callable[[], Any]]:
    """A caller that expects a host to answer; None calls in plain text."""
    transport = AioTransport(place, security=None if credentials is None else Security(credentials, host))
    carry = transport.connect(CHECK)

    async def call() -> Reply:
        async with asyncio.timeout(10):
            return await carry(Call(CHECK, Side.CLIENT))

    try:
        yield call
    finally:
        await transport.aclose()


async def refused(place: str, credentials: Renewing | None, host: str = A.host()) -> bool:
    """Whether a caller does not get through."""
    async with calling(place, credentials, host) as call:
        with pytest.raises(UnavailableError):
            await call()
    return True


def odd(folder: Path, path: Path, *uris: str, begin: int = -1, end: int = 1) -> Path:
    """A certificate that our authority would not make, signed with its key: other URIs, or other times (in days)."""
    signer = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    (authority,) = x509.load_pem_x509_certificates((folder / "ca.pem").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    names = [*map(x509.UniformResourceIdentifier, uris), x509.DNSName(A.host())]
    made = x509.CertificateBuilder(
        authority.subject,
        x509.Name([]),
        key.public_key(),
        x509.random_serial_number(),
        NOW + timedelta(days=begin),
        NOW + timedelta(days=end),
    ).add_extension(x509.SubjectAlternativeName(names), critical=True)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    replace_file(path, made.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM) + private)
    return path


@pytest.mark.parametrize(
    ("name", "expected"), [("b", Proof(service="b")), ("a", Proof(service="a")), ("ada", Proof(operator=True))]
)
async def test_let_in(place: str, folder: Path, name: str, expected: Proof) -> None:
    """Whoever has a certificate of the authority is let in, and is known by the ID in it."""
    async with (
        listening(place, Credentials(folder, "a")) as listener,
        calling(place, Credentials(folder, name)) as call,
    ):
        await call()
        await call()
    assert listener.proofs == [expected] * 2


async def test_any_name_of_a_service(place: str, folder: Path) -> None:
    """Every name that a manifest may give a service works in a certificate: gRPC compares it as it is."""
    for name in ("_x_-", "0", "n" * 63):
        identity = A._replace(name=name)
        ensure(folder, [identity], NOW)
        credentials = Credentials(folder, name)
        async with listening(place, credentials) as listener, calling(place, credentials, identity.host()) as call:
            await call()
        assert listener.proofs == [Proof(service=name)]


async def test_refused_callers(place: str, folder: Path, tmp_path: Path) -> None:
    """Plain text, no certificate, one of another authority, one that is over, one that is yet to come: none calls."""
    ensure(tmp_path / "others", [B], NOW)
    stranger = Credentials(tmp_path / "others", "b")
    # A stranger who trusts the server is still a stranger to it.
    stranger._loaded = type(stranger._loaded)(
        (folder / "ca.pem").read_bytes(), stranger._loaded.chain, stranger._loaded.key, stranger._loaded.stamp
    )
    late = Credentials(folder, odd(folder, folder / "late.pem", B._replace(name="late").uri(), begin=-9, end=-1).stem)
    early = Credentials(folder, odd(folder, folder / "early.pem", B._replace(name="early").uri(), begin=1, end=9).stem)
    callers = (None, Trust(folder), stranger, late, early)
    async with listening(place, Credentials(folder, "a")) as listener:
        assert [await refused(place, each) for each in callers] == [True] * 5
        # The listener is well, and none of them came as far as an entrypoint.
        async with calling(place, Credentials(folder, "b")) as call:
            await call()
    assert listener.proofs == [Proof(service="b")]


async def test_certificate_that_names_nobody(place: str, folder: Path) -> None:
    """One with two IDs, or with none, is let in by TLS and is nobody."""
    shown = Credentials(folder, "b")
    async with listening(place, Credentials(folder, "a")) as listener:
        for uris in ([B.uri(), A.uri()], [B.uri(), "https://example.org"], []):
            path = odd(folder, folder.parent / "odd.pem", *uris)
            data = path.read_bytes()
            key = data.index(b"-----BEGIN PRIVATE")
            shown._loaded = type(shown._loaded)(shown._loaded.authority, data[:key], data[key:], shown._loaded.stamp)
            async with calling(place, shown) as call:
                await call()
    assert listener.proofs == [NOBODY] * 3


async def test_people_are_asked_for_nothing(place: str, folder: Path) -> None:
    """A listener for people is known by its certificate, as "localhost" too, and lets in who shows none, as nobody."""
    async with listening(place, Credentials(folder, "a"), ask=False) as listener:
        for host in (A.host(), "localhost"):
            async with calling(place, Trust(folder), host) as call:
                await call()
        assert await refused(place, Trust(folder), B.host())
    assert listener.proofs == [NOBODY] * 2


async def test_refused_callees(place: str, folder: Path, tmp_path: Path) -> None:
    """A caller does not speak to another service at the address, an operator, another authority's, or one that is over.

    Its request never leaves: nothing reaches their entrypoints.
    """
    ensure(tmp_path / "others", [A], NOW)
    late = odd(folder, folder / "late.pem", A._replace(name="late").uri(), begin=-9, end=-1)
    callees = [
        (Credentials(folder, "b"), A.host()),
        (Credentials(folder, "ada"), ADA.host()),
        (Credentials(tmp_path / "others", "a"), A.host()),
        (Credentials(folder, late.stem), A.host()),
    ]
    for credentials, host in callees:
        async with listening(place, credentials) as listener:
            assert await refused(place, Credentials(folder, "b"), host)
        assert listener.proofs == []


async def test_replaced_at_the_server(place: str, folder: Path) -> None:
    """A new connection is shown the new certificate, on each of a service's listeners; the old connection goes on."""
    credentials = Credentials(folder, "a")
    second = f"127.0.0.1:{free_ports(1)[0]}"
    async with (
        listening(place, credentials) as one,
        listening(second, credentials) as two,
        calling(place, Credentials(folder, "b")) as call,
    ):
        await call()
        before = [await one.shown(), await two.shown()]
        (issued,) = ensure(folder, [A], NOW, renew=True)
        new = x509.load_pem_x509_certificate(issued.path.read_bytes()).serial_number
        after = [await one.shown(), await two.shown(), await one.shown()]
        await call()
    assert (before[0] == before[1], new in before, after) == (True, False, [new] * 3)


async def test_replaced_at_the_server_by_half_a_file(place: str, folder: Path) -> None:
    """A damaged or mismatched file takes nobody down: new connections are shown what was good before."""
    async with listening(place, Credentials(folder, "a")) as listener:
        before = await listener.shown()
        data = (folder / "a.pem").read_bytes()
        for bad in (b"", data[:300], data[:-80], (folder / "b.pem").read_bytes()):
            replace_file(folder / "a.pem", bad)
            assert await listener.shown() == before
        async with calling(place, Credentials(folder, "b")) as call:
            await call()


async def test_replaced_at_the_caller(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that runs on shows its new certificate soon after it was replaced, without a failed call."""
    monkeypatch.setattr(over_the_wire, "_LOOK_S", 0.05)
    async with (
        listening(place, Credentials(folder, "a")) as listener,
        calling(place, Credentials(folder, "b")) as call,
    ):
        await call()
        (issued,) = ensure(folder, [B], NOW, renew=True)
        new = x509.load_pem_x509_certificate(issued.path.read_bytes()).serial_number
        async with asyncio.timeout(5):
            while listener.serials[-1] != new:
                await call()
                await asyncio.sleep(0.01)
    assert (listener.serials[0] != new, set(listener.proofs)) == (True, {Proof(service="b")})


async def test_ended_and_replaced(place: str, folder: Path) -> None:
    """What is over at start is refused, and let in once it was replaced; nobody starts anew."""
    good = (folder / "a.pem").read_bytes()
    odd(folder, folder / "a.pem", A.uri(), begin=-9, end=-1)
    async with listening(place, Credentials(folder, "a")):
        assert await refused(place, Credentials(folder, "b"))
        replace_file(folder / "a.pem", good)
        async with calling(place, Credentials(folder, "b")) as call:
            await call()


async def test_no_call_is_lost_while_all_is_renewed(place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load, with callers that look for new files all the time, renewing authority and all loses no call."""
    monkeypatch.setattr(over_the_wire, "_LOOK_S", 0.0)
    ended, count = asyncio.Event(), 0
    (before,) = x509.load_pem_x509_certificates((folder / "ca.pem").read_bytes())

    async def load(call: Callable[[], Any]) -> None:
        nonlocal count
        while not ended.is_set():
            await call()
            count += 1

    async with (
        listening(place, Credentials(folder, "a")) as listener,
        calling(place, Credentials(folder, "b")) as b,
        calling(place, Credentials(folder, "ada")) as ada,
    ):
        running = [asyncio.create_task(load(each)) for each in (b, ada)]
        for _ in range(4):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(ensure, folder, [ADA, A, B], NOW, renew=True)
        await asyncio.sleep(0.1)
        ended.set()
        await asyncio.gather(*running)
    after = x509.load_pem_x509_certificates((folder / "ca.pem").read_bytes())
    assert (count > 20, len(after), after[-1] == before, len(set(listener.serials)) > 4) == (True, 5, True, True)
