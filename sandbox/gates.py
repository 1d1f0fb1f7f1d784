"""The only place that decides, for each provider, who may call now, and what a refused or failed call is answered."""

import re
from collections.abc import Callable, Collection
from typing import Literal, Protocol

from aiohttp import web

from sandbox import google_books, google_books_api, isbndb, open_library, open_library_api
from sandbox.isbndb_api import METER, PLAN, answer
from sandbox.limits import Limits, Meter, Plan, Verdict, pacific_day

SpentStatus = Literal[429, 403]
"""How Google says that a quota is spent: as today, or as in earlier years."""

_KEYS_KEPT = 10_000
_CONTACT = re.compile(r"[^\s@]+@[^\s@]+\.\w+|https?://|\+?www\.")
_LIBRARIES = re.compile(
    r"(python|aiohttp|python-requests|python-httpx|python-urllib|urllib|curl|wget|go-http-client|java|okhttp|axios"
    r"|node-fetch|node|undici|libwww-perl|ruby|postmanruntime|mozilla)\b",
    re.IGNORECASE,
)
"""How the names begin that libraries and browsers give by themselves; they identify nobody."""


class Gate(Protocol):
    """What stands before a provider."""

    name: str
    """The provider's, in counters and faults."""

    def admit(self, request: web.Request) -> web.Response | None:
        """The refusal of a call, or None for one that may pass and is billed."""

    def error(self, status: int) -> web.Response:
        """An answer with a status and the body that the provider gives with it."""


class IsbndbGate:
    """Lets known keys within their plan through, as ISBNdb's gateway does."""

    name = "isbndb"

    def __init__(
        self, plan: Plan, keys: Collection[str], denied_keys: Collection[str], clock: Callable[[], float]
    ) -> None:
        """Each key has limits of its own; a denied one exists and is refused."""
        self._plan = plan
        self._meters = {key: Meter(plan, clock) for key in keys}
        self._denied_keys = denied_keys

    def admit(self, request: web.Request) -> web.Response | None:
        """Refuses unknown keys with 401, denied and spent ones with 403, hasty ones with 429."""
        # The header holds the key itself, no scheme before it; a key anywhere else is not looked at.
        key = request.headers.get("Authorization", "")
        if key in self._denied_keys:
            return self.error(403)
        if (meter := self._meters.get(key)) is None:
            return self.error(401)
        request[METER], request[PLAN] = meter, self._plan
        match meter.admit():
            case Verdict.SPENT:
                return self.error(403)
            case Verdict.TOO_FAST:
                return self.error(429)
            case Verdict.ADMITTED:
                return None

    def error(self, status: int) -> web.Response:
        """ISBNdb's own."""
        return answer(isbndb.error(status), status)


class GoogleBooksGate:
    """Lets keys within their day's quota through, and calls without a key within the one that all of them share."""

    name = "google_books"

    def __init__(
        self,
        limits: Limits,
        keys: Collection[str],
        keyless_per_day: int | None,
        spent_status: SpentStatus,
        clock: Callable[[], float],
    ) -> None:
        """Starts with nothing spent.

        Args:
            limits: What each key may do; its rate holds for calls without a key, too.
            keys: The keys that there are; with none named, any key is one.
            keyless_per_day: Calls of a day without a key; 0 is exhausted from the start, None is without limit.
            spent_status: How a spent quota is told.
            clock: Seconds since the epoch; the day begins at midnight Pacific time.
        """
        self._limits = limits
        self._keys = frozenset(keys)
        self._keyless_per_day = keyless_per_day
        self._spent_status = spent_status
        self._clock = clock
        keyless = Limits(per_second=limits.per_second, per_day=keyless_per_day or 0)
        self._meters = {"": Meter(keyless, clock, pacific_day)}

    def admit(self, request: web.Request) -> web.Response | None:
        """Refuses unknown keys with 400, and what is spent or too fast with 429, or 403 in the older manner."""
        key = request.query.get("key", "") or request.headers.get("X-Goog-Api-Key", "")
        if key and self._keys and key not in self._keys:
            return google_books_api.answer(google_books.invalid_key(), 400)
        if not key and self._keyless_per_day == 0:
            return self._refused(0, per_day=True)
        meter = self._meter(key)
        match meter.admit():
            case Verdict.SPENT:
                return self._refused(meter.limits.per_day, per_day=True)
            case Verdict.TOO_FAST:
                return self._refused(meter.limits.per_second, per_day=False)
            case Verdict.ADMITTED:
                return None

    def error(self, status: int) -> web.Response:
        """Google's own."""
        return google_books_api.answer(google_books.error(status), status)

    def _meter(self, key: str) -> Meter:
        """The limits of a key; where any key is one, those that came first are forgotten at some time."""
        if key not in self._meters:
            if len(self._meters) > _KEYS_KEPT:
                del self._meters[list(self._meters)[1]]
            self._meters[key] = Meter(self._limits, self._clock, pacific_day)
        return self._meters[key]

    def _refused(self, limit: int, *, per_day: bool) -> web.Response:
        """The answer to a call too many."""
        if self._spent_status == 403:  # noqa: PLR2004 -- HTTP
            return google_books_api.answer(google_books.older_quota_error(per_day=per_day), 403)
        return google_books_api.answer(google_books.quota_error(limit, per_day=per_day), 429)


class OpenLibraryGate:
    """Lets callers through at a rate that hangs on how they name themselves."""

    name = "open_library"

    def __init__(self, per_second: int, unidentified_per_second: int, clock: Callable[[], float]) -> None:
        """Starts with full buckets: one for all who name themselves, one for all others, for loopback is one caller.

        Args:
            per_second: Calls of those who name an application and a contact; 0 is without limit.
            unidentified_per_second: Calls of those who name nothing; 0 is without limit.
            clock: Seconds since the epoch.
        """
        self._identified = Meter(Limits(per_second=per_second), clock)
        self._unidentified = Meter(Limits(per_second=unidentified_per_second), clock)

    def admit(self, request: web.Request) -> web.Response | None:
        """Refuses an application without a contact with 403, and haste with 429."""
        agent = request.headers.get("User-Agent", "").strip()
        if _CONTACT.search(agent):
            meter = self._identified
        elif not agent or _LIBRARIES.match(agent):
            meter = self._unidentified
        else:
            return self.error(403)
        return None if meter.admit() is Verdict.ADMITTED else self.error(429)

    def error(self, status: int) -> web.Response:
        """Open Library's own: JSON for haste and for what is not there, a page for all else."""
        match status:
            case 429:
                return open_library_api.answer(open_library.TOO_MANY, 429)
            case 404:
                return open_library_api.answer(open_library.missing(""), 404)
            case 403:
                page = open_library.FORBIDDEN
            case _:
                page = open_library.FAILED.format(status=status)
        return web.Response(text=page, status=status, content_type="text/html")


def provider_of(path: str) -> str:
    """The name of the provider that a path belongs to: ISBNdb where it is neither Google's nor Open Library's."""
    if path == google_books_api.PREFIX or path.startswith(f"{google_books_api.PREFIX}/"):
        return GoogleBooksGate.name
    return OpenLibraryGate.name if open_library_api.PATHS.fullmatch(path) else IsbndbGate.name
