"""Ledger: who counts the calls to providers and lets each begin in its turn; and the one that counts for a process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from mesh.call import Clock
from mesh.quota import refusals
from mesh.quota.account import Account

ROUNDING_S = 1e-6
"""Who has waited as long as it was told must not be told to wait again for what a float could not hold."""

Sleep = Callable[[float], Awaitable[object]]
"""Waits for seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is used of an account, and what is left."""

    day_used: int
    """Calls since the day began, those that wait for their turn among them."""
    day_limit: int
    """Calls that the day holds; 0 is no limit."""
    reserve: int
    """Calls of the day that batch work leaves to people."""
    reset_at: float
    """When the next day begins, in seconds since the epoch."""
    now: float
    """When these counts were read, on the clock that the ledger goes by, in seconds since the epoch."""
    exhausted: bool
    """The provider has said that the day is spent, whatever was counted."""
    calls_per_second: float
    """Calls that may begin in a second; 0 is no limit."""
    wait_s: float
    """Seconds until a call that comes now may begin."""
    shared: bool
    """The counts are those of every process that uses the key, not of this one alone."""

    @property
    def spent(self) -> bool:
        """The day holds no further call for anybody."""
        return self.exhausted or 0 < self.day_limit <= self.day_used


class Ledger(Protocol):
    """Counts the calls of accounts, by second and by day.

    A call is counted when it is let go, whatever comes of it, for providers bill errors too.
    """

    async def take(self, account: Account, *, batch: bool, left_s: float) -> None:
        """Returns when a call may begin, and counts it; who is cancelled while waiting is not counted.

        Args:
            account: whose call it is.
            batch: nobody waits for it, so it leaves the live reserve alone.
            left_s: seconds that the call has left; one whose turn would come later is not kept waiting for nothing.

        Raises:
            ResourceExhaustedError: QUOTA_SPENT, with the time of the reset, when the day holds no further call for
                this class of work; PROVIDER_RATE_LIMITED, with the time after which a turn is to be had.
        """

    async def hold(self, account: Account, pause_s: float) -> None:
        """Lets no call begin for a while, those that wait included: the provider has said that we are too fast."""

    async def exhaust(self, account: Account) -> None:
        """Lets no call begin until the reset: the provider has said that the day's quota is spent."""

    async def usage(self, account: Account) -> Usage:
        """What is used of an account; costs no call."""

    async def aclose(self) -> None:
        """Lets go of what it holds."""


@dataclass(slots=True, eq=False)
class _Tally:
    """The counts of one account."""

    turn: float
    """When the next call would begin if none had been ahead of the pace, on the clock that never goes back."""
    reset_at: float = 0.0
    """When the day that is counted ends."""
    used: int = 0
    """Calls of the day."""
    exhausted: bool = False
    """The provider has said that the day is spent."""
    waiting: int = 0
    """Calls that wait for their turn."""
    head: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the first of those; asyncio's lock is fair, and one that is cancelled in the queue just leaves it."""


class LocalLedger:
    """Counts for this process alone: first come first served, each account at its pace.

    The pace is the generic cell rate algorithm's (ITU-T I.371): a call may be ahead of the steady pace by as much as
    makes a burst. Who is cancelled while it waits gives its turn to the next. All of it holds within one event loop.

    Args:
        clock: seconds since the epoch, for days are a calendar's.
        monotonic: seconds, never going back, for turns.
        sleep: waits for seconds.
    """

    def __init__(
        self, *, clock: Clock = time.time, monotonic: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._tallies: dict[str, _Tally] = {}

    async def take(self, account: Account, *, batch: bool, left_s: float) -> None:
        """Returns when a call may begin, and counts it."""
        tally = self._today(account)
        self._check(account, tally, batch=batch)
        gives_up_at = self._monotonic() + left_s
        self._in_time(account, tally, gives_up_at, ahead=tally.waiting)
        counted = tally.reset_at
        tally.used += 1
        tally.waiting += 1
        try:
            async with tally.head:
                # Timers may fire a little early, and `hold` may have moved the turn meanwhile.
                while (wait_s := self._in_time(account, tally, gives_up_at)) > 0:
                    await self._sleep(wait_s)
                tally.turn = max(tally.turn, self._monotonic()) + account.interval_s
        except BaseException:
            if self._today(account).reset_at == counted:
                tally.used -= 1
            raise
        finally:
            tally.waiting -= 1
        if self._today(account).reset_at != counted:
            # It waited past the reset, so it is a call of the new day.
            tally.used += 1

    async def hold(self, account: Account, pause_s: float) -> None:
        """Lets no call begin for a while."""
        self._behind(account, pause_s)

    async def exhaust(self, account: Account) -> None:
        """Lets no call begin until the reset."""
        self._today(account).exhausted = True

    async def usage(self, account: Account) -> Usage:
        """What this process has used of an account."""
        tally = self._today(account)
        return Usage(
            day_used=tally.used,
            day_limit=account.calls_per_day,
            reserve=account.reserve,
            reset_at=tally.reset_at,
            now=self._clock(),
            exhausted=tally.exhausted,
            calls_per_second=account.calls_per_second,
            wait_s=self._wait_s(account, tally, ahead=tally.waiting),
            shared=False,
        )

    def remember(self, account: Account, *, used: int, exhausted: bool, pause_s: float) -> None:
        """Takes over what another ledger knew, so that counting here goes on from there.

        Args:
            account: whose calls.
            used: calls of the day, by its count.
            exhausted: the provider has told it that the day is spent.
            pause_s: seconds until the next call may begin.
        """
        tally = self._today(account)
        tally.used = max(tally.used, used)
        tally.exhausted = tally.exhausted or exhausted
        self._behind(account, pause_s)

    async def aclose(self) -> None:
        """Has nothing to let go of."""

    def _today(self, account: Account) -> _Tally:
        """The counts of an account, begun anew when its day is over."""
        tally = self._tallies.get(account.id)
        if tally is None:
            tally = self._tallies[account.id] = _Tally(self._monotonic())
        now = self._clock()
        if tally.reset_at <= now:
            tally.reset_at, tally.used, tally.exhausted = account.day(now).reset_at, 0, False
        return tally

    def _check(self, account: Account, tally: _Tally, *, batch: bool) -> None:
        allowed = account.allows(batch=batch)
        if tally.exhausted or (allowed is not None and tally.used >= allowed):
            kept = 0 if tally.exhausted else max(0, account.calls_per_day - tally.used)
            raise refusals.quota_spent(account, tally.reset_at, self._clock(), kept=kept)

    def _in_time(self, account: Account, tally: _Tally, gives_up_at: float, *, ahead: int = 0) -> float:
        """Seconds until a call's turn, where that comes in time."""
        wait_s, left_s = self._wait_s(account, tally, ahead=ahead), gives_up_at - self._monotonic()
        if wait_s > left_s + ROUNDING_S:
            raise refusals.turn_too_late(account, wait_s, max(0.0, left_s))
        return wait_s

    def _wait_s(self, account: Account, tally: _Tally, *, ahead: int = 0) -> float:
        now = self._monotonic()
        wait_s = max(tally.turn, now) + ahead * account.interval_s - account.tolerance_s - now
        return wait_s if wait_s > ROUNDING_S else 0.0

    def _behind(self, account: Account, pause_s: float) -> None:
        tally = self._today(account)
        tally.turn = max(tally.turn, self._monotonic() + pause_s + account.tolerance_s)
