"""The walk of one key: the cache, and where that holds nothing to be given, one flight for all who ask.

What is made, and for whom, it does not know: a search and a bibliography walk the same way.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL, ERROR_REASON_NOT_CACHED
from bookmesh.type.v1.book_pb2 import TIER_ORIGIN
from cachetools import TTLCache

from mesh.background import Background
from mesh.call import CURRENT, Clock
from mesh.flights import Flights
from mesh.status import DeadlineExceededError, MeshError, NotFoundError, ResourceExhaustedError, UnavailableError
from services.books.cache import Cache
from services.books.entry import Entry
from services.books.lease import Leases
from services.books.making import Counts, Make, Making
from services.books.promises import Promises
from services.books.walking import Held
from services.books.windows import Chance, Windows, Worth
from services.books.wishes import NO_WISHES, Wishes

_REFRESHES = 16
"""Answers that are refreshed at a time; one more waits for its next caller."""

_RESTING = 4096
"""Answers whose refresh came to nothing that are remembered, so that none is tried again at each hit."""

_PROMISE_S = 0.3
"""Seconds that a search waits for an answer that is being made with many others, for which nobody waits. Longer than
that a look-up of a thousand may stand in a provider's queue, and the search asks by itself."""

_PASSING = (UnavailableError, ResourceExhaustedError, DeadlineExceededError)
"""What the providers may fail with and an old answer is given for; what fails by a mistake of ours is told."""

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
        tell: Callable[[Sequence[str], float], None],
    ) -> None:
        self.counts = Counts()
        self._cache = cache
        self._windows = windows
        self._background = background
        self._clock = clock
        self._chance = chance
        self.promises = Promises()
        self.making = Making(cache, leases, windows, background, self.counts, clock=clock, chance=chance, tell=tell)
        self._flights: Flights[Held] = Flights(background)
        self._refreshing: set[str] = set()
        self._resting: TTLCache[str, None] = TTLCache(_RESTING, windows.partial_s, timer=clock)

    def is_under_way(self, key: str) -> bool:
        """Whether the answer of a key is being made."""
        return key in self._flights or key in self.promises

    def at_hand(self, key: str, wishes: Wishes) -> Held | None:
        """The answer that lies in memory and is given without further thought, as most are; else None."""
        if wishes is not NO_WISHES:
            return None
        held, now = self._cache.at_hand(key), self._clock()
        if held is None or not self._windows.is_surely_fresh(held.entry, now):
            return None
        return held if self._windows.is_believed(held.entry, now) else None

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

    def is_believed(self, held: Held, wishes: Wishes) -> bool:
        """Whether whoever waits for an answer believes what the cache holds, as far as it is "nothing found"."""
        return wishes.only_if_cached or self._windows.is_believed(held.entry, self._clock())

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
        if not (patient or self.is_believed(held, wishes)):
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

    async def fetch(self, key: str, wishes: Wishes, held: Held | None, make: Make, *, patient: bool) -> Held:
        """The answer of the providers; where all of them fail, one that is past its time.

        A caller that says for how long it must be fresh is given none of those: it asked for a renewal, and hears that
        there was none.

        Args:
            key: the answer's key.
            wishes: what the caller asks of the cache.
            held: what the cache holds of it, too old to be given.
            make: asks the providers.
            patient: as in `answer`.

        Raises:
            MeshError: as in `answer`.
        """
        if wishes.only_if_cached:
            raise not_cached(key)
        started = time.perf_counter()
        since = self._clock() if wishes.no_cache else None
        renews = held is not None or wishes.no_cache
        if held is not None and (wishes.min_fresh_s or not self._windows.is_believed(held.entry, self._clock())):
            # What was found may be fresh, and is not what was asked for: only what is later is.
            since = held.entry.cache_time

        call = CURRENT.get()
        deadline = None if patient or call is None else call.deadline

        async def work() -> Held:
            promised = await self.promises.wait(key, limit_s=None if patient else _PROMISE_S)
            if promised is not None and not self._cache.is_banned(key, promised.entry):
                return promised
            return await self.making.once(key, make, since, deadline, renews=renews, patient=patient)

        try:
            found, led = await self._flights.lead(key, work)
            if not led and self._cache.is_banned(key, found.entry):
                # It was purged while it was made, and this caller may have come after that.
                found = await self._flights.join(key, work)
        except _PASSING as error:
            resort = self.last_resort(key, wishes, held, error)
            if resort is None:
                raise
            return resort
        finally:
            count_binding_time(time.perf_counter() - started)
        if patient:
            await self._cache.settled(key)
        return found

    async def look_many(self, wanted: Mapping[str, float]) -> Mapping[str, Held]:
        """What the cache holds of many keys, fresh or not, for which nobody waits; as `Cache.find_many` has it."""
        return await self._cache.find_many(wanted)

    async def keep_many(self, entries: Mapping[str, Entry], *, renewed: Sequence[str]) -> None:
        """Keeps answers that were made together; they lie in the hot tier when this returns.

        Args:
            entries: the answers by their keys.
            renewed: keys of which another answer may lie in the memory of other processes.
        """
        self.making.keep_many(entries, renewed=renewed)
        await self._cache.all_hot(entries)
        self.promises.keep({key: Held(entry, TIER_ORIGIN) for key, entry in entries.items()})

    async def all_settled(self, keys: Iterable[str]) -> None:
        """Waits until what was kept under some keys lies in all tiers."""
        await self._cache.all_settled(keys)

    async def joined(self, key: str) -> Held | None:
        """The answer of a key that is being made, once it lies in the cache; None where none comes."""
        held = await self.promises.wait(key)
        if held is None and key in self._flights:
            try:
                held = await self._flights.join(key, _nothing)
            except MeshError:
                return None
        if held is None or self._cache.is_banned(key, held.entry):
            return None
        await self._cache.settled(key)
        return held

    def last_resort(self, key: str, wishes: Wishes, held: Held | None, error: MeshError) -> Held | None:
        """The answer that is given where the providers fail; None where the failure is told.

        Args:
            key: the answer's key.
            wishes: what the caller asks of the cache.
            held: what the cache holds of it, too old to be given.
            error: what the providers failed with.
        """
        if held is None or wishes.min_fresh_s or not isinstance(error, _PASSING):
            return None
        if self._cache.is_banned(key, held.entry):
            return None
        if self._windows.worth(held.entry, self._clock(), self._chance) is Worth.NOTHING:
            return None
        self._note_stale(key, error)
        return held

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
                key, lambda: self.making.once(key, make, old.cache_time, None, renews=True, old=old)
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


async def _nothing() -> Held:
    """Stands for work that ended before it could be joined."""
    raise UnavailableError(ERROR_REASON_INTERNAL, "it is over")


def not_cached(key: str) -> MeshError:
    """What a caller is told that wants an answer of the cache alone."""
    return NotFoundError(ERROR_REASON_NOT_CACHED, "the cache holds no answer to this", metadata={"key": key})


def count_binding_time(seconds: float) -> None:
    """Adds to the time that the call being answered spent on other services; the flight itself belongs to no call."""
    call = CURRENT.get()
    if call is not None:
        call.binding_time_s += seconds
