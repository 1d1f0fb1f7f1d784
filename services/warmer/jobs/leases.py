"""The only place that has one replica at a time do work on a job; what it holds dies with it.

lease:<work>:<job>       in WARMING_CACHE: who does it
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from mesh.status import UnavailableError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv
from services.warmer import faults

LEASE_S = 5.0
"""Seconds after which whoever plans or closes a job without a word is taken for dead, as with a batch in hand."""

_log = structlog.get_logger("services.warmer")


class Leases:
    """Leases on work.

    Args:
        kv: the store.
        replica: a name that no other process has.
    """

    def __init__(self, kv: Kv, replica: str) -> None:
        self._kv = kv
        self._mine = replica.encode()

    async def alone(self, work: str, job_id: str, do: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Does work on a job that no other replica is at; whether it was this one's to the end.

        One that stood still for so long that another has taken over gives up as soon as it is told.

        Args:
            work: what is done.
            job_id: for which job.
            do: does it.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
            MeshError: whatever the work raises.
        """
        async with self._lease(f"lease:{work}:{job_id}") as extend:
            if extend is None:
                return False
            working = asyncio.create_task(do())
            try:
                while not (await asyncio.wait({working}, timeout=LEASE_S / 3))[0]:
                    if not await _is_held(extend):
                        _log.warning("lease_lost", work=work, job=job_id)
                        return False
                await working
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
        return True

    @asynccontextmanager
    async def _lease(self, key: str) -> AsyncIterator[Callable[[], Awaitable[bool]] | None]:
        """Takes a lease; gives what extends it, or None when another replica has it."""
        ttl_s = LEASE_S
        if not await _stored(self._kv.put_if_absent(key, self._mine, ttl_s=ttl_s)):
            yield None
            return
        try:
            yield lambda: _stored(self._kv.extend_if(key, self._mine, ttl_s=ttl_s))
        finally:
            await _stored(self._kv.delete_if(key, self._mine))


async def _is_held(extend: Callable[[], Awaitable[bool]]) -> bool:
    """Extends a lease; False when it is another's by now."""
    try:
        return await extend()
    except UnavailableError as error:
        # Nobody can take it from a store that is away; the next word tells.
        _log.warning("lease_not_extended", reason=error.reason)
        return True


async def _stored(operation: Awaitable[bool]) -> bool:
    try:
        return await operation
    except StoreError as error:
        raise faults.store_unavailable("WARMING_CACHE") from error
