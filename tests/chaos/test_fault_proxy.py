"""The fault proxy: each of its faults is the one that it says, on open connections and on new ones."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.fault_proxy import (
    Blackhole,
    Delay,
    FaultProxy,
    Garbage,
    HalfOpen,
    Pass,
    Refuse,
    Reset,
    Throttle,
    fault_proxy,
)
from tests.ports import free_ports

SILENCE_S = 0.2
"""How long silence is listened to."""


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """A proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    near, far = free_ports(2)
    async with await asyncio.start_server(echo, "127.0.0.1", far), fault_proxy(near, far) as made:
        yield made


class Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, text: bytes) -> bytes:
        """Sends a text, and gives as many bytes of the answer."""
        self.writer.write(text)
        return await self._reader.readexactly(len(text))

    async def hears(self) -> bytes | None:
        """What comes within a moment; None is silence."""
        try:
            async with asyncio.timeout(SILENCE_S):
                return await self._reader.read(1 << 16)
        except TimeoutError:
            return None


@asynccontextmanager
async def client(proxy: FaultProxy) -> AsyncIterator[Client]:
    """A connection, until the block ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def test_pass(proxy: FaultProxy) -> None:
    """Without a fault, what one end says is what the other hears, end of stream included."""
    text = bytes(range(256)) * 2_000
    async with client(proxy) as one:
        assert await one.ask(text) == text
        one.writer.write_eof()
        assert await one.hears() == b""


async def test_delay(proxy: FaultProxy) -> None:
    """A delay holds in both directions, and keeps the order of what it holds back."""
    async with client(proxy) as one:
        await proxy.set(Delay(60, 20))
        started = time.monotonic()
        assert await one.ask(b"first") + await one.ask(b"second") == b"firstsecond"
        assert time.monotonic() - started >= 4 * 0.06


async def test_throttle(proxy: FaultProxy) -> None:
    """A throttled answer trickles at about its rate, and the rest comes at once when the throttle is off."""
    async with client(proxy) as one:
        await proxy.set(Throttle(1_000))
        started = time.monotonic()
        await one.ask(b"x" * 200)
        assert time.monotonic() - started >= 0.15
        one.writer.write(b"y" * 100_000)
        await asyncio.sleep(SILENCE_S)
        await proxy.set(Pass())
        async with asyncio.timeout(5):
            assert await one.ask(b"") + await one._reader.readexactly(100_000) == b"y" * 100_000


async def test_blackhole(proxy: FaultProxy) -> None:
    """In a blackhole connections come about and stay silent; what was said in it arrives after it."""
    async with client(proxy) as old:
        await old.ask(b"before")
        await proxy.set(Blackhole())
        async with client(proxy) as new:
            for one in (old, new):
                one.writer.write(b"hello")
                assert await one.hears() is None
            await proxy.set(Pass())
            for one in (old, new):
                assert await one.ask(b"") + await one._reader.readexactly(5) == b"hello"


async def test_half_open(proxy: FaultProxy) -> None:
    """A half-open connection stays silent for ever without an end, while new ones are well."""
    async with client(proxy) as old:
        await old.ask(b"before")
        await proxy.set(HalfOpen())
        async with client(proxy) as new:
            assert await new.ask(b"hello") == b"hello"
        await proxy.set(Pass())
        old.writer.write(b"hello")
        assert await old.hears() is None


async def test_half_open_other_way(proxy: FaultProxy) -> None:
    """The direction to the server can be the lost one: then nothing is answered, for nothing was heard."""
    async with client(proxy) as old:
        await old.ask(b"before")
        await proxy.set(HalfOpen("to_server"))
        old.writer.write(b"hello")
        assert await old.hears() is None


async def test_reset(proxy: FaultProxy) -> None:
    """A reset ends open connections and new ones with RST."""
    async with client(proxy) as old:
        await old.ask(b"before")
        await proxy.set(Reset())
        with pytest.raises(ConnectionResetError):
            await old._reader.read(1)
    async with client(proxy) as new:
        with pytest.raises(ConnectionResetError):
            await new._reader.read(1)


async def test_refuse(proxy: FaultProxy) -> None:
    """While it refuses nobody listens; afterwards it is as before."""
    await proxy.set(Refuse())
    with pytest.raises(ConnectionRefusedError):
        async with client(proxy):
            pass
    await proxy.set(Pass())
    async with client(proxy) as one:
        assert await one.ask(b"hello") == b"hello"


async def test_garbage(proxy: FaultProxy) -> None:
    """Garbage is no echo, on open connections and on new ones."""
    async with client(proxy) as old:
        await old.ask(b"before")
        await proxy.set(Garbage())
        async with client(proxy) as new:
            for one in (old, new):
                one.writer.write(b"hello")
                heard = await one.hears()
                assert heard
                assert b"hello" not in heard


async def test_server_gone() -> None:
    """A client of a server that is not there is reset, and later ones are served when it is."""
    near, far = free_ports(2)
    async with fault_proxy(near, far) as proxy, client(proxy) as one:
        with pytest.raises(ConnectionResetError):
            await one._reader.read(1)
    assert proxy.accepted_count == 1
