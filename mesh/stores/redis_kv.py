"""Kv on a server that speaks Redis's protocol: Valkey or Redis, over TCP, TLS or a unix socket."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from mesh.stores.protocol import TOPIC_LENGTH
from mesh.stores.redis_errors import mapped
from mesh.stores.redis_topic import MESSAGE, listening

TIMEOUT_S = 1.0
"""Seconds that one operation may take; a store that is slower is as good as down."""

_SCAN_COUNT = 500
"""Keys that the server looks at for one answer of SCAN."""

_GLOB = str.maketrans({character: f"\\{character}" for character in "\\*?[]^"})
"""What SCAN's pattern would read as more than itself."""

_DELETE_IF = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
"""
"""Valkey 9 has DELIFEQ for it; a script is one step as well, and every server knows it."""

_SET_MANY = """
local ms = tonumber(ARGV[1])
for at = 1, #KEYS do
  if ms > 0 then redis.call('SET', KEYS[at], ARGV[at + 1], 'PX', ms) else redis.call('SET', KEYS[at], ARGV[at + 1]) end
end
"""
"""One command for many values: to pack as many commands, and to read their answers, costs seven times as much here."""

_SET_COUNT = 500
"""Values that are set in one step, for which the server keeps others waiting for a millisecond or so."""

_EXTEND_IF = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

_REPLACE_IF = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""

Value = TypeVar("Value")


class RedisKv:
    """One namespace on a server; it connects when it is first used.

    Args:
        url: redis://, rediss:// or unix://.
        namespace: what stands before every key, so that two ids can share a server.
        timeout_s: seconds that one operation may take.
    """

    def __init__(self, url: str, namespace: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._prefix = f"{namespace}:"
        self._topics = f"{namespace}!"
        self._timeout_s = timeout_s
        # redis-py would try again whatever is asked, and SET NX must not be; `_asked` knows what may.
        # redis-py types answers as bytes or text; this client decodes nothing, so they are bytes.
        self._client: Any = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None, max_connections=64
        )
        self._delete_if: Any = self._client.register_script(_DELETE_IF)
        self._extend_if: Any = self._client.register_script(_EXTEND_IF)
        self._set_many: Any = self._client.register_script(_SET_MANY)
        self._replace_if: Any = self._client.register_script(_REPLACE_IF)

    @property
    def raw(self) -> Any:
        """The redis-py client."""
        return self._client

    def name(self, key: str) -> str:
        """The key with its namespace."""
        return self._prefix + key

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        value: bytes | None = await self._asked(lambda: self._client.get(self.name(key)))
        return value

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of many keys."""
        if not keys:
            return []
        names = [self.name(key) for key in keys]
        values: list[bytes | None] = await self._asked(lambda: self._client.mget(names))
        return values

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value."""
        await self._asked(lambda: self._client.set(self.name(key), value, px=_milliseconds(ttl_s)))

    async def put_many(self, items: Mapping[str, bytes], *, ttl_s: float | None = None) -> None:
        """Sets many values, in one round trip for each _SET_COUNT of them."""
        names, values = [self.name(key) for key in items], list(items.values())
        for start in range(0, len(names), _SET_COUNT):
            keys, arguments = names[start : start + _SET_COUNT], values[start : start + _SET_COUNT]
            await self._asked(functools.partial(self._set_many, keys, [_milliseconds(ttl_s) or 0, *arguments]))

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Sets a value unless the key has one."""
        async with self._once() as one:
            return bool(await one.set(self.name(key), value, px=_milliseconds(ttl_s), nx=True))

    async def delete(self, *keys: str) -> int:
        """Removes keys."""
        if not keys:
            return 0
        names = [self.name(key) for key in keys]
        return int(await self._asked(lambda: self._client.unlink(*names)))

    async def delete_if(self, key: str, value: bytes) -> bool:
        """Removes a key only while it has this value."""
        async with self._once() as one:
            return bool(await self._delete_if([self.name(key)], [value], client=one))

    async def extend_if(self, key: str, value: bytes, *, ttl_s: float) -> bool:
        """Lets a key live on only while it has this value."""
        keys, arguments = [self.name(key)], [value, _milliseconds(ttl_s)]
        return bool(await self._asked(lambda: self._extend_if(keys, arguments)))

    async def replace_if(self, key: str, value: bytes, new: bytes) -> bool:
        """Gives a key a new value only while it has this one."""
        async with self._once() as one:
            return bool(await self._replace_if([self.name(key)], [value, new], client=one))

    async def scan(self, prefix: str, *, limit: int | None = None) -> AsyncIterator[str]:
        """The keys that begin so."""
        pattern = self.name(prefix).translate(_GLOB) + "*"
        cursor, seen = 0, set[bytes]()
        while limit is None or len(seen) < limit:
            page = functools.partial(self._client.scan, cursor, match=pattern, count=_SCAN_COUNT)
            cursor, names = await self._asked(page)
            for name in names:
                if name not in seen and (limit is None or len(seen) < limit):
                    seen.add(name)
                    yield name.decode().removeprefix(self._prefix)
            if cursor == 0:
                return

    async def ttl_s(self, key: str) -> float | None:
        """Seconds that a key has left."""
        left = int(await self._asked(lambda: self._client.pttl(self.name(key))))
        return left / 1000 if left >= 0 else None

    async def announce(self, topic: str, message: bytes) -> None:
        """Tells a message to all who listen."""
        name, entry = self._topics + topic, {MESSAGE: message}
        await self._asked(lambda: self._client.xadd(name, entry, maxlen=TOPIC_LENGTH, approximate=True))

    def listening(self, topic: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[bytes | None]]:
        """Hears a topic, on a connection of its own."""
        return listening(self._url, self._topics + topic, timeout_s=self._timeout_s)

    async def ping(self) -> float:
        """Seconds that the server took to answer."""
        started = time.perf_counter()
        await self._asked(self._client.ping)
        return time.perf_counter() - started

    async def time_s(self) -> float:
        """What the server's clock says, in seconds since the epoch."""
        async with self._operation():
            seconds, microseconds = await self._client.time()
        return float(seconds) + float(microseconds) / 1e6

    async def aclose(self) -> None:
        """Closes the connections."""
        with contextlib.suppress(RedisError, OSError):
            await self._client.aclose()

    async def _asked(self, operation: Callable[[], Awaitable[Value]]) -> Value:
        """One operation that may be done twice, for a connection that broke long ago shows it only when it is used.

        The second try is within the time of the first, and for connections alone: a server that is slow stays slow.
        """
        async with self._operation():
            try:
                return await operation()
            except RedisConnectionError:
                # What lies idle is as old as the one that broke, and would fail the next calls, one after another.
                await self._client.connection_pool.disconnect(inuse_connections=False)
                return await operation()

    @contextlib.asynccontextmanager
    async def _once(self) -> AsyncIterator[Any]:
        """A connection for one operation that a second try could undo, or answer wrongly: it would meet the first.

        So the connection is tried before, which costs a round, and not after.
        """
        one = self._client.client()
        try:
            # Its connection is opened here and not by `async with`, which leaves it behind when it is cancelled then.
            await self._asked(one.initialize)
            await self._asked(one.ping)
            async with self._operation():
                yield one
        finally:
            await one.aclose()

    @contextlib.asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        """One operation within its time: the socket's own timeout counts from each byte, this one from the start."""
        with mapped():
            async with asyncio.timeout(self._timeout_s):
                yield


def _milliseconds(ttl_s: float | None) -> int | None:
    return None if ttl_s is None else max(1, round(ttl_s * 1000))
