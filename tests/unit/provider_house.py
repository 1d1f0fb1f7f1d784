"""Providers over a connection that a test writes: answers by question, keys, a ledger on a given clock, and bodies."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import orjson
from yarl import URL

from mesh.breaker import Breaker
from mesh.config.breaker_settings import BreakerSettings
from mesh.quota.account import Account
from mesh.quota.key_ring import KeyRing
from mesh.quota.ledger import LocalLedger
from mesh.secrets import Secret
from mesh.testing import FakeClock
from services.books.providers import google_books, open_library, open_library_docs
from services.books.providers.caller import Caller
from services.books.providers.faults import Faults
from services.books.providers.google_books import GoogleBooks
from services.books.providers.http import Line
from services.books.providers.open_library import OpenLibrary

EDEN = "9781440631320"
DUNE = "9780441013593"

VOLUME: dict[str, Any] = {
    "kind": "books#volume",
    "id": "zyTCAlFPjgYC",
    "etag": "f0zKg75Mx/I",
    "selfLink": "https://www.googleapis.com/books/v1/volumes/zyTCAlFPjgYC",
    "volumeInfo": {
        "title": "Dune",
        "subtitle": "The Desert Planet",
        "authors": ["Frank Herbert"],
        "publisher": "Ace",
        "publishedDate": "2005-08-02",
        "description": "<p>A desert &amp; its people.</p>",
        "industryIdentifiers": [
            {"type": "ISBN_10", "identifier": "0441013597"},
            {"type": "OTHER", "identifier": "OCLC:60777233"},
            {"type": "OTHER", "identifier": "BL:A0018116962"},
            {"type": "ISBN_13", "identifier": DUNE},
        ],
        "readingModes": {"text": False, "image": True},
        "pageCount": 528,
        "printType": "BOOK",
        "categories": ["Fiction", "fiction"],
        "averageRating": 4.5,
        "imageLinks": {
            "smallThumbnail": "http://books.google.com/books/content?id=zyTCAlFPjgYC&zoom=5&edge=curl",
            "thumbnail": "http://books.google.com/books/content?id=zyTCAlFPjgYC&zoom=1&edge=curl",
        },
        "language": "en",
        "infoLink": "http://books.google.com/books?id=zyTCAlFPjgYC",
    },
    "saleInfo": {"country": "US", "saleability": "NOT_FOR_SALE", "isEbook": False},
    "searchInfo": {"textSnippet": "A desert."},
}

DOC: dict[str, Any] = {
    "key": "/works/OL893415W",
    "title": "Dune (Dune Chronicles, #1)",
    "author_name": ["Frank Herbert"],
    "first_publish_year": 1965,
    "edition_count": 120,
    "isbn": ["059309932X", "9780441013593", "0441013597", "1234567890"],
    "publisher": ["Ace", "Chilton"],
    "publish_date": ["Aug 02, 2005", "1965"],
    "number_of_pages_median": 541,
    "language": ["eng", "fre"],
    "cover_i": 11481354,
    "subject": ["Deserts", "Fiction"],
    "lccn": ["65022547"],
    "oclc": ["60777233", "19432"],
}


def volumes(*items: object) -> dict[str, Any]:
    """A body of Google Books; one without volumes has no list of them."""
    return {"kind": "books#volumes", "totalItems": len(items), **({"items": list(items)} if items else {})}


def docs(*items: object) -> dict[str, Any]:
    """A body of Open Library."""
    return {"numFound": len(items), "start": 0, "numFoundExact": True, "docs": list(items), "q": "", "offset": None}


def google_error(code: int, reason: str, *, status: str = "", limit: str = "") -> dict[str, Any]:
    """An error body of Google's."""
    error: dict[str, Any] = {"code": code, "message": "no", "errors": [{"message": "no", "reason": reason}]}
    if status:
        error["status"] = status
    if limit:
        error["details"] = [{"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": limit}}]
    return {"error": error}


@dataclass(frozen=True, slots=True)
class Served:
    """What a connection gives for one question."""

    body: object = b""
    """Bytes as they are; anything else is written as JSON."""
    status: int = 200
    """The HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers."""
    error: BaseException | None = None
    """What the connection raises instead."""


@dataclass(slots=True)
class _Response:
    """As much of aiohttp's response as is read of one."""

    served: Served

    async def __aenter__(self) -> Self:
        """The response, or what the connection met with."""
        if self.served.error is not None:
            raise self.served.error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Lets the connection go."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.served.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        return self.served.headers

    @property
    def content(self) -> Self:
        """The body as a stream."""
        return self

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The body in parts."""
        body = self.served.body if isinstance(self.served.body, bytes) else orjson.dumps(self.served.body)
        for at in range(0, len(body), size):
            yield body[at : at + size]


@dataclass(slots=True)
class FakeSession:
    """A connection that answers by what is asked, and remembers it."""

    answer: Callable[[Mapping[str, str], Mapping[str, str]], Served]
    """What is served for parameters and headers."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The parameters of each call."""
    headers: list[Mapping[str, str]] = field(default_factory=list)
    """The headers of each call."""
    paths: list[str] = field(default_factory=list)
    """The path of each call."""

    def get(
        self, url: URL, *, headers: Mapping[str, str], allow_redirects: bool, timeout: aiohttp.ClientTimeout
    ) -> _Response:
        """One call."""
        assert not allow_redirects
        assert timeout.total
        parts = urlsplit(str(url))
        self.asked.append(dict(parse_qsl(parts.query, strict_parsing=True)))
        self.headers.append(headers)
        self.paths.append(parts.path)
        return _Response(self.answer(self.asked[-1], headers))


def serving(*served: Served | object) -> FakeSession:
    """A connection that gives one answer after the other, and the last one for ever."""
    left = [each if isinstance(each, Served) else Served(each) for each in served]
    return FakeSession(lambda _, __: left.pop(0) if len(left) > 1 else left[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """A provider on a fake connection."""

    google: GoogleBooks
    library: OpenLibrary
    session: FakeSession
    clock: FakeClock
    ledger: LocalLedger
    breaker: Breaker
    accounts: Sequence[Account]


def provided(session: FakeSession, *, keys: Sequence[str] = (), calls_per_day: int = 1_000) -> Provided:
    """Both providers on one connection, with one account for each key, or one without a key."""
    clock = FakeClock(1_800_000_000.0)

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    ledger = LocalLedger(clock=clock, monotonic=clock, sleep=sleep)
    breaker = Breaker(BreakerSettings(), clock)
    accounts = [
        Account(
            provider="google_books",
            name="Google Books",
            key=Secret(f"KEY_{at}", key) if key else None,
            calls_per_second=0,
            calls_per_day=calls_per_day,
            zone=google_books.DAY_ZONE,
        )
        for at, key in enumerate(keys or [""])
    ]

    def caller(faults: Faults, headers: Callable[[Account], Mapping[str, str]], secret: str) -> Caller:
        line = Line(
            cast("aiohttp.ClientSession", session),
            base_url="https://books.test/v1/",
            faults=faults,
            breaker=breaker,
            clock=clock,
        )
        keys = KeyRing(accounts, ledger, clock=clock)
        return Caller(line, keys, ledger, headers=headers, secret=secret, clock=clock)

    contact = open_library.headers_of("me@books.test")
    return Provided(
        google=GoogleBooks(caller(google_books.FAULTS, google_books.headers_of, google_books.SECRETS[0])),
        library=OpenLibrary(caller(open_library_docs.FAULTS, lambda _: contact, "")),
        session=session,
        clock=clock,
        ledger=ledger,
        breaker=breaker,
        accounts=accounts,
    )
