"""What every key-value store keeps of its topics: the fake in memory and a real valkey-server that is killed alike."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

import pytest

from mesh.stores.errors import StoreUnavailableError
from mesh.stores.memory import MemoryKv
from mesh.stores.protocol import TOPIC_LENGTH, Kv
from mesh.stores.redis_kv import RedisKv
from mesh.stores.redis_topic import pause_s
from tests.chaos.programs import valkey as tcp_valkey
from tests.standstill import standstill


class Breakable(Protocol):
    """A store that can be taken down."""

    kv: Kv

    async def down(self) -> None:
        """It can't be reached any more."""

    async def up(self) -> None:
        """It is back, with all that it had."""

    async def forget(self) -> None:
        """It has lost all while it was away."""


class BreakableMemory:
    """The fake, by its switch."""

    def __init__(self) -> None:
        self.memory = MemoryKv()
        self.kv: Kv = self.memory

    async def down(self) -> None:
        """Switches it off."""
        self.memory.down = True

    async def up(self) -> None:
        """Switches it on."""
        self.memory.down = False

    async def forget(self) -> None:
        """Empties it."""
        self.memory.forget()


class BreakableServer:
    """A real server, by killing it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = tcp_valkey(folder)
        self.kv: Kv = RedisKv(f"redis://127.0.0.1:{self._server.port}", "topics[*]?")

    async def down(self) -> None:
        """Kills it."""
        self._server.kill()

    async def up(self) -> None:
        """Starts it on the data that it had."""
        await self._server.start()

    async def forget(self) -> None:
        """Removes its data."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Breakable]:
    """A key-value store of each kind, up."""
    if request.param == "memory":
        yield BreakableMemory()
        return
    with tempfile.TemporaryDirectory() as folder:
        server = BreakableServer(Path(folder) / "valkey")
        await server.up()
        try:
            yield server
        finally:
            await server.down()
            await server.kv.aclose()


async def take(heard: AsyncIterator[bytes | None], count: int) -> list[bytes | None]:
    """The next messages."""
    async with asyncio.timeout(10):
        return [await anext(heard) for _ in range(count)]


async def test_every_listener_hears_all(kv: Kv) -> None:
    """Each listener hears every message byte for byte, in order, and of its own topic alone."""
    told = [f"{number} \x00 ü".encode() for number in range(1200)]
    async with kv.listening("topic") as one, kv.listening("topic") as two, kv.listening("other") as other:
        for message in told:
            await kv.announce("topic", message)
        await kv.announce("other", b"")
        assert (await take(one, 1200), await take(two, 1200), await take(other, 1)) == (told, told, [b""])


async def test_only_from_the_entry_on(kv: Kv) -> None:
    """What was announced before a listener began is not heard; what is announced before its first wait is."""
    await kv.announce("topic", b"before")
    async with kv.listening("topic") as heard:
        await kv.announce("topic", b"after")
        assert await take(heard, 1) == [b"after"]


async def test_soon(kv: Kv) -> None:
    """A message is heard well within 100 ms, also after a while in which there was none."""
    late: list[float] = []
    async with kv.listening("topic") as heard:
        for number in range(20):
            waiting = asyncio.ensure_future(anext(heard))
            await asyncio.sleep(1.1 if number == 10 else 0.005)
            began = time.perf_counter()
            await kv.announce("topic", b"message")
            await waiting
            late.append(time.perf_counter() - began)
    assert sorted(late)[len(late) // 2] < 0.05


async def test_cancelled_wait(kv: Kv) -> None:
    """A wait that was given up takes no message with it."""
    async with kv.listening("topic") as heard:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(heard)
        await kv.announce("topic", b"message")
        assert await take(heard, 1) == [b"message"]


async def test_short_outage(store: Breakable) -> None:
    """A store that was away for a while costs no message: neither one from before, nor one from when it is back."""
    async with store.kv.listening("topic") as heard:
        await store.kv.announce("topic", b"1")
        assert await take(heard, 1) == [b"1"]
        await store.kv.announce("topic", b"2")
        waiting = asyncio.ensure_future(take(heard, 4))
        await store.down()
        with pytest.raises(StoreUnavailableError):
            await store.kv.announce("topic", b"lost to its sender")
        await asyncio.sleep(0.2)
        await store.up()
        for message in (b"3", b"4", b"5"):
            await store.kv.announce("topic", message)
        assert await waiting == [b"2", b"3", b"4", b"5"]


async def test_store_that_lost_all(store: Breakable) -> None:
    """A store that came back without its data is told by None, once, and heard from then on."""
    async with store.kv.listening("topic") as heard:
        await store.kv.announce("topic", b"1")
        assert await take(heard, 1) == [b"1"]
        await store.down()
        await store.forget()
        await store.up()
        await store.kv.announce("topic", b"missed")
        assert await take(heard, 1) == [None]
        await store.kv.announce("topic", b"2")
        assert await take(heard, 1) == [b"2"]


async def test_entry_while_it_is_down(store: Breakable) -> None:
    """A listener that begins while the store is down has begun once it is up."""
    await store.down()

    async def first() -> bytes | None:
        async with store.kv.listening("topic") as heard:
            began.set()
            return await anext(heard)

    began = asyncio.Event()
    listener = asyncio.ensure_future(first())
    await asyncio.sleep(0.1)
    assert not began.is_set()
    await store.up()
    async with asyncio.timeout(10):
        await began.wait()
        await store.kv.announce("topic", b"message")
        assert await listener == b"message"


async def test_slow_listener(kv: Kv) -> None:
    """A listener that fell too far behind is told by None, and goes on with what is announced from then on."""
    async with kv.listening("topic") as heard:
        for begin in range(0, TOPIC_LENGTH + 500, 50):
            await asyncio.gather(*(kv.announce("topic", str(begin + number).encode()) for number in range(50)))
        assert await take(heard, 1) == [None]
        await kv.announce("topic", b"now")
        assert await take(heard, 1) == [b"now"]


async def test_no_key(kv: Kv) -> None:
    """A topic is no key: a scan does not find it, and a key may have its name."""
    async with kv.listening("topic") as heard:
        await kv.announce("topic", b"message")
        assert ([key async for key in kv.scan("")], await kv.get("topic")) == ([], None)
        await kv.put("topic", b"value")
        assert await take(heard, 1) == [b"message"]


async def test_emptied_while_listening(valkey: str) -> None:
    """A server that is emptied under a listener is noticed, though no connection broke."""
    async with aclosing(RedisKv(valkey, "x")) as kv, kv.listening("topic") as heard:
        await kv.raw.flushall()
        assert await take(heard, 1) == [None]
        await kv.announce("topic", b"message")
        assert await take(heard, 1) == [b"message"]


async def test_server_that_stands_still(valkey: str) -> None:
    """A frozen server, whose connections stay open, is waited for, and nothing is lost."""
    async with aclosing(RedisKv(valkey, "x", timeout_s=0.2)) as kv, kv.listening("topic") as heard:
        await kv.announce("topic", b"1")
        assert await take(heard, 1) == [b"1"]
        with standstill(int((await kv.raw.info("server"))["process_id"])), pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await anext(heard)
        await kv.announce("topic", b"2")
        assert await take(heard, 1) == [b"2"]


async def test_namespaces_are_apart(valkey: str) -> None:
    """Two namespaces on one server do not hear each other."""
    async with (
        aclosing(RedisKv(valkey, "one")) as one,
        aclosing(RedisKv(valkey, "two")) as two,
        one.listening("t") as heard,
    ):
        await two.announce("t", b"of another")
        await one.announce("t", b"own")
        assert await take(heard, 1) == [b"own"]


async def test_two_clients(valkey: str) -> None:
    """A message goes from one process's client to another's."""
    async with (
        aclosing(RedisKv(valkey, "x")) as one,
        aclosing(RedisKv(valkey, "x")) as two,
        one.listening("t") as heard,
    ):
        await two.announce("t", b"message")
        assert await take(heard, 1) == [b"message"]


async def test_connection_is_closed(valkey: str) -> None:
    """A listener has one connection, and a cancelled one leaves none behind."""

    async def listen() -> None:
        async with kv.listening("topic") as heard:
            began.set()
            await anext(heard)

    async with aclosing(RedisKv(valkey, "x")) as kv:
        before = len(await kv.raw.client_list())
        began = asyncio.Event()
        listener = asyncio.ensure_future(listen())
        await began.wait()
        during = len(await kv.raw.client_list())
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener
        async with asyncio.timeout(5):
            while len(await kv.raw.client_list()) > before:  # noqa: ASYNC110 - a server elsewhere tells nobody
                await asyncio.sleep(0.01)
        assert during - before == 1


def test_pauses_grow() -> None:
    """The pauses double up to their bound, and chance takes at most a half."""
    assert [pause_s(failures, 0.0) for failures in (1, 2, 3, 6, 1000)] == [0.05, 0.1, 0.2, 1.0, 1.0]
    assert [pause_s(failures, 1.0) for failures in (1, 1000)] == [0.025, 0.5]
