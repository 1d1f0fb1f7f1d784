"""The only place that spends a provider's calls: each with the first key that serves it, in the time of its query."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from mesh.quota.account import Account
from mesh.quota.key_ring import KeyRing
from mesh.quota.ledger import Ledger
from mesh.status import MeshError
from services.books.providers.http import CALL_LIMIT_S, PAUSE_S, Line, Reply

Value = TypeVar("Value")


class Caller:
    """A provider's line and its keys.

    Args:
        line: speaks HTTP.
        keys: the keys, or the one account of those who have none.
        ledger: counts the calls of each.
        headers: what a call with an account goes out with.
        secret: the binding of the first key, for a provider that serves the keyless as a favour; else "".
        clock: seconds, never going back.
    """

    def __init__(
        self,
        line: Line,
        keys: KeyRing,
        ledger: Ledger,
        *,
        headers: Callable[[Account], Mapping[str, str]],
        secret: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = line
        self._keys = keys
        self._ledger = ledger
        self._headers = headers
        self._secret = secret
        self._clock = clock

    def begin(self, *, limit_s: float | None, batch: bool) -> "Round":
        """The calls of one query.

        Args:
            limit_s: seconds that they have together; None gives each CALL_LIMIT_S.
            batch: nobody waits for them, so they leave the live reserve alone.
        """
        return Round(self, batch=batch, until=None if limit_s is None else self._clock() + limit_s)

    async def get(
        self,
        path: str,
        query: Mapping[str, str],
        read: Callable[[Reply], Value],
        *,
        until: float | None,
        batch: bool,
    ) -> Value:
        """One call; a key that is spent or refused gives way to the next.

        Raises:
            MeshError: what the last key met with.
        """
        until = self._clock() + CALL_LIMIT_S if until is None else until
        for left in reversed(range(len(self._keys.accounts))):
            taken: list[Account] = []

            async def turn(left_s: float, taken: list[Account] = taken) -> Mapping[str, str]:
                taken.append(await self._keys.take(left_s=left_s, batch=batch))
                return self._headers(taken[0])

            try:
                left_s = max(0.0, until - self._clock())
                return await self._line.get(path, query, turn=turn, read=read, limit_s=left_s)
            except MeshError as error:
                failure = error
            if not taken or not await self._note(taken[0], failure) or not left:
                break
        raise self._meant(failure)

    async def _note(self, account: Account, failure: MeshError) -> bool:
        """Keeps what the provider said of a key; whether the failure is that key's alone."""
        if failure.reason == "QUOTA_SPENT":
            await self._ledger.exhaust(account)
            return True
        if failure.reason == "PROVIDER_KEY_REFUSED":
            self._keys.refuse(account)
            return True
        if failure.reason == "PROVIDER_RATE_LIMITED":
            await self._ledger.hold(account, failure.retry_after_s or PAUSE_S)
        return False

    def _meant(self, failure: MeshError) -> MeshError:
        """A failure as callers see it: who is served as a favour has no claim to an answer, so nobody expects one."""
        keyless = all(account.key is None for account in self._keys.accounts)
        if self._secret and keyless and failure.reason in ("QUOTA_SPENT", "PROVIDER_KEY_REFUSED"):
            return self._line.faults.not_served(self._secret, failure.retry_after_s)
        return failure.detached()


class Round:
    """The calls of one query, counted.

    Args:
        caller: makes them.
        batch: nobody waits for them.
        until: when their time is over, on the caller's clock.
    """

    def __init__(self, caller: Caller, *, batch: bool, until: float | None) -> None:
        self._caller = caller
        self._batch = batch
        self._until = until
        self.call_count = 0
        """Calls so far, those that failed among them."""

    async def get(self, path: str, query: Mapping[str, str], read: Callable[[Reply], Value]) -> Value:
        """Asks one question.

        Raises:
            MeshError: why it has no answer.
        """
        self.call_count += 1
        return await self._caller.get(path, query, read, until=self._until, batch=self._batch)
