"""The only place that puts the sandbox together: what a call passes on its way to the provider's answer, in order."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.calls import NO_ANSWER, Calls
from sandbox.catalogue import Catalogue
from sandbox.control import PREFIX, Control
from sandbox.gates import Gate, GoogleBooksGate, IsbndbGate, OpenLibraryGate, SpentStatus, provider_of
from sandbox.google_books_api import PREFIX as GOOGLE_PREFIX
from sandbox.google_books_api import GoogleBooksApi
from sandbox.isbndb_api import ISBN_COUNT, BadRequestError, IsbndbApi, answer
from sandbox.limits import PLANS, Limits, Plan
from sandbox.mishap import Dropped, spoil, wait
from sandbox.open_library_api import OpenLibraryApi
from sandbox.stock import Stock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GOOGLE_PER_DAY = 1_000
"""Google's free quota, by its console."""
GOOGLE_LIMITS = Limits(per_day=GOOGLE_PER_DAY)
OPEN_LIBRARY_PER_SECOND = 3
UNIDENTIFIED_PER_SECOND = 1
"""Open Library's rates by its API policy, for those who name themselves and for those who don't."""

_SECRET_PARAMETERS = {"key", "apikey", "api_key", "authorization", "x-api-key", "token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the sandbox behaves."""

    plan: Plan = PLANS["premium"]
    keys: Collection[str] = ("sandbox",)
    """Keys that are served; each has limits of its own."""
    denied_keys: Collection[str] = ()
    """Keys that exist and are refused, as after a subscription has ended."""
    latency_s: float = 0.0
    """Added to every call of a provider."""
    author_total: bool = False
    """Whether /author tells a total; the real one is said not to."""
    bill_each_isbn: bool = False
    """Whether a bulk look-up is billed by ISBN; today's API description says so, older practice says not."""
    google: Limits = GOOGLE_LIMITS
    """What each of Google's keys may do."""
    google_keys: Collection[str] = ()
    """Google's keys; with none named, any key is served."""
    google_keyless_per_day: int | None = GOOGLE_PER_DAY
    """Google's calls of a day without a key; 0 is exhausted from the start, None is without limit."""
    google_spent_status: SpentStatus = 429
    """How Google says that a quota is spent."""
    open_library_per_second: int = OPEN_LIBRARY_PER_SECOND
    """Open Library's calls of those who name an application and a contact; 0 is without limit."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        """Names the plan, never a key."""
        return f"Settings(plan={self.plan.name!r})"


class Sandbox:
    """The providers of one process, each behind a gate of its own."""

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        """Opens no port; see create_app."""
        clock = settings.clock
        gates: list[Gate] = [
            IsbndbGate(settings.plan, settings.keys, settings.denied_keys, clock),
            GoogleBooksGate(
                settings.google,
                settings.google_keys,
                settings.google_keyless_per_day,
                settings.google_spent_status,
                clock,
            ),
            OpenLibraryGate(settings.open_library_per_second, UNIDENTIFIED_PER_SECOND, clock),
        ]
        self._gates = {gate.name: gate for gate in gates}
        self._settings = settings
        self._calls = Calls(clock)
        stock = Stock(catalogue.books)
        google, open_library = GoogleBooksApi(stock), OpenLibraryApi(stock)
        isbndb = IsbndbApi(catalogue, author_total=settings.author_total, bill_each_isbn=settings.bill_each_isbn)
        # ISBNdb's last, for its paths take whatever follows /books, /authors and /search.
        self._routes = [*google.routes(), *open_library.routes(), *isbndb.routes()]
        self._control = Control(
            self._calls,
            plan=settings.plan,
            book_count=len(catalogue.books),
            providers={
                IsbndbGate.name: {"path": "/", "plan": settings.plan.name, "books": len(catalogue.books)},
                GoogleBooksGate.name: {
                    "path": GOOGLE_PREFIX,
                    "volumes": google.volume_count,
                    "per_day": settings.google.per_day,
                    "keyless_per_day": settings.google_keyless_per_day,
                },
                OpenLibraryGate.name: {
                    "path": "/",
                    "works": open_library.work_count,
                    "per_second": settings.open_library_per_second,
                },
            },
        )
        self._drained = asyncio.Event()

    def app(self) -> web.Application:
        """The application: counting outermost, so that refused and broken calls are counted too."""
        layers = [self._count, self._translate, self._gate, self._break]
        app = web.Application(middlewares=[_providers_only(layer) for layer in layers])
        app.add_routes([*self._control.routes(), *self._routes])
        app.on_shutdown.append(self._drain)
        return app

    def _gate_of(self, request: web.Request) -> Gate:
        """The gate of the provider whose path was called."""
        return self._gates[provider_of(request.path)]

    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts the call in and out."""
        ticket = self._calls.begin(_endpoint(request), _target(request), self._gate_of(request).name)
        status = NO_ANSWER
        try:
            answered = await handler(request)
            status = answered.status
        except Dropped:
            # The connection is closed already: what is returned reaches nobody.
            answered = web.Response(status=500)
        finally:
            ticket.isbn_count = request.get(ISBN_COUNT, 0)
            self._calls.end(ticket, status)
        return answered

    async def _translate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Gives every error the body that the provider gives it."""
        try:
            return await handler(request)
        except BadRequestError as problem:
            return answer({"errorMessage": str(problem)}, 400)
        except web.HTTPException as problem:
            return self._gate_of(request).error(problem.status)

    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets through whom the provider lets through."""
        refused = self._gate_of(request).admit(request)
        return await handler(request) if refused is None else refused

    async def _break(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets the faults that are switched on strike; they stand behind the gate because errors are billed too."""
        gate = self._gate_of(request)
        strike = self._control.faults.strike(request.path, gate.name)
        await wait(self._settings.latency_s + strike.delay_s, self._drained)
        answered = await self._translate(request, handler)
        if not isinstance(answered, web.Response):
            return answered
        return await spoil(request, answered, strike, self._drained, gate.error)

    async def _drain(self, _: web.Application) -> None:
        """Ends whatever waits, so that a stop is quick."""
        self._drained.set()


def create_app(catalogue: Catalogue, settings: Settings | None = None) -> web.Application:
    """The sandbox over a catalogue, ready for an aiohttp runner or test server."""
    return Sandbox(catalogue, settings or Settings()).app()


def _providers_only(layer: Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]) -> Middleware:
    """A layer as aiohttp's middleware, around the providers' paths and not around /_sandbox."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(f"{PREFIX}/"):
            return await handler(request)
        return await layer(request, handler)

    return around


def _endpoint(request: web.Request) -> str:
    """Method and route, without what varies."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else '(unknown)'}"


def _target(request: web.Request) -> str:
    """Path and query as asked, keys struck out."""
    query = "&".join(
        f"{name}={'...' if name.lower() in _SECRET_PARAMETERS else value}" for name, value in request.query.items()
    )
    return f"{request.path}?{query}" if query else request.path
