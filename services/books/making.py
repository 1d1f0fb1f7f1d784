"""The only place that has an answer made and kept, once for all processes: whoever has the key's lease asks.

The others wait for its answer in the hot tier. A failure is kept nowhere.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import TIER_HOT, TIER_ORIGIN

from mesh.background import Background
from mesh.call import Clock
from services.books.cache import Cache
from services.books.entry import Entry
from services.books.lease import Lease, Leases
from services.books.walking import Held
from services.books.windows import Chance, Windows

_FIRST_LOOK_S, _LONGEST_LOOK_S, _LOOK_GROWTH = 0.01, 0.1, 1.5
"""Seconds between two looks at what another process is asking for: soon at first, for most providers are quick."""


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


class Making:
    """Has the answers of keys made.

    Args:
        cache: keeps them.
        leases: who asks, among processes.
        windows: what an answer is worth at its age.
        background: where leases are let go of.
        counts: what became of it.
        clock: seconds since the epoch.
        chance: spreads times to live.
        tell: told of keys that have a later answer now, with its time.
    """

    def __init__(
        self,
        cache: Cache,
        leases: Leases,
        windows: Windows,
        background: Background,
        counts: Counts,
        *,
        clock: Clock,
        chance: Chance,
        tell: Callable[[Sequence[str], float], None],
    ) -> None:
        self._cache = cache
        self._leases = leases
        self._windows = windows
        self._background = background
        self._counts = counts
        self._clock = clock
        self._chance = chance
        self._tell = tell

    async def once(
        self,
        key: str,
        make: Make,
        since: float | None,
        deadline: float | None,
        *,
        renews: bool,
        old: Entry | None = None,
        patient: bool = False,
    ) -> Held:
        """Has an answer made and keeps it, unless another process does so. A failure is kept nowhere.

        Args:
            key: the answer's key.
            make: asks the providers.
            since: only what was asked for after that is news; None takes any that is fresh.
            deadline: as in `alone`.
            renews: another answer may lie in the memory of other processes.
            old: as in `alone`.
            patient: as in `alone`.
        """
        lease = await self._leases.take(key)
        if lease is None:
            found = await self._followed(key, since, old)
            if found is not None:
                return found
            # Its holder has failed or died. Who comes too late for the lease now asks all the same: once a process.
            lease = await self._leases.take(key) or Lease()
        try:
            # Since this process looked, another may have had the lease, its answer and all.
            found = await self._news(key, since, old) if lease.is_shared else None
            return found or await self.alone(key, make, deadline, renews=renews, old=old, patient=patient)
        finally:
            # It is given back once the answer lies where those who wait for it look.
            self._background.spawn(self._let_go(key, lease), name="lease let go")

    async def alone(
        self,
        key: str,
        make: Make,
        deadline: float | None,
        *,
        renews: bool,
        old: Entry | None = None,
        patient: bool = False,
    ) -> Held:
        """Has an answer made, whatever other processes do, and keeps it.

        Args:
            key: the answer's key.
            make: asks the providers.
            deadline: when the caller gives up, on the clock of time.monotonic(); None is never.
            renews: another answer may lie in the memory of other processes.
            old: what is still being given; where it is whole, no partial answer takes its place.
            patient: nobody waits for it.
        """
        self._counts.led += 1
        began, started = self._clock(), time.perf_counter()
        made = await make(None if deadline is None else max(0.0, deadline - time.monotonic()))
        entry = self.entry(made, began, time.perf_counter() - started, patient=patient)
        if not _is_poorer(entry, old):
            self._cache.put(key, entry, is_first=not renews)
            if renews:
                self._tell([key], entry.cache_time)
        return Held(entry, TIER_ORIGIN)

    def keep_many(self, entries: Mapping[str, Entry], *, renewed: Sequence[str]) -> None:
        """Keeps answers that were made together, whatever other processes do.

        Args:
            entries: the answers by their keys.
            renewed: keys of which another answer may lie in the memory of other processes.
        """
        self._counts.led += len(entries)
        self._cache.put_many(entries, firsts=entries.keys() - set(renewed))
        if renewed:
            self._tell(renewed, min(entries[key].cache_time for key in renewed))

    def entry(self, made: Made, began: float, fetch_s: float, *, patient: bool) -> Entry:
        """An answer as it is kept. Its age counts from when it was asked for (RFC 9111, 4.2.3, on response_delay).

        So a purge that comes while it is made covers it, for nobody knows which of the two the providers saw first.
        """
        fresh_until = self._windows.fresh_until(
            began, is_empty=not made.ends, is_partial=made.is_partial, chance=self._chance, patient=patient
        )
        return Entry(
            works=made.works,
            ends=made.ends,
            rest=made.rest,
            cache_time=began,
            fresh_until=fresh_until,
            fetch_s=fetch_s,
            partial=made.is_partial,
            tags=made.tags,
        )

    async def _followed(self, key: str, since: float | None, old: Entry | None) -> Held | None:
        """The answer that another process is asking for, once it lies in the hot tier; None when it will not come."""
        pause_s = _FIRST_LOOK_S
        is_over = False
        while not is_over:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * _LOOK_GROWTH, _LONGEST_LOOK_S)
            # Asked before the look: a holder writes first and lets go then.
            is_over = not await self._leases.is_taken(key)
            found = await self._news(key, since, old, patient=True)
            if found is not None:
                return found
        return None

    async def _news(self, key: str, since: float | None, old: Entry | None, *, patient: bool = False) -> Held | None:
        """The answer of another process, where it lies in the hot tier and is news, as `once` has it."""
        found = await self._cache.hot(key, patient=patient)
        if found is not None and _is_poorer(found, old):
            return None
        if found is None or not (found.is_fresh(self._clock()) if since is None else found.cache_time > since):
            return None
        self._counts.followed += 1
        self._cache.remember(key, found)
        return Held(found, TIER_HOT)

    async def _let_go(self, key: str, lease: Lease) -> None:
        await self._cache.settled(key)
        await lease.let_go()


def _is_poorer(entry: Entry, old: Entry | None) -> bool:
    """Whether an answer must not take the place of what is still being given."""
    return entry.partial and old is not None and not old.partial
