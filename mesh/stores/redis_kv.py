"""Kv on a server that speaks Redis's protocol: Valkey or Redis, over TCP, TLS or a unix socket."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from mesh.stores.errors import StoreTimeoutError, StoreUnavailableError

TIMEOUT_S = 1.0
"""Seconds that one operation may take; a store that is slower is as good as down."""

_SCAN_COUNT = 500
"""Keys that the server looks at for one answer of SCAN."""

_GLOB = str.maketrans({character: f"\\{character}" for character in "\\*?[]^"})
"""What SCAN's pattern would read as more than itself."""


@contextlib.contextmanager
def mapped() -> Iterator[None]:
    """Turns redis-py's errors, and those of the socket below it, into ours."""
    try:
        yield
    except (RedisTimeoutError, TimeoutError) as error:
        raise StoreTimeoutError("the key-value store did not answer in time") from error
    except (RedisError, OSError) as error:
        raise StoreUnavailableError(f"the key-value store failed: {type(error).__name__}") from error


class RedisKv:
    """One namespace on a server; it connects when it is first used.

    Args:
        url: redis://, rediss:// or unix://.
        namespace: what stands before every key, so that two ids can share a server.
        timeout_s: seconds that one operation may take.
    """

    def __init__(self, url: str, namespace: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._prefix = f"{namespace}:"
        self._timeout_s = timeout_s
        # A retry inside would multiply the timeout; those who can wait try again themselves.
        # redis-py types answers as bytes or text; this client decodes nothing, so they are bytes.
        self._client: Any = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None, max_connections=64
        )

    @property
    def raw(self) -> Any:
        """The redis-py client."""
        return self._client

    def name(self, key: str) -> str:
        """The key with its namespace."""
        return self._prefix + key

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        async with self._operation():
            value: bytes | None = await self._client.get(self.name(key))
        return value

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of many keys."""
        if not keys:
            return []
        async with self._operation():
            values: list[bytes | None] = await self._client.mget([self.name(key) for key in keys])
        return values

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Sets a value."""
        async with self._operation():
            await self._client.set(self.name(key), value, px=_milliseconds(ttl_s))

    async def put_many(self, items: Mapping[str, bytes], *, ttl_s: float | None = None) -> None:
        """Sets many values."""
        if not items:
            return
        async with self._operation(), self._client.pipeline(transaction=False) as pipeline:
            for key, value in items.items():
                pipeline.set(self.name(key), value, px=_milliseconds(ttl_s))
            await pipeline.execute()

    async def put_if_absent(self, key: str, value: bytes, *, ttl_s: float | None = None) -> bool:
        """Sets a value unless the key has one."""
        async with self._operation():
            return bool(await self._client.set(self.name(key), value, px=_milliseconds(ttl_s), nx=True))

    async def delete(self, *keys: str) -> int:
        """Removes keys."""
        if not keys:
            return 0
        async with self._operation():
            return int(await self._client.unlink(*(self.name(key) for key in keys)))

    async def scan(self, prefix: str, *, limit: int | None = None) -> AsyncIterator[str]:
        """The keys that begin so."""
        pattern = self.name(prefix).translate(_GLOB) + "*"
        cursor, seen = 0, set[bytes]()
        while limit is None or len(seen) < limit:
            async with self._operation():
                cursor, names = await self._client.scan(cursor, match=pattern, count=_SCAN_COUNT)
            for name in names:
                if name not in seen and (limit is None or len(seen) < limit):
                    seen.add(name)
                    yield name.decode().removeprefix(self._prefix)
            if cursor == 0:
                return

    async def ttl_s(self, key: str) -> float | None:
        """Seconds that a key has left."""
        async with self._operation():
            left = int(await self._client.pttl(self.name(key)))
        return left / 1000 if left >= 0 else None

    async def ping(self) -> float:
        """Seconds that the server took to answer."""
        started = time.perf_counter()
        async with self._operation():
            await self._client.ping()
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

    @contextlib.asynccontextmanager
    async def _operation(self) -> AsyncIterator[None]:
        """One operation within its time: the socket's own timeout counts from each byte, this one from the start."""
        with mapped():
            async with asyncio.timeout(self._timeout_s):
                yield


def _milliseconds(ttl_s: float | None) -> int | None:
    return None if ttl_s is None else max(1, round(ttl_s * 1000))
