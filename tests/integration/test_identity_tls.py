"""Certificates on real connections: who gets in, who does not, and what happens when files are replaced."""

import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from bookmesh.isbndb.v1 import isbndb_service_pb2_grpc
from bookmesh.isbndb.v1.isbndb_service_pb2 import GetBookRequest
from grpc import aio

from mesh.call import Call, Handler, Reply, Side
from mesh.contract import Method, service_of
from mesh.identity.authority import LEAF_DAYS, ensure
from mesh.identity.credentials import Credentials, Trust
from mesh.identity.peer import identify_in
from mesh.identity.spiffe import TRUST_DOMAIN, Identity
from mesh.problems import ConfigurationError
from mesh.status import UnavailableError
from mesh.transport import aio as wire
from mesh.transport.aio import AioServer, AioTransport, Security
from mesh.transport.callers import Callers

METHOD: Method = next(iter(service_of(isbndb_service_pb2_grpc.IsbndbServiceStub).methods.values()))
REQUEST = GetBookRequest(isbn="9780441172711").SerializeToString()

NAMES = ("callee", "caller", "other")
ALL = [Identity(TRUST_DOMAIN, "service", name) for name in NAMES]


async def who(call: Call) -> Reply:
    """Answers with whoever has proven to be the caller."""
    return f"{call.caller or 'nobody'}{'+operator' if call.operator else ''}".encode()


class House:
    """A listener of the callee, and ways to call it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.certs = folder / "certs"
        ensure(self.certs, [*ALL, Identity(TRUST_DOMAIN, "operator", "ann")], datetime.now(UTC))
        handlers: dict[str, tuple[Method, Handler]] = {METHOD.path: (METHOD, who)}
        self.server = AioServer(
            handlers,
            address,
            Callers(identify=identify_in(TRUST_DOMAIN)),
            Credentials(self.certs, "callee").server(ask=True),
        )

    def transport(self, name: str = "caller", *, folder: Path | None = None, callee: str = "callee") -> AioTransport:
        """The way of somebody who thinks that somebody answers."""
        host = Identity(TRUST_DOMAIN, "service", callee).host()
        return AioTransport(self.server.address, security=Security(Credentials(folder or self.certs, name), host))


async def ask(transport: AioTransport) -> str:
    """Who the callee takes the caller for; the reason where it takes it for nobody at all."""
    try:
        reply = await transport.connect(METHOD)(Call(METHOD, Side.CLIENT, request=REQUEST, deadline=None))
    except UnavailableError as error:
        return error.reason
    return reply.decode() if isinstance(reply, bytes) else repr(reply)


@pytest.fixture(params=["tcp", "unix"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """The callee, listening."""
    with tempfile.TemporaryDirectory() as folder:
        found = House(Path(folder), "127.0.0.1:0" if request.param == "tcp" else f"unix:{folder}/s")
        await found.server.start()
        yield found
        await found.server.stop(0)


@pytest.mark.parametrize(("name", "known_as"), [("caller", "caller"), ("callee", "callee"), ("ann", "nobody+operator")])
async def test_who_is_let_in(house: House, name: str, known_as: str) -> None:
    """A certificate of the authority proves the name in it."""
    transport = house.transport(name)
    assert await ask(transport) == known_as
    await transport.aclose()


async def test_who_is_not(house: House, tmp_path: Path) -> None:
    """Plain text, no certificate, one of another authority and one that has ended all fail at the door."""
    ensure(tmp_path / "foreign", ALL, datetime.now(UTC))
    ensure(tmp_path / "old", ALL, datetime.now(UTC) - timedelta(days=LEAF_DAYS + 1))
    # Whoever forges a certificate will at least trust the callee.
    for name in ("foreign", "old"):
        (tmp_path / name / "ca.pem").write_bytes((house.certs / "ca.pem").read_bytes())
    host = Identity(TRUST_DOMAIN, "service", "callee").host()
    ways = {
        "plain": AioTransport(house.server.address),
        "none": AioTransport(house.server.address, security=Security(Trust(house.certs), host)),
        "foreign": house.transport(folder=tmp_path / "foreign"),
        "old": house.transport(folder=tmp_path / "old"),
    }
    assert {name: await ask(way) for name, way in ways.items()} == dict.fromkeys(ways, "SERVICE_UNREACHABLE")
    for way in ways.values():
        await way.aclose()


async def test_callee_that_is_another(house: House) -> None:
    """A caller does not speak to whoever answers in the callee's place, though the authority knows it."""
    transport = house.transport(callee="other")
    assert await ask(transport) == "SERVICE_UNREACHABLE"
    await transport.aclose()


async def test_files_are_replaced(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """New files are used without a restart, by listener and caller; an old connection goes on."""
    monkeypatch.setattr(wire, "_LOOK_S", 0.0)
    transport, before = house.transport(), Credentials(house.certs, "caller").current()
    assert await ask(transport) == "caller"
    # A new authority: nothing old is worth anything to whoever connects anew.
    ensure(house.certs, ALL, datetime.now(UTC), renew=True)
    assert Credentials(house.certs, "caller").current() != before
    assert await ask(transport) == "caller"
    fresh = house.transport()
    assert await ask(fresh) == "caller"
    await transport.aclose()
    await fresh.aclose()


async def test_half_a_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be used changes nothing; the next good one counts."""
    monkeypatch.setattr(wire, "_LOOK_S", 0.0)
    transport = house.transport()
    whole = {path: path.read_bytes() for path in (house.certs / "caller.pem", house.certs / "callee.pem")}
    for path, content in whole.items():
        path.write_bytes(content[:100])
    assert await ask(transport) == "caller"
    with pytest.raises(ConfigurationError):
        house.transport()
    for path in whole:
        path.unlink()
    assert await ask(transport) == "caller"
    ensure(house.certs, ALL, datetime.now(UTC), renew=True)
    fresh = house.transport()
    assert (await ask(transport), await ask(fresh)) == ("caller", "caller")
    await transport.aclose()
    await fresh.aclose()


async def test_people_are_asked_for_nothing(tmp_path: Path) -> None:
    """A listener for people shows a certificate and wants none."""
    house = House(tmp_path, "127.0.0.1:0")
    server = AioServer(
        {METHOD.path: (METHOD, who)}, "127.0.0.1:0", None, Credentials(house.certs, "callee").server(ask=False)
    )
    await server.start()
    trust = Trust(house.certs)
    async with aio.secure_channel(
        server.address, trust.channel(), options=[("grpc.ssl_target_name_override", "localhost")]
    ) as channel:
        ask_plain: Any = channel.unary_unary(METHOD.path)
        assert await ask_plain(REQUEST) == b"nobody"
    await server.stop(0)
    assert isinstance(trust.channel(), grpc.ChannelCredentials)
