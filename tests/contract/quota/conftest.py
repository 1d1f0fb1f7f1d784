"""Each kind of ledger on the real thing behind it: this process's memory, and a valkey-server."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from mesh.call import Clock
from mesh.hosting.embedded import embedded_valkey
from mesh.quota.account import Account
from mesh.quota.ledger import Ledger, LocalLedger
from mesh.quota.shared_ledger import SharedLedger
from mesh.secrets import Secret
from mesh.stores.redis_kv import RedisKv

KEY = "canary-4711"


class Make(Protocol):
    """Makes a ledger."""

    async def __call__(self, *, clock: Clock = ..., monotonic: Clock = ...) -> SharedLedger:
        """A ledger, on the clocks of its process."""


def account(*, per_s: float = 0.0, burst: int = 1, per_day: int = 0, reserve: float = 0.1) -> Account:
    """An account of a provider that is not there."""
    return Account(
        provider="provider",
        name="Provider",
        key=Secret("KEY", KEY),
        calls_per_second=per_s,
        burst=burst,
        calls_per_day=per_day,
        live_reserve=reserve,
    )


class Starts:
    """When calls began, in seconds since this was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.times: list[float] = []

    async def call(self, ledger: Ledger, of: Account, *, left_s: float = 30.0) -> None:
        """Waits for a turn and notes when it came."""
        await ledger.take(of, batch=False, left_s=left_s)
        self.times.append(time.monotonic() - self._began)

    def early(self, per_s: float, burst: int = 1) -> list[float]:
        """The calls that began before their turn, whoever made them; being late is no fault of a ledger's."""
        return [at for turn, at in enumerate(sorted(self.times)) if at < (turn - burst + 1) / per_s - 1e-3]


@pytest.fixture
async def valkey() -> AsyncIterator[str]:
    """The URL of a valkey-server of this test's own."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url


@pytest.fixture
async def shared(valkey: str) -> AsyncIterator[Make]:
    """Makes ledgers that share one server, each with a connection of its own, as processes have."""
    made: list[SharedLedger] = []

    async def make(*, clock: Clock = time.time, monotonic: Clock = time.monotonic) -> SharedLedger:
        ledger = SharedLedger(RedisKv(valkey, "ledger"), LocalLedger(), clock=clock, monotonic=monotonic)
        made.append(ledger)
        await ledger.connect()
        return ledger

    yield make
    await asyncio.gather(*(ledger.aclose() for ledger in made))


@pytest.fixture(params=["local", "shared"])
async def ledger(request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    """A ledger of each kind."""
    if request.param == "local":
        yield LocalLedger()
        return
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            made = SharedLedger(RedisKv(url, "ledger"), LocalLedger())
            await made.connect()
            yield made
            await made.aclose()
