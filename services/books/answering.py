"""The walk of one key: the cache, one flight per key and lease, whoever makes the answer, and the cache again.

What is made, and for whom, it does not know: a search and a bibliography walk the same way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_CACHED
from bookmesh.type.v1.book_pb2 import TIER_HOT, TIER_ORIGIN

from mesh.background import Background
from mesh.call import CURRENT, Clock
from mesh.flights import Flights
from mesh.status import DeadlineExceededError, MeshError, NotFoundError, ResourceExhaustedError, UnavailableError
from services.books.cache import Cache, Held
from services.books.entry import Entry
from services.books.lease import Lease, Leases
from services.books.windows import Chance, Windows, Worth
from services.books.wishes import NO_WISHES, Wishes

_REFRESHES = 16
"""Answers that are refreshed at a time; one more waits for its next caller."""

_FIRST_LOOK_S, _LONGEST_LOOK_S, _LOOK_GROWTH = 0.01, 0.1, 1.5
"""Seconds between two looks at what another process is asking for: soon at first, for most providers are quick."""

_log = structlog.get_logger("services.books")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An answer that was just made of what the providers gave."""

    works: bytes
    """As `Entry.works`."""
    ends: Sequence[int]
    """As `Entry.ends`."""
    rest: bytes
    """As `Entry.rest`."""
    tags: Sequence[int]
    """As `Entry.tags`."""
    is_partial: bool
    """A provider that was asked did not answer."""


Make = Callable[[float | None], Awaitable[Made]]
"""Asks the providers, who may take so many seconds; raises a MeshError where none could answer."""


@dataclass(slots=True)
class Counts:
    """What became of answers that were not simply there."""

    stale: int = 0
    """Answers given past their time."""
    refreshed: int = 0
    """Answers refreshed before or after their time, while they were given."""
    led: int = 0
    """Answers that this process asked the providers for."""
    followed: int = 0
    """Answers that another process asked the providers for, while this one waited."""


class Answering:
    """Finds the answer of a key, or has it made, once for all who ask.

    Args:
        cache: what is known already.
        leases: who asks, among processes.
        windows: what an answer is worth at its age.
        background: where answers are made, for all who wait for one.
        clock: seconds since the epoch.
        chance: spreads refreshes and times to live.
        tell: told of keys that have a later answer now, with its time.
    """

    def __init__(
        self,
        cache: Cache,
        leases: Leases,
        windows: Windows,
        background: Background,
        *,
        clock: Clock,
        chance: Chance,
        tell: Callable[[str, float], None],
    ) -> None:
        self.counts = Counts()
        self._cache = cache
        self._leases = leases
        self._windows = windows
        self._background = background
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._flights: Flights[Held] = Flights(background)
        self._refreshing: set[str] = set()

    def is_under_way(self, key: str) -> bool:
        """Whether the answer of a key is being made."""
        return key in self._flights

    def at_hand(self, key: str, wishes: Wishes) -> Held | None:
        """The answer that lies in memory and is given without further thought, as most are; else None."""
        if wishes is not NO_WISHES:
            return None
        held = self._cache.at_hand(key)
        return held if held is not None and self._windows.is_surely_fresh(held.entry, self._clock()) else None

    async def answer(self, key: str, wishes: Wishes, make: Make, *, patient: bool = False) -> Held:
        """The answer of a key.

        Args:
            key: the answer's key.
            wishes: what the caller asks of the cache.
            make: asks the providers.
            patient: nobody waits for this very answer, so slow shelves are waited for, nothing past its time is given,
                and it is given when it lies in the cache: what was warmed is a hit from then on.

        Raises:
            NotFoundError: NOT_CACHED.
            MeshError: what `make` raises, where the cache holds nothing to be given instead.
        """
        held = await self.look(key, wishes, patient=patient)
        if held is not None and self.suits(key, held, wishes, make, patient=patient):
            return held
        return await self.fetch(key, wishes, held, make, patient=patient)

    async def look(self, key: str, wishes: Wishes, *, patient: bool) -> Held | None:
        """What the cache holds of a key, fresh or not; nothing for a caller that does not want to know."""
        if wishes.no_cache:
            return None
        return await self._cache.find(key, patient=patient)

    def suits(self, key: str, held: Held, wishes: Wishes, make: Make | None, *, patient: bool) -> bool:
        """Whether what the cache holds may be given; what is due, or past its time, is refreshed meanwhile.

        Args:
            key: the answer's key.
            held: what the cache holds.
            wishes: what the caller asks of the cache.
            make: refreshes it; None where it is left to others.
            patient: as in `answer`.
        """
        worth = self._windows.worth(held.entry, self._clock(), self._chance)
        is_given = held.entry.is_fresh(self._clock(), max_stale_s=wishes.max_stale_s or 0.0)
        if worth is Worth.STALE and wishes.max_stale_s is None:
            is_given = not (patient or wishes.only_if_cached)
        if is_given and worth is not Worth.FRESH and make is not None and not wishes.only_if_cached:
            self._refresh(key, make)
        if is_given and worth not in (Worth.FRESH, Worth.DUE):
            self.counts.stale += 1
        return is_given

    async def fetch(
        self, key: str, wishes: Wishes, held: Held | None, make: Make, *, patient: bool, with_others: bool = False
    ) -> Held:
        """The answer of the providers; where all of them fail, one that is past its time.

        Args:
            key: the answer's key.
            wishes: what the caller asks of the cache.
            held: what the cache holds of it, too old to be given.
            make: asks the providers.
            patient: as in `answer`.
            with_others: the answers of many keys come of one call to a provider, so none waits for another process.

        Raises:
            MeshError: as in `answer`.
        """
        if wishes.only_if_cached:
            raise NotFoundError(ERROR_REASON_NOT_CACHED, "the cache holds no answer to this", metadata={"key": key})
        started = time.perf_counter()
        since = self._clock() if wishes.no_cache else None
        renews = held is not None or wishes.no_cache
        call = CURRENT.get()
        deadline = None if patient or call is None else call.deadline
        try:
            found = await self._flights.join(
                key,
                lambda: (
                    self._kept(key, make, deadline, renews=renews)
                    if with_others
                    else self._made(key, make, since, deadline, renews=renews)
                ),
            )
        except (UnavailableError, ResourceExhaustedError, DeadlineExceededError) as error:
            if held is None or self._windows.worth(held.entry, self._clock(), self._chance) is Worth.NOTHING:
                raise
            self._note_stale(key, error)
            return held
        finally:
            _count_binding_time(time.perf_counter() - started)
        if patient:
            await self._cache.settled(key)
        return found

    async def _made(self, key: str, make: Make, since: float | None, deadline: float | None, *, renews: bool) -> Held:
        """Has an answer made and keeps it, unless another process does so. A failure is kept nowhere.

        Args:
            key: the answer's key.
            make: asks the providers.
            since: only what was made from then on is news; None takes any that is fresh.
            deadline: when the caller gives up, on the clock of time.monotonic(); None is never.
            renews: another answer may lie in the memory of other processes.
        """
        lease = await self._leases.take(key)
        if lease is None:
            found = await self._followed(key, since)
            if found is not None:
                return found
            # Its holder has failed or died. Who comes too late for the lease now asks all the same: once a process.
            lease = await self._leases.take(key) or Lease()
        try:
            return await self._kept(key, make, deadline, renews=renews)
        finally:
            # It is given back once the answer lies where those who wait for it look.
            self._background.spawn(self._let_go(key, lease), name="lease let go")

    async def _kept(self, key: str, make: Make, deadline: float | None, *, renews: bool) -> Held:
        """Has an answer made, whatever other processes do, and keeps it."""
        self.counts.led += 1
        started = time.perf_counter()
        made = await make(None if deadline is None else max(0.0, deadline - time.monotonic()))
        entry = self._entry(made, time.perf_counter() - started)
        self._cache.put(key, entry)
        if renews:
            self._tell(key, entry.cache_time)
        return Held(entry, TIER_ORIGIN)

    def _entry(self, made: Made, fetch_s: float) -> Entry:
        now = self._clock()
        fresh_until = self._windows.fresh_until(
            now, is_empty=not made.ends, is_partial=made.is_partial, chance=self._chance
        )
        return Entry(
            works=made.works,
            ends=made.ends,
            rest=made.rest,
            cache_time=now,
            fresh_until=fresh_until,
            fetch_s=fetch_s,
            partial=made.is_partial,
            tags=made.tags,
        )

    async def _followed(self, key: str, since: float | None) -> Held | None:
        """The answer that another process is asking for, once it lies in the hot tier; None when it will not come."""
        pause_s = _FIRST_LOOK_S
        is_over = False
        while not is_over:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * _LOOK_GROWTH, _LONGEST_LOOK_S)
            # Asked before the look: a holder writes first and lets go then.
            is_over = not await self._leases.is_taken(key)
            found = await self._cache.hot(key)
            if found is not None and (found.is_fresh(self._clock()) if since is None else found.cache_time > since):
                self.counts.followed += 1
                self._cache.remember(key, found)
                return Held(found, TIER_HOT)
        return None

    async def _let_go(self, key: str, lease: Lease) -> None:
        await self._cache.settled(key)
        await lease.let_go()

    def _refresh(self, key: str, make: Make) -> None:
        """Has an answer made anew that is still being given."""
        if key in self._refreshing or key in self._flights or len(self._refreshing) >= _REFRESHES:
            return
        self._refreshing.add(key)
        self._background.spawn(self._refreshed(key, make), name="refresh")

    async def _refreshed(self, key: str, make: Make) -> None:
        try:
            await self._flights.join(key, lambda: self._made(key, make, self._clock(), None, renews=True))
            self.counts.refreshed += 1
        except MeshError as error:
            _log.info("refresh_failed", key=key, reason=error.reason)
        finally:
            self._refreshing.discard(key)

    def _note_stale(self, key: str, error: MeshError) -> None:
        self.counts.stale += 1
        _log.warning("served_stale", key=key, reason=error.reason)
        if (call := CURRENT.get()) is not None:
            call.note("served_stale", f"no fresh answer could be had: {error.reason}")


def _count_binding_time(seconds: float) -> None:
    """Adds to the time that the call being answered spent on other services; the flight itself belongs to no call."""
    call = CURRENT.get()
    if call is not None:
        call.binding_time_s += seconds
