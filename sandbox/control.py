"""The only place that answers /_sandbox: the switches and counters that no provider has."""

from collections.abc import Mapping

import orjson
from aiohttp import web

from sandbox.calls import KEPT, Calls
from sandbox.faults import FaultError, Faults, parse
from sandbox.limits import Plan

PREFIX = "/_sandbox"


class Control:
    """What a test or a person turns and reads while the providers answer."""

    def __init__(self, calls: Calls, *, plan: Plan, book_count: int, providers: Mapping[str, object]) -> None:
        """Starts without a fault.

        Args:
            calls: The counters to show.
            plan: The plan that the keys have.
            book_count: Size of the catalogue.
            providers: What is told of each provider, by its name.
        """
        self.faults = Faults()
        self._calls = calls
        self._plan = plan
        self._book_count = book_count
        self._providers = dict(providers)

    def routes(self) -> list[web.RouteDef]:
        """Every path with its handler."""
        return [
            web.get(f"{PREFIX}/health", self.health),
            web.get(f"{PREFIX}/faults", self.show_faults),
            web.put(f"{PREFIX}/faults", self.set_faults),
            web.delete(f"{PREFIX}/faults", self.clear_faults),
            web.get(f"{PREFIX}/calls", self.show_calls),
            web.delete(f"{PREFIX}/calls", self.reset_calls),
        ]

    async def health(self, _: web.Request) -> web.Response:
        """Says that the sandbox listens, and with what."""
        about = {"provider": "ISBNdb v2", "plan": self._plan.name, "books": self._book_count}
        return _json({"status": "SERVING", **about, "providers": self._providers})

    async def show_faults(self, _: web.Request) -> web.Response:
        """The faults that are switched on."""
        return _json({"faults": self.faults.report()})

    async def set_faults(self, request: web.Request) -> web.Response:
        """Switches on the given faults, and all others off."""
        try:
            self.faults = Faults(parse(await request.read()))
        except FaultError as problem:
            return _json({"error": str(problem)}, 400)
        return await self.show_faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Switches every fault off."""
        self.faults = Faults()
        return await self.show_faults(request)

    async def show_calls(self, request: web.Request) -> web.Response:
        """The counters; `?last=N` gives that many of the last calls."""
        last = request.query.get("last", str(KEPT))
        if not last.isascii() or not last.isdigit():
            return _json({"error": f"last must be a number from 0 to {KEPT}"}, 400)
        return _json(self._calls.report(int(last)))

    async def reset_calls(self, _: web.Request) -> web.Response:
        """Sets the counters to nothing."""
        self._calls.reset()
        return _json(self._calls.report())


def _json(body: dict[str, object], status: int = 200) -> web.Response:
    """A JSON answer, laid out for people."""
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_INDENT_2), status=status, content_type="application/json"
    )
