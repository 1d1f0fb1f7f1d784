"""A replica's line to the store that all share: it takes time, and can be cut."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from bench.firings.world import World
from mesh.schedule.running import Sleep
from mesh.stores.errors import StoreUnavailableError
from mesh.stores.protocol import Kv


class Line:
    """Kv at the other end of a line.

    Args:
        kv: the store.
        world: whose time passes meanwhile, and by whose time keys end.
        chance: how long each way takes.
        sleep: waits for so many seconds of the world's time, or longer where whoever waits stands still.
        slowest_s: the longest that one way takes.
    """

    def __init__(self, kv: Kv, world: World, chance: random.Random, *, sleep: Sleep, slowest_s: float) -> None:
        self._kv = kv
        self._world = world
        self._chance = chance
        self._sleep = sleep
        self._slowest_s = slowest_s
        self.is_cut = False
        """Nothing gets through any more: whoever was at this end is dead."""

    @property
    def raw(self) -> Any:
        """The client behind the store."""
        return self._kv.raw

    def name(self, key: str) -> str:
        """What the server calls a key."""
        return self._kv.name(key)

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        async with self._way():
            return await self._kv.get(key)

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of many keys."""
        async with self._way():
            return await self._kv.get_many(keys)

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value."""
        async with self._way():
            await self._kv.put(key, value)
            self._end(key, ttl_s)

    async def put_many(self, items: Mapping[str, bytes], *, ttl_s: float | None = None) -> None:
        """Sets many values."""
        for key, value in items.items():
            await self.put(key, value, ttl_s=ttl_s)

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Sets a value unless the key has one."""
        async with self._way():
            is_put = await self._kv.put_if_absent(key, value)
            if is_put:
                self._end(key, ttl_s)
            return is_put

    async def delete(self, *keys: str) -> int:
        """Removes keys."""
        async with self._way():
            return await self._kv.delete(*keys)

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Removes a key only while it has this value."""
        async with self._way():
            return await self._kv.delete_if(key, value)

    async def extend_if(self, key: str, value: bytes, *, ttl_s: float) -> bool:
        """Lets a key live on only while it has this value."""
        async with self._way():
            # Renewed is what the server must do in one step, and it ends by the world's time.
            is_its = await self._kv.replace_if(key, value, value)
            if is_its:
                self._end(key, ttl_s)
            return is_its

    async def replace_if(self, key: str, value: bytes, new: bytes) -> bool:
        """Gives a key a new value only while it has this one."""
        async with self._way():
            is_its = await self._kv.replace_if(key, value, new)
            if is_its:
                self._end(key, None)
            return is_its

    async def scan(self, prefix: str, *, limit: int | None = None) -> AsyncIterator[str]:
        """The keys that begin so."""
        async with self._way():
            keys = [key async for key in self._kv.scan(prefix, limit=limit)]
        for key in keys:
            yield key

    async def ttl_s(self, key: str) -> float | None:
        """Seconds that a key has left."""
        ends = self._world.ends.get(key)
        return None if ends is None else ends - self._world.now

    async def announce(self, topic: str, message: bytes) -> None:
        """Tells a message to all who listen."""
        async with self._way():
            await self._kv.announce(topic, message)

    def listening(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes | None]]:
        """Hears a topic."""
        return self._kv.listening(topic)

    async def ping(self) -> float:
        """Seconds that the store took to answer."""
        async with self._way():
            return await self._kv.ping()

    async def aclose(self) -> None:
        """Hangs up."""
        await self._kv.aclose()

    @asynccontextmanager
    async def _way(self) -> AsyncIterator[None]:
        """There and back; what was asked is done though the answer may be lost."""
        await self._pass()
        async with self._world.asking():
            await self._expire()
            yield
        await self._pass()

    async def _pass(self) -> None:
        await self._sleep(self._chance.uniform(0, self._slowest_s))
        if self.is_cut or self._world.is_store_away:
            raise StoreUnavailableError("the line is cut")

    def _end(self, key: str, ttl_s: float | None) -> None:
        self._world.ends.pop(key, None)
        if ttl_s is not None:
            self._world.ends[key] = self._world.now + ttl_s

    async def _expire(self) -> None:
        over = [key for key, ends in self._world.ends.items() if ends <= self._world.now]
        for key in over:
            del self._world.ends[key]
        if over:
            await self._kv.delete(*over)
