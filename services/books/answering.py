"""The walk of one key: the cache, and where that holds nothing to be given, one flight for all who ask.

What is made, and for whom, it does not know: a search and a bibliography walk the same way.
"""

import time
from collections.abc import Awaitable, Callable

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_CACHED
from cachetools import TTLCache

from mesh.background import Background
from mesh.call import CURRENT, Clock
from mesh.flights import Flights
from mesh.status import DeadlineExceededError, MeshError, NotFoundError, ResourceExhaustedError, UnavailableError
from services.books.cache import Cache, Held
from services.books.entry import Entry
from services.books.lease import Leases
from services.books.making import Counts, Make, Making
from services.books.windows import Chance, Windows, Worth
from services.books.wishes import NO_WISHES, Wishes

_REFRESHES = 16
"""Answers that are refreshed at a time; one more waits for its next caller."""

_RESTING = 4096
"""Answers whose refresh came to nothing that are remembered, so that none is tried again at each hit."""

_log = structlog.get_logger("services.books")


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
        self._windows = windows
        self._background = background
        self._clock = clock
        self._chance = chance
        self._making = Making(cache, leases, windows, background, self.counts, clock=clock, chance=chance, tell=tell)
        self._flights: Flights[Held] = Flights(background)
        self._refreshing: set[str] = set()
        self._resting: TTLCache[str, None] = TTLCache(_RESTING, windows.partial_s, timer=clock)

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
        return await self._cache.find(key, patient=patient, min_fresh_s=wishes.min_fresh_s)

    def suits(self, key: str, held: Held, wishes: Wishes, make: Make | None, *, patient: bool) -> bool:
        """Whether what the cache holds may be given; what is due, or past its time, is refreshed meanwhile.

        Args:
            key: the answer's key.
            held: what the cache holds.
            wishes: what the caller asks of the cache.
            make: refreshes it; None where it is left to others.
            patient: as in `answer`.
        """
        if wishes.min_fresh_s and not held.entry.is_fresh(self._clock(), min_fresh_s=wishes.min_fresh_s):
            return False
        worth = self._windows.worth(held.entry, self._clock(), self._chance)
        is_given = held.entry.is_fresh(self._clock(), max_stale_s=wishes.max_stale_s or 0.0)
        if worth is Worth.STALE and wishes.max_stale_s is None:
            is_given = not (patient or wishes.only_if_cached)
        if is_given and worth is not Worth.FRESH and make is not None and not wishes.only_if_cached:
            self._refresh(key, held.entry, make)
        if is_given and worth not in (Worth.FRESH, Worth.DUE):
            self.counts.stale += 1
        return is_given

    async def fetch(
        self, key: str, wishes: Wishes, held: Held | None, make: Make, *, patient: bool, with_others: bool = False
    ) -> Held:
        """The answer of the providers; where all of them fail, one that is past its time.

        A caller that says for how long it must be fresh is given none of those: it asked for a renewal, and hears that
        there was none.

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
        if held is not None and wishes.min_fresh_s:
            # What was found may be fresh, and is not what was asked for: only what is later is.
            since, held = held.entry.cache_time, None

        call = CURRENT.get()
        deadline = None if patient or call is None else call.deadline

        def work() -> Awaitable[Held]:
            if with_others:
                return self._making.alone(key, make, deadline, renews=renews)
            return self._making.once(key, make, since, deadline, renews=renews)

        try:
            found, led = await self._flights.lead(key, work)
            if not led and self._cache.is_banned(key, found.entry):
                # It was purged while it was made, and this caller may have come after that.
                found = await self._flights.join(key, work)
        except (UnavailableError, ResourceExhaustedError, DeadlineExceededError) as error:
            if held is None or not self._is_last_resort(key, held):
                raise
            self._note_stale(key, error)
            return held
        finally:
            _count_binding_time(time.perf_counter() - started)
        if patient:
            await self._cache.settled(key)
        return found

    def _is_last_resort(self, key: str, held: Held) -> bool:
        """Whether an answer may still be given where the providers fail."""
        if self._cache.is_banned(key, held.entry):
            return False
        return self._windows.worth(held.entry, self._clock(), self._chance) is not Worth.NOTHING

    def _refresh(self, key: str, old: Entry, make: Make) -> None:
        """Has an answer made anew that is still being given; one that came to nothing is not tried again at once."""
        if key in self._refreshing or key in self._flights or key in self._resting:
            return
        if len(self._refreshing) < _REFRESHES:
            self._refreshing.add(key)
            self._background.spawn(self._refreshed(key, old, make), name="refresh")

    async def _refreshed(self, key: str, old: Entry, make: Make) -> None:
        came = False
        try:
            found = await self._flights.join(
                key, lambda: self._making.once(key, make, old.cache_time, None, renews=True, old=old)
            )
            came = old.partial or not found.entry.partial
        except MeshError as error:
            _log.info("refresh_failed", key=key, reason=error.reason)
        finally:
            self._refreshing.discard(key)
            if came:
                self.counts.refreshed += 1
            else:
                # Also where something broke that nobody foresaw, for a hit must not cost a call each time.
                self._resting[key] = None

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
