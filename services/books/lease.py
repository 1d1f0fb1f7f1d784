"""The only place where processes agree on who asks the providers for a key: a lease in the hot tier's store.

A lease dies with its holder: it lasts for seconds, and whoever holds it renews it as long as it lives. Where the store
can't be asked there are no leases, and each process asks for itself: a search never fails for one.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from mesh.background import Background
from mesh.stores.protocol import Kv
from services.books.guard import PATIENT_S, Guard

LEASE_S = 3.0
"""Seconds that a lease lasts when nobody renews it: how long others wait for a holder that died."""

RENEW_S = 1.0
"""Seconds between two renewals, so that two may fail."""

_LONGER = 4
"""Times a search's patience that its lease is waited for: the store has just answered that it holds no answer, and to
ask the providers without a lease takes far longer than this, and may cost their quota."""

_PREFIX = "lease:"
"""What stands before the key of an answer in the key of its lease; no answer's key begins so."""


class Lease:
    """The right to ask the providers for one key.

    Args:
        let_go: gives it back.
    """

    def __init__(self, let_go: Callable[[], Awaitable[None]] | None = None) -> None:
        self._let_go = let_go

    @property
    def is_shared(self) -> bool:
        """Whether other processes know of it."""
        return self._let_go is not None

    async def let_go(self) -> None:
        """Gives it back; a lease that is none of the store's costs nothing to give back."""
        if self._let_go is not None:
            await self._let_go()


class Leases:
    """Leases of keys.

    Args:
        kv: where they lie.
        guard: what stands before that store.
        background: where they are renewed.
        patience_s: seconds that a search waits for the store.
    """

    def __init__(self, kv: Kv, guard: Guard, background: Background, *, patience_s: float) -> None:
        self._kv = kv
        self._guard = guard
        self._background = background
        self._patience_s = patience_s

    async def take(self, key: str) -> Lease | None:
        """The lease of a key; None where another has it, in whichever process."""
        if not self._guard.is_well:
            # The walk through the tiers has waited for this store already; it is not waited for twice.
            return Lease()
        name, token = _PREFIX + key, secrets.token_bytes(8)
        given_up = False

        async def put() -> bool:
            is_mine = await self._kv.put_if_absent(name, token, ttl_s=LEASE_S)
            if given_up and is_mine:
                # It came too late for whoever asked, and others would wait for somebody who is not at it.
                await self._kv.delete_if(name, token)
            return is_mine

        said = None
        try:
            said = await self._guard.ask(put, limit_s=self._patience_s * _LONGER)
        finally:
            given_up = said is None
        if said is None:
            return Lease()
        if not said.value:
            return None
        renewing = self._background.spawn(self._renew(name, token), name="lease")

        async def let_go() -> None:
            renewing.cancel()
            await self._guard.ask(lambda: self._kv.delete_if(name, token), limit_s=PATIENT_S)

        return Lease(let_go)

    async def is_taken(self, key: str) -> bool:
        """Whether somebody has the lease of a key; nobody has where the store can't be asked.

        Whoever asks waits for another process's answer already, so a slow store is waited for.
        """
        said = await self._guard.ask(lambda: self._kv.get(_PREFIX + key), limit_s=PATIENT_S)
        return said is not None and said.value is not None

    async def _renew(self, name: str, token: bytes) -> None:
        """Renews a lease until it is another's."""
        while True:
            await asyncio.sleep(RENEW_S)
            said = await self._guard.ask(lambda: self._kv.extend_if(name, token, ttl_s=LEASE_S), limit_s=PATIENT_S)
            if said is not None and not said.value:
                return
