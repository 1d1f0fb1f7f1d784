"""The stores that triggers may lie in: a dict, and a valkey-server that each replica has a connection of its own to."""

import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mesh.hosting.embedded import embedded_valkey
from mesh.stores.memory import MemoryKv
from mesh.stores.protocol import Kv
from mesh.stores.redis_kv import RedisKv


@pytest.fixture(params=["memory", "valkey"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Kv]]:
    """Opens one store, again and again."""
    if request.param == "memory":
        kv = MemoryKv()
        yield lambda: kv
        return
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield lambda: RedisKv(url, "contract[*]?")
