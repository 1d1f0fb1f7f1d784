"""The ledger that every process shares: counts that lie in a key-value store, and what to do while it is away."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError

from mesh.call import Clock
from mesh.quota import refusals
from mesh.quota.account import Account
from mesh.quota.ledger import LocalLedger, Sleep, Usage
from mesh.quota.script import SCRIPT
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv
from mesh.stores.redis_errors import mapped

LIMIT_S = 0.05
"""Seconds that a call waits for the store before it does without; a script takes some 0.1 ms."""

AWAY_S = 1.0
"""Seconds that a store is left alone after it has failed, so that its next failure costs one call and not all."""

_FIRST_S = 1.0
"""Seconds that the first script may take, before any call waits for it: it connects, and is sent whole."""

_LONGEST_S = 1e6
"""Stands for any longer time; what is sent must fit a number of microseconds."""

_OTHER_DAY = "OTHER_DAY"
"""What the script says when a day is to be begun, and the one that the caller has in mind is not the server's."""

_log = structlog.get_logger("mesh.quota")


class _Reply(NamedTuple):
    """What the script answers; times are microseconds of the server's clock since the epoch."""

    word: str
    """"TURN", "LATE", "SPENT", "DONE", "OTHER_DAY"."""
    now: int
    """The server's time."""
    turn: int
    """The caller's turn, or when it would be."""
    next: int
    """When another call may begin."""
    used: int
    """Calls of the day."""
    reset: int
    """When the day ends."""
    exhausted: int
    """1 when the provider has said that the day is spent."""


class _Place(NamedTuple):
    """A turn that was promised: what the script needs to let the call go, or to take the turn back."""

    turn: int = 0
    """When it is."""
    reset: int = 0
    """When the day ends in which it was counted."""


_NOWHERE = _Place()


class SharedLedger:
    """Counts for every process that shares a store, each call at its turn, first come first served among all of them.

    While the store does not answer, each process counts for itself, going on from what was known: a search never fails
    for a ledger. What was called meanwhile is added once the store is back.

    Args:
        kv: a store with a redis-py client behind it; closed with the ledger.
        local: counts meanwhile.
        clock: seconds since the epoch; only says which day to ask the server for, which knows better.
        monotonic: seconds, never going back.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        kv: Kv,
        local: LocalLedger,
        *,
        clock: Clock = time.time,
        monotonic: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._kv = kv
        self._local = local
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._script: Any = kv.raw.register_script(SCRIPT)
        # One script at a time is fast enough for any provider, and lets one call find out that a store is away.
        self._line = asyncio.Lock()
        self._server_ahead_s = 0.0
        self._away = False
        self._back_at = monotonic()
        self._owed: dict[str, tuple[float, int]] = {}
        """By account, the end of a day and the calls of it that the store has not been told of."""
        self._giving_back: set[asyncio.Task[object]] = set()

    async def connect(self) -> None:
        """Connects before the first call needs it; a store that is away is tried again later."""
        try:
            with mapped():
                async with asyncio.timeout(_FIRST_S):
                    await self._kv.raw.script_load(SCRIPT)
        except StoreError as error:
            self._leave_alone(error)

    async def take(self, account: Account, *, batch: bool, left_s: float) -> None:
        """Returns when a call may begin, and counts it."""
        gives_up_at = self._monotonic() + left_s
        allows = account.allows(batch=batch)
        reply = await self._ask(account, "take", allows=-1 if allows is None else allows, patience_s=left_s)
        while reply is not None:
            self._check(account, reply, gives_up_at)
            wait_s = (reply.turn - reply.now) / 1e6
            if wait_s <= 0:
                return
            place = _Place(reply.turn, reply.reset)
            try:
                await self._sleep(wait_s)
                left_s = gives_up_at - self._monotonic()
                reply = await self._ask(account, "go", patience_s=left_s, place=place)
            except asyncio.CancelledError:
                self._give_back(account, place)
                raise
            if reply is None:
                # The store has gone while the call waited for the turn that it was promised.
                return
        await self._local.take(account, batch=batch, left_s=max(0.0, gives_up_at - self._monotonic()))
        self._owe(account, 1, (await self._local.usage(account)).reset_at)

    async def hold(self, account: Account, pause_s: float) -> None:
        """Lets no call of any process begin for a while."""
        await self._local.hold(account, pause_s)
        await self._ask(account, "hold", patience_s=pause_s)

    async def exhaust(self, account: Account) -> None:
        """Lets no call of any process begin until the reset."""
        await self._local.exhaust(account)
        await self._ask(account, "exhaust")

    async def usage(self, account: Account) -> Usage:
        """What all processes have used of an account; while the store is away, what this one knows of it."""
        reply = await self._ask(account, "look")
        if reply is None:
            return await self._local.usage(account)
        return Usage(
            day_used=reply.used,
            day_limit=account.calls_per_day,
            reserve=account.reserve,
            reset_at=reply.reset / 1e6,
            now=reply.now / 1e6,
            exhausted=bool(reply.exhausted),
            calls_per_second=account.calls_per_second,
            wait_s=(reply.next - reply.now) / 1e6,
            shared=True,
        )

    async def aclose(self) -> None:
        """Waits for what is being given back, and closes the store."""
        await asyncio.gather(*self._giving_back, return_exceptions=True)
        await self._kv.aclose()

    def _check(self, account: Account, reply: _Reply, gives_up_at: float) -> None:
        if reply.word == "SPENT":
            kept = 0 if reply.exhausted else max(0, account.calls_per_day - reply.used)
            raise refusals.quota_spent(account, reply.reset / 1e6, reply.now / 1e6, kept=kept)
        if reply.word == "LATE":
            left_s = max(0.0, gives_up_at - self._monotonic())
            raise refusals.turn_too_late(account, (reply.turn - reply.now) / 1e6, left_s)

    def _give_back(self, account: Account, place: _Place) -> None:
        """Begins to give a turn back; whoever is being cancelled has no time to wait for that."""
        task: asyncio.Task[object] = asyncio.ensure_future(self._ask(account, "give_back", place=place))
        self._giving_back.add(task)
        task.add_done_callback(self._giving_back.discard)

    def _owe(self, account: Account, calls: int, reset_at: float) -> None:
        """Keeps in mind calls that the store has not been told of, as long as their day lasts."""
        day, before = self._owed.get(account.id, (reset_at, 0))
        self._owed[account.id] = (reset_at, calls + before if day == reset_at else calls)

    async def _ask(
        self, account: Account, what: str, *, allows: int = -1, patience_s: float = 0.0, place: _Place = _NOWHERE
    ) -> _Reply | None:
        """Runs the script within its time; None while the store is away."""
        try:
            async with self._line:
                if self._monotonic() < self._back_at:
                    return None
                with mapped():
                    reply = await _in_time(self._run(account, what, allows, patience_s, place))
        except StoreError as error:
            self._leave_alone(error)
            return None
        if self._away:
            self._away = False
            _log.info("ledger_back", counted="shared")
        pause_s = (reply.next - reply.now) / 1e6
        self._local.remember(account, used=reply.used, exhausted=bool(reply.exhausted), pause_s=pause_s)
        return reply

    async def _run(self, account: Account, what: str, allows: int, patience_s: float, place: _Place) -> _Reply:
        names = [self._kv.name(f"{{{account.id}}}:{part}") for part in ("counts", "given_back")]
        pace = (_microseconds(account.interval_s), _microseconds(account.tolerance_s))
        patience = _microseconds(min(max(patience_s, 0.0), _LONGEST_S))
        while True:
            now = self._clock() + self._server_ahead_s
            begins, ends = account.day(now)
            # Taken at once, so that no other call tells of them as well.
            day, owed = self._owed.pop(account.id, (0.0, 0)) if what != "look" else (0.0, 0)
            owed = owed if day > now else 0
            asked = (*pace, _microseconds(begins), _microseconds(ends), allows, patience, owed, *place)
            reply: _Reply | None = None
            try:
                word, *numbers = await self._evaluate(names, (what, *asked))
                reply = _Reply(word.decode(), *numbers)
            finally:
                if owed and (reply is None or reply.word == _OTHER_DAY):
                    self._owe(account, owed, day)
            if reply.word != _OTHER_DAY:
                return reply
            # The server's clock is what counts; from now on its day is asked for.
            self._server_ahead_s = reply.now / 1e6 - self._clock()

    async def _evaluate(self, names: Sequence[str], values: Sequence[object]) -> list[Any]:
        try:
            answer: list[Any] = await self._script(keys=names, args=values)
        except RedisConnectionError:
            # A connection that broke long ago shows it only now, and those that lie idle are as old.
            await self._kv.raw.connection_pool.disconnect(inuse_connections=False)
            answer = await self._script(keys=names, args=values)
        return answer

    def _leave_alone(self, error: StoreError) -> None:
        self._back_at = self._monotonic() + AWAY_S
        if not self._away:
            self._away = True
            _log.warning("ledger_away", counted="by each process for itself", why=str(error))


async def _in_time(script: Coroutine[Any, Any, _Reply]) -> _Reply:
    """What a script answers within its time.

    Where the loop itself stood still meanwhile the answer lies ready, and is taken; a timeout would cancel the script
    before it is looked at, and blame the store.

    Raises:
        TimeoutError: it has not answered.
    """
    task = asyncio.ensure_future(script)
    try:
        await asyncio.wait({task}, timeout=LIMIT_S)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
