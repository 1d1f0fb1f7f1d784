"""A task that is told to end while it asks the key-value server ends, whatever the client is at."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from mesh.hosting.embedded import embedded_valkey
from mesh.stores.redis_kv import RedisKv

OPERATIONS: dict[str, Callable[[RedisKv], Awaitable[object]]] = {
    "get": lambda kv: kv.get("a"),
    "put": lambda kv: kv.put("a", b"1"),
    "put_if_absent": lambda kv: kv.put_if_absent("a", b"1", ttl_s=1.0),
    "extend_if": lambda kv: kv.extend_if("a", b"1", ttl_s=1.0),
    "delete_if": lambda kv: kv.delete_if("a", b"1"),
    "announce": lambda kv: kv.announce("topic", b"1"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a real server."""
    path: Path = tmp_path_factory.mktemp("valkey")
    async with embedded_valkey(path) as url:
        yield url


async def cancelled_after(url: str, name: str, turns: int) -> bool:
    """Whether an operation on a new connection, told to end after some turns of the loop, was cancelled or done."""
    kv = RedisKv(url, "cancelling")
    task = asyncio.ensure_future(OPERATIONS[name](kv))
    for _ in range(turns):
        await asyncio.sleep(0)
    is_done = task.done()
    task.cancel()
    await asyncio.wait({task})
    await kv.aclose()
    return is_done or task.cancelled()


@pytest.mark.parametrize("name", OPERATIONS)
async def test_whenever_it_is_told(valkey: str, name: str) -> None:
    """At whichever turn of the loop an operation is cancelled, it does not go on as if nothing had been said."""
    went_on = [turns for turns in range(60) if not await cancelled_after(valkey, name, turns)]
    assert went_on == []
