"""The only place where replicas agree on a trigger: its state in a key-value store, and the leases of its firings.

The state lies under the cron line, and is changed only by who knows the one before; so whatever two replicas make of it
at once, one of them has done it and the other has not, however late it comes and whatever its clock says. Beside it
lies the lease of the firing under way: it dies with the replica that holds it.
"""

from typing import NamedTuple

import msgspec
import structlog

from mesh.schedule.state import State
from mesh.stores.protocol import Kv

_log = structlog.get_logger("mesh.schedule")


class Found(NamedTuple):
    """What the store holds of a trigger."""

    data: bytes | None
    """As it lies there."""
    state: State | None
    """What it says; None where there is none, or none that can be read."""


class Keeping:
    """Triggers in a store; every method raises StoreError where it does not answer.

    Args:
        kv: the store.
        prefix: what stands before its keys.
        lease_s: seconds that a lease lasts when nobody renews it.
    """

    def __init__(self, kv: Kv, *, prefix: str, lease_s: float) -> None:
        self._kv = kv
        self._prefix = prefix
        self._lease_s = lease_s

    async def find(self, line: str) -> Found:
        """What is kept of a trigger."""
        data = await self._kv.get(self._prefix + line)
        if data is None:
            return Found(None, None)
        try:
            return Found(data, msgspec.json.decode(data, type=State))
        except (ValueError, RecursionError):  # msgspec's own errors are some, and it recurses into what is nested
            _log.exception("trigger_unreadable", trigger=line, taken_for="one that was never seen")
            return Found(data, None)

    async def change(self, line: str, found: Found, state: State) -> bool:
        """Keeps a state in place of what was found; whether it was still there."""
        key, new = self._prefix + line, msgspec.json.encode(state)
        if found.data is None:
            return await self._kv.put_if_absent(key, new)
        return await self._kv.replace_if(key, found.data, new)

    async def lease(self, line: str, holder: str) -> None:
        """Takes out a lease, before anybody is told of it."""
        await self._kv.put(self._lease(line, holder), holder.encode(), ttl_s=self._lease_s)

    async def is_held(self, line: str, holder: str) -> bool:
        """Whether the holder of a lease still lives."""
        return await self._kv.get(self._lease(line, holder)) is not None

    async def renew(self, line: str, holder: str) -> bool:
        """Lets a lease last anew; whether it still was one."""
        return await self._kv.extend_if(self._lease(line, holder), holder.encode(), ttl_s=self._lease_s)

    async def let_go(self, line: str, holder: str) -> None:
        """Ends a lease."""
        await self._kv.delete(self._lease(line, holder))

    def _lease(self, line: str, holder: str) -> str:
        return f"{self._prefix}{line}:lease:{holder}"
