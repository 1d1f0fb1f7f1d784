"""A TCP proxy on loopback that breaks what goes through it: the only place that makes a network's faults.

What it does can be changed at any moment, and holds from then on for connections that are open as well as for new ones.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

Direction = Literal["to_client", "to_server"]

_CHUNK = 64 * 1024
_QUEUED = 64
"""Chunks that wait for their time in one direction; a sender that is faster is held back, as by a full network."""

_TRICKLE_STEP_S = 0.02
_GARBAGE_BYTES = 256

_LINGER_NOTHING = struct.pack("ii", 1, 0)
"""SO_LINGER, on and 0 seconds: the system closes such a socket with RST (socket(7))."""


@dataclass(frozen=True, slots=True)
class Pass:
    """All goes through."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Each piece arrives later; the order stays."""

    ms: float
    jitter_ms: float = 0.0
    """Up to so much more, by chance."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """What goes to the client only trickles."""

    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Blackhole:
    """Connections are taken and all is silence. What was sent meanwhile arrives when it is over, as TCP has it."""


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Connections that are open now lose one direction for ever, and nobody tells their ends; new ones are well."""

    lost: Direction = "to_client"


@dataclass(frozen=True, slots=True)
class Reset:
    """Each connection ends with RST: those that are open at once, new ones as soon as they are taken."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody listens; connections that were open end with RST."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """The server is not asked; whatever the client says is answered with bytes that mean nothing."""


Mode = Pass | Delay | Throttle | Blackhole | HalfOpen | Reset | Refuse | Garbage


class FaultProxy:
    """A listener on loopback that connects each of its clients with a server.

    Args:
        port: where it listens.
        server_port: where the server listens.
        chance: decides jitter and garbage.
    """

    def __init__(self, port: int, server_port: int, chance: random.Random | None = None) -> None:
        self.port = port
        self.mode: Mode = Pass()
        self.accepted_count = 0
        """Connections so far."""
        self.chance = chance or random.Random(0)  # noqa: S311 - faults that can be repeated, no secrets
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], _Link] = {}
        self._changed = asyncio.Event()

    async def set(self, mode: Mode) -> None:
        """Breaks, or mends, from now on."""
        self.mode = mode
        self._changed.set()
        self._changed = asyncio.Event()
        if isinstance(mode, Reset | Refuse):
            self._reset_all()
        if isinstance(mode, HalfOpen):
            for link in self._links.values():
                link.lost = mode.lost
        if isinstance(mode, Refuse):
            await self._deafen()
        elif self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Ends every connection and listens no more."""
        await self._deafen()
        self._reset_all()
        links = list(self._links)
        for task in links:
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def changed(self) -> None:
        """Waits for the next mode."""
        await self._changed.wait()

    async def _deafen(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            # One turn, so that the port is free when this returns.
            await asyncio.sleep(0)

    def _reset_all(self) -> None:
        for link in self._links.values():
            link.reset()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted_count += 1
        link = _Link(self, reader, writer)
        if isinstance(self.mode, Reset | Refuse):
            link.reset()
            return
        task = asyncio.get_running_loop().create_task(link.run(self._server_port))
        self._links[task] = link
        task.add_done_callback(self._links.pop)


class _Link:
    """One client, and its own connection to the server."""

    def __init__(self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lost: Direction | None = None
        self._proxy = proxy
        self._client = (reader, writer)
        self._writers = [writer]

    async def run(self, server_port: int) -> None:
        """Carries both directions until both have ended or one has broken."""
        try:
            while isinstance(self._proxy.mode, Blackhole):
                await self._proxy.changed()
            if isinstance(self._proxy.mode, Garbage):
                await self._babble()
                return
            server = await asyncio.open_connection("127.0.0.1", server_port)
            self._writers.append(server[1])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry("to_server", self._client[0], server[1]))
                group.create_task(self._carry("to_client", server[0], self._client[1]))
        except* OSError:
            self.reset()
        finally:
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        """Ends both connections with RST."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
            writer.transport.abort()

    async def _carry(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction: what is read waits for its time, and for the mode that lets it through."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUED)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deliver(direction, queue, writer))
            data = b"?"
            while data:
                data = await reader.read(_CHUNK)
                await queue.put((asyncio.get_running_loop().time() + self._delay_s(), data))

    async def _deliver(
        self, direction: Direction, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await queue.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            while self.lost == direction or isinstance(self._proxy.mode, Blackhole):
                await self._proxy.changed()
            if not data:
                with contextlib.suppress(OSError):
                    writer.write_eof()
                return
            if isinstance(self._proxy.mode, Garbage):
                if direction == "to_client":
                    data = self._garbage()
            elif direction == "to_client":
                data = await self._trickled(data, writer)
            writer.write(data)
            await writer.drain()

    async def _trickled(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Writes bit by bit while that is the mode; what is left when it is not."""
        while data and isinstance(mode := self._proxy.mode, Throttle):
            step = max(1, round(mode.bytes_per_s * _TRICKLE_STEP_S))
            writer.write(data[:step])
            await writer.drain()
            data = data[step:]
            await asyncio.sleep(max(_TRICKLE_STEP_S, 1 / mode.bytes_per_s))
        return data

    async def _babble(self) -> None:
        reader, writer = self._client
        while await reader.read(_CHUNK) and isinstance(self._proxy.mode, Garbage):
            writer.write(self._garbage())
            await writer.drain()

    def _garbage(self) -> bytes:
        return self._proxy.chance.randbytes(_GARBAGE_BYTES)

    def _delay_s(self) -> float:
        mode = self._proxy.mode
        if not isinstance(mode, Delay):
            return 0.0
        return (mode.ms + mode.jitter_ms * self._proxy.chance.random()) / 1000


@contextlib.asynccontextmanager
async def fault_proxy(port: int, server_port: int) -> AsyncIterator[FaultProxy]:
    """A proxy that lets all through, until the block ends."""
    proxy = FaultProxy(port, server_port)
    await proxy.set(Pass())
    try:
        yield proxy
    finally:
        await proxy.close()
