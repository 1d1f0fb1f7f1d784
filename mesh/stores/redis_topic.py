"""Topics on a server that speaks Redis's protocol: the only place that reads their streams.

A topic is a capped stream (https://valkey.io/topics/streams-intro/), not a pub/sub channel: a listener remembers the id
of the last entry it read, and so an outage, its own or the server's, loses nothing that the server still has.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from mesh.stores.errors import StoreUnavailableError
from mesh.stores.redis_errors import mapped

MESSAGE = b"m"
"""The field of an entry that has the message."""

_MARK = b"mark"
"""The field of an entry that has none: it only gives a new stream a last entry to go on from."""

_BLOCK_S = 1.0
"""Seconds that the server waits for an entry before it answers that there is none, which also tells that it lives."""

_COUNT = 500
"""Entries that one answer has at most."""

_FIRST_PAUSE_S = 0.05
"""Seconds of the pause after the first failure, at most."""

_LONGEST_PAUSE_S = 1.0
"""Seconds of the longest pause: a listener is late by no more than that when the server is back."""

_log = structlog.get_logger("mesh.stores")


@contextlib.asynccontextmanager
async def listening(
    url: str, name: str, *, timeout_s: float, chance: Callable[[], float] = random.random
) -> AsyncIterator[AsyncIterator[bytes | None]]:
    """Hears a stream, on a connection of its own, from its end as it is when this is entered.

    Args:
        url: redis://, rediss:// or unix://.
        name: the stream's key.
        timeout_s: seconds that the server has to answer, beside the time that it is asked to wait.
        chance: a number from 0 to 1, for the pauses.
    """
    # One time-out for all: redis-py would give up an XREAD that blocks for longer than its socket_timeout.
    limit_s = _BLOCK_S + timeout_s
    client = redis.Redis.from_url(
        url, single_connection_client=True, socket_timeout=limit_s, socket_connect_timeout=timeout_s, retry=None
    )
    try:
        heard = _Heard(client, name, limit_s, chance)
        await heard.begin()
        yield heard
    finally:
        with contextlib.suppress(RedisError, OSError):
            await client.aclose()


def pause_s(failures: int, chance: float) -> float:
    """Seconds to wait before a server is asked again; they double from failure to failure, and differ by chance.

    Args:
        failures: how often in a row it failed, from 1.
        chance: a number from 0 to 1; it takes away up to a half.
    """
    doublings = min(failures - 1, 10)
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**doublings) * (1 - chance / 2)


class _Heard:
    """The messages of one stream; what it remembers changes only between waits, so any wait can be cancelled."""

    def __init__(self, client: Any, name: str, limit_s: float, chance: Callable[[], float]) -> None:
        self._client = client
        self._name = name
        self._limit_s = limit_s
        self._chance = chance
        self._last = b""
        self._ready: deque[bytes | None] = deque()
        self._failures = 0

    async def begin(self) -> None:
        """Waits until it hears."""
        while not self._last:
            async with self._attempt():
                self._last = await self._end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | None:
        """The next message, or None for messages that are gone."""
        while not self._ready:
            async with self._attempt():
                await self._read()
        return self._ready.popleft()

    async def _read(self) -> None:
        """Reads on after the last entry, as far as nothing in between is gone."""
        found = await self._client.xread({self._name: self._last}, block=round(_BLOCK_S * 1000), count=_COUNT)
        # The oldest go first. So while the last entry is still there, nothing after it was gone when it was read.
        if not await self._client.xrange(self._name, self._last, self._last):
            self._last = await self._end()
            self._ready.append(None)
        elif found:
            entries = found[0][1]
            self._last = entries[-1][0]
            self._ready.extend(fields[MESSAGE] for _, fields in entries if MESSAGE in fields)

    async def _end(self) -> bytes:
        """The id of the last entry; one is made where there is none."""
        entries = await self._client.xrevrange(self._name, count=1)
        last: bytes = entries[0][0] if entries else await self._client.xadd(self._name, {_MARK: b""})
        return last

    @contextlib.asynccontextmanager
    async def _attempt(self) -> AsyncIterator[None]:
        """One attempt to hear something; when it fails it has lasted for a pause that grows from failure to failure."""
        try:
            with mapped():
                async with asyncio.timeout(self._limit_s):
                    yield
        except StoreUnavailableError as error:
            if not self._failures:
                _log.warning("topic_unheard", topic=self._name, error=str(error))
            self._failures += 1
            await asyncio.sleep(pause_s(self._failures, self._chance()))
        else:
            if self._failures:
                _log.info("topic_heard_again", topic=self._name, failures=self._failures)
            self._failures = 0
