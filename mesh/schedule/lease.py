"""The right to fire a trigger: one replica has it at a time, and it dies with its holder."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv

LEASE_S = 15.0
"""Seconds after which a holder that says nothing is taken for dead; the store's clock counts."""

_log = structlog.get_logger("mesh.schedule")

Sleep = Callable[[float], Awaitable[object]]


class LeaseLostError(Exception):
    """Another one has it, as happens to a process that was frozen for long."""


class Lease:
    """The right to fire one trigger.

    Args:
        kv: where it lies.
        key: under which key.
        holder: a name that no other process has.
        sleep: waits for seconds.
    """

    def __init__(self, kv: Kv, key: str, holder: str, sleep: Sleep) -> None:
        self._kv = kv
        self._key = key
        self._holder = holder.encode()
        self._sleep = sleep

    async def take(self) -> bool:
        """Whether one has it now.

        Raises:
            StoreError: the store does not answer.
        """
        return await self._kv.put_if_absent(self._key, self._holder, ttl_s=LEASE_S)

    async def keep(self) -> None:
        """Keeps it until it is lost to another; a store that is away for a moment does not lose it."""
        while True:
            await self._sleep(LEASE_S / 3)
            try:
                if not await self._kv.extend_if(self._key, self._holder, ttl_s=LEASE_S):
                    return
            except StoreError as error:
                _log.warning("lease_not_kept", key=self._key, error=type(error).__name__)

    async def give_back(self) -> None:
        """Lets go of it; where the store is away it dies by itself."""
        try:
            await self._kv.delete_if(self._key, self._holder)
        except StoreError as error:
            _log.warning("lease_not_given_back", key=self._key, error=type(error).__name__)


async def while_kept(lease: Lease, work: Awaitable[str]) -> str:
    """Does work while a lease is held.

    Raises:
        LeaseLostError: it was lost, and the work given up.
    """
    doing = asyncio.ensure_future(work)
    keeping = asyncio.ensure_future(lease.keep())
    try:
        await asyncio.wait({doing, keeping}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise LeaseLostError
        return await doing
    finally:
        for task in (doing, keeping):
            task.cancel()
        await asyncio.gather(doing, keeping, return_exceptions=True)
