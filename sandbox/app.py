"""The only place that puts the sandbox together: what a call passes on its way to the provider's answer, in order."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox import isbndb
from sandbox.calls import NO_ANSWER, Calls
from sandbox.catalogue import Catalogue
from sandbox.control import PREFIX, Control
from sandbox.isbndb_api import ISBN_COUNT, METER, BadRequestError, IsbndbApi, answer
from sandbox.limits import PLANS, Meter, Plan, Verdict
from sandbox.mishap import Dropped, spoil, wait

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

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
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        """Names the plan, never a key."""
        return f"Settings(plan={self.plan.name!r})"


class Sandbox:
    """The providers of one process. Google Books and Open Library would join ISBNdb here, each with its own gate."""

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        """Opens no port; see create_app."""
        self._settings = settings
        self._meters = {key: Meter(settings.plan, settings.clock) for key in settings.keys}
        self._calls = Calls(settings.clock)
        self._api = IsbndbApi(catalogue, author_total=settings.author_total, bill_each_isbn=settings.bill_each_isbn)
        self._control = Control(self._calls, plan=settings.plan, book_count=len(catalogue.books))
        self._drained = asyncio.Event()

    def app(self) -> web.Application:
        """The application: counting outermost, so that refused and broken calls are counted too."""
        layers = [self._count, self._translate, self._gate, self._break]
        app = web.Application(middlewares=[_providers_only(layer) for layer in layers])
        app.add_routes([*self._control.routes(), *self._api.routes()])
        app.on_shutdown.append(self._drain)
        return app

    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts the call in and out."""
        ticket = self._calls.begin(_endpoint(request), _target(request))
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
            return answer(isbndb.error(problem.status), problem.status)

    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets known keys within their limits through, as the provider's gateway does."""
        # The header holds the key itself, no scheme before it; a key anywhere else is not looked at.
        key = request.headers.get("Authorization", "")
        if key in self._settings.denied_keys:
            return answer(isbndb.DENIED, 403)
        if (meter := self._meters.get(key)) is None:
            return answer(isbndb.UNAUTHORIZED, 401)
        request[METER] = meter
        match meter.admit():
            case Verdict.SPENT:
                return answer(isbndb.DENIED, 403)
            case Verdict.TOO_FAST:
                return answer(isbndb.TOO_FAST, 429)
            case Verdict.ADMITTED:
                return await handler(request)

    async def _break(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets the faults that are switched on strike; they stand behind the gate because errors are billed too."""
        strike = self._control.faults.strike(request.path)
        await wait(self._settings.latency_s + strike.delay_s, self._drained)
        answered = await self._translate(request, handler)
        return await spoil(request, answered, strike, self._drained) if isinstance(answered, web.Response) else answered

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
