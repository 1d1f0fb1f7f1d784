"""The walk of one search: the cache, one flight per key, the providers side by side, the cache again, the answer."""

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_CACHED
from bookmesh.type.v1.book_pb2 import TIER_ORIGIN, Tier

from mesh.background import Background
from mesh.call import CURRENT, Clock, answers_batch
from mesh.flights import Flights
from mesh.status import DeadlineExceededError, NotFoundError, ResourceExhaustedError, UnavailableError
from services.books.answers import Answer, composed
from services.books.cache import Cache, Held
from services.books.checks import Ask
from services.books.entry import Entry
from services.books.panel import Panel
from services.books.query import Query
from services.books.settings import Settings

PARTIAL_TTL_S = 60.0
"""Seconds that an answer is fresh to which a provider that was asked gave nothing; soon it may be whole."""

STALE_IF_ERROR_S = 30 * 24 * 3600.0
"""Seconds that an answer may be past its time and still be better than none, while every provider fails."""

Asking = Callable[[Query], Awaitable[Sequence[Answer]]]
"""Asks the providers."""

_log = structlog.get_logger("services.books")


class Search:
    """Answers searches.

    Args:
        cache: what is known already.
        panel: asks the providers for the rest.
        settings: the times to live.
        background: where the providers are asked, for all who wait for one answer.
        clock: seconds since the epoch.
    """

    def __init__(self, cache: Cache, panel: Panel, settings: Settings, background: Background, *, clock: Clock) -> None:
        self._cache = cache
        self._panel = panel
        self._settings = settings
        self._clock = clock
        self._flights: Flights[Entry] = Flights(background)

    async def answer(self, ask: Ask, *, patient: bool = False) -> pb.SearchAutoResponse:
        """The answer to a search.

        Args:
            ask: the search.
            patient: nobody waits for this very answer, so slow shelves are waited for, and it is given when it lies in
                the cache: what was warmed is a hit from then on.

        Raises:
            NotFoundError: NOT_CACHED.
            UnavailableError: ALL_PROVIDERS_FAILED.
            ResourceExhaustedError: QUOTA_SPENT or PROVIDER_RATE_LIMITED, as the providers said.
        """
        held = await self.held(ask, patient=patient)
        if held is not None and self.suits(ask, held):
            return self.told(ask, held.entry, held.tier)
        return await self.fetched(ask, held, patient=patient)

    async def held(self, ask: Ask, *, patient: bool) -> Held | None:
        """What the cache holds for a search, fresh or not; nothing for one that does not want to know."""
        return None if ask.no_cache else await self._cache.find(ask.key, patient=patient)

    def suits(self, ask: Ask, held: Held) -> bool:
        """Whether what the cache holds is an answer to the search."""
        return held.entry.is_fresh(self._clock(), max_stale_s=ask.max_stale_s)

    def is_under_way(self, key: str) -> bool:
        """Whether the providers are being asked for the answer of a key."""
        return key in self._flights

    async def fetched(
        self, ask: Ask, held: Held | None, *, patient: bool, asking: Asking | None = None
    ) -> pb.SearchAutoResponse:
        """The answer of the providers; where all of them fail, one that is past its time and says so.

        Args:
            ask: the search.
            held: what the cache holds of it, too old to be its answer.
            patient: as in `answer`.
            asking: how the providers are asked, if not each with this one search.

        Raises:
            MeshError: as in `answer`.
        """
        if ask.only_if_cached:
            raise NotFoundError(
                ERROR_REASON_NOT_CACHED, "the cache holds no answer to this search", metadata={"key": ask.key}
            )
        started = time.perf_counter()
        called = CURRENT.get()
        left_s = None if called is None else called.time_remaining()
        batch = answers_batch()
        try:
            entry = await self._flights.join(
                ask.key,
                lambda: self._origin(
                    ask, asking or (lambda query: self._panel.ask(query, patient=batch, left_s=left_s))
                ),
            )
        except (UnavailableError, ResourceExhaustedError, DeadlineExceededError) as error:
            if held is None or not held.entry.is_fresh(self._clock(), max_stale_s=STALE_IF_ERROR_S):
                raise
            _log.warning("served_stale", key=ask.key, reason=error.reason)
            if (call := CURRENT.get()) is not None:
                call.note("served_stale", f"no fresh answer could be had: {error.reason}")
            return self.told(ask, held.entry, held.tier)
        finally:
            _count_binding_time(time.perf_counter() - started)
        if patient:
            await self._cache.settled(ask.key)
        return self.told(ask, entry, TIER_ORIGIN)

    def told(self, ask: Ask, entry: Entry, tier: Tier.ValueType) -> pb.SearchAutoResponse:
        """An answer as this caller asked for it, with its provenance."""
        response = entry.response()
        del response.results[ask.max_results :]
        understood = response.interpretation
        understood.normalized_text = ask.query.normal
        understood.isbn_13 = ask.query.isbn13
        understood.language = ask.query.language
        now = self._clock()
        provenance = response.provenance
        provenance.tier = tier
        provenance.key = ask.key
        provenance.age_ms = max(0, round((now - entry.cache_time) * 1000))
        provenance.stale = not entry.is_fresh(now)
        provenance.cache_time.FromMilliseconds(round(entry.cache_time * 1000))
        provenance.fresh_until_time.FromMilliseconds(round(entry.fresh_until * 1000))
        return response

    async def _origin(self, ask: Ask, asking: Asking) -> Entry:
        """Asks, puts together and keeps. A failure is kept nowhere."""
        response = composed(ask.query, await asking(ask.query))
        now = self._clock()
        entry = Entry(
            body=response.SerializeToString(deterministic=True),
            cache_time=now,
            fresh_until=now + self._fresh_s(response),
        )
        self._cache.put(ask.key, entry)
        return entry

    def _fresh_s(self, response: pb.SearchAutoResponse) -> float:
        """Seconds that an answer counts as fresh; "nothing found" is believed for a shorter time."""
        if response.partial:
            return min(PARTIAL_TTL_S, self._settings.hot_ttl_s)
        return self._settings.cold_ttl_s if response.results else self._settings.hot_ttl_s


def _count_binding_time(seconds: float) -> None:
    """Adds to the time that the call being answered spent on other services; the flight itself belongs to no call."""
    call = CURRENT.get()
    if call is not None:
        call.binding_time_s += seconds
