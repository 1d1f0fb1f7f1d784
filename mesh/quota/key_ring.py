"""KeyRing: the only place that chooses which of a provider's keys a call goes out with."""

from collections.abc import Sequence

from mesh.call import Clock
from mesh.quota import refusals
from mesh.quota.account import Account
from mesh.quota.ledger import Ledger
from mesh.status import ResourceExhaustedError

REFUSED_S = 60.0
"""Seconds that a key is passed over after the provider has refused it: one that is mended is found again by itself."""


class KeyRing:
    """The keys of one provider, in the order in which they are used.

    Args:
        accounts: the keys; those that are the same key count once.
        ledger: what counts their calls.
        clock: seconds, never going back, for how long a refused key is passed over.

    Raises:
        ValueError: there is no account.
    """

    def __init__(self, accounts: Sequence[Account], ledger: Ledger, *, clock: Clock) -> None:
        self.accounts = tuple({account.id: account for account in accounts}.values())
        """Each key once."""
        if not self.accounts:
            raise ValueError("a key ring needs an account")
        self._ledger = ledger
        self._clock = clock
        self._back_at: dict[str, float] = {}

    async def take(self, *, left_s: float, batch: bool) -> Account:
        """Returns the account that a call may begin with, once it may, and counts the call.

        The first account that lets it begin in time is used; while every key is refused the first is tried, so that the
        provider's own words are what is heard.

        Args:
            left_s: seconds that the call has left.
            batch: nobody waits for it, so it leaves the live reserves alone.

        Raises:
            ResourceExhaustedError: QUOTA_SPENT, with the earliest reset, when no account's day holds the call; else
                PROVIDER_RATE_LIMITED, with the shortest wait.
        """
        refused: list[ResourceExhaustedError] = []
        for account in self.usable() or self.accounts[:1]:
            try:
                await self._ledger.take(account, batch=batch, left_s=left_s)
            except ResourceExhaustedError as error:
                refused.append(error)
            else:
                return account
        # What is only too fast may come back sooner than a day.
        too_fast = [error for error in refused if error.reason == refusals.RATE_LIMITED]
        raise min(too_fast or refused, key=lambda error: error.retry_after_s or 0.0)

    def refuse(self, account: Account) -> None:
        """Passes an account over for a while: the provider has refused its key."""
        self._back_at[account.id] = self._clock() + REFUSED_S

    def usable(self) -> tuple[Account, ...]:
        """The accounts whose keys are not refused, in order."""
        now = self._clock()
        return tuple(account for account in self.accounts if self._back_at.get(account.id, now) <= now)
