"""The only place that answers Google Books' paths: parameters in, a search, a body of google_books.py out."""

from collections.abc import Sequence

import orjson
from aiohttp import web

from sandbox import google_books
from sandbox.dirt import number
from sandbox.google_books import Json
from sandbox.google_dirt import language, published, spoilt
from sandbox.google_query import GoogleSearch
from sandbox.languages import iso639
from sandbox.stock import Record, Stock

PREFIX = "/books/v1"

_MOST_FOUND = 1_000
"""Nothing beyond is given, whatever totalItems claims."""
_STEADY = 10
"""So many results are counted rightly; the number of more is an estimate, another one on each page."""
_CHOICES = {
    "orderBy": ("relevance", "newest"),
    "printType": ("all", "books", "magazines"),
    "projection": ("full", "lite"),
}


class ParameterError(ValueError):
    """A parameter that Google refuses."""

    def __init__(self, name: str, message: str, reason: str = "invalidParameter") -> None:
        super().__init__(message)
        self.body = google_books.parameter_error(name, message, reason)


class GoogleBooksApi:
    """Google Books v1 over one stock."""

    def __init__(self, stock: Stock) -> None:
        self._search = GoogleSearch(stock)
        self._by_id = {google_books.volume_id(record.book.isbn13): record for record in self._search.records}
        self._shown: dict[int, Json] = {}

    @property
    def volume_count(self) -> int:
        """How many volumes there are."""
        return len(self._by_id)

    def routes(self) -> list[web.RouteDef]:
        """Every path with its handler."""
        return [
            web.get(f"{PREFIX}/volumes", self.volumes),
            web.get(f"{PREFIX}/volumes/{{id}}", self.volume),
            web.get(f"{PREFIX}{{rest:(/.*)?}}", self.unknown),
        ]

    async def volume(self, request: web.Request) -> web.Response:
        """One volume by its id."""
        record = self._by_id.get(request.match_info["id"])
        return answer(google_books.error(404), 404) if record is None else answer(self._show(record))

    async def unknown(self, _: web.Request) -> web.Response:
        """Whatever else lies below the prefix: shelves and readers' accounts are not there."""
        return answer(google_books.error(404), 404)

    async def volumes(self, request: web.Request) -> web.Response:
        """A search."""
        try:
            return answer(self._volumes(request))
        except ParameterError as problem:
            return answer(problem.body, 400)

    def _volumes(self, request: web.Request) -> Json:
        """The page of a search that a request asks for.

        Raises:
            ParameterError: A parameter is missing, no number, out of range, or none of those that there are.
        """
        query = request.query.get("q", "").strip()
        if not query:
            raise ParameterError("q", "Missing query.", "queryRequired")
        start = _number(request, "startIndex", 0, None)
        most = _number(request, "maxResults", google_books.DEFAULT_MAX_RESULTS, google_books.MOST_MAX_RESULTS)
        chosen = {name: _choice(request, name) for name in _CHOICES}
        found = [] if chosen["printType"] == "magazines" else self._search.find(query)
        if asked := request.query.get("langRestrict"):
            found = [record for record in found if iso639(language(record.book)) == iso639(asked)]
        if chosen["orderBy"] == "newest":
            found.sort(key=lambda record: published(record.book), reverse=True)
        page = found[:_MOST_FOUND][start : start + most]
        shown = [self._show(record) for record in page]
        items = [google_books.lite(volume) for volume in shown] if chosen["projection"] == "lite" else shown
        return google_books.volumes_json(_total(query, start, found), items)

    def _show(self, record: Record) -> Json:
        """A volume as Google shows it, made once."""
        if record.number not in self._shown:
            self._shown[record.number] = spoilt(record.book)
        return self._shown[record.number]


def answer(body: Json, status: int = 200) -> web.Response:
    """A JSON answer, laid out as Google's are."""
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_INDENT_2), status=status, content_type="application/json"
    )


def _total(query: str, start: int, found: Sequence[Record]) -> int:
    """How many results a page claims that there are: never fewer than there are, and another number on each page."""
    if len(found) <= _STEADY:
        return len(found)
    return len(found) + number(f"{query}:{start}", "total") % len(found)


def _number(request: web.Request, name: str, default: int, most: int | None) -> int:
    """A whole number of the query, from 0 to the most."""
    given = request.query.get(name, str(default))
    if given.isascii() and given.isdigit() and (most is None or int(given) <= most):
        return int(given)
    within = "Values must be within the range: " + ("[0, 2147483647]" if most is None else f"[0, {most}]")
    raise ParameterError(name, f"Invalid value '{given[:20]}'. {within}")


def _choice(request: web.Request, name: str) -> str:
    """A word of the query, the first of its choices when it is not there."""
    choices = _CHOICES[name]
    given = request.query.get(name, choices[0])
    if given not in choices:
        raise ParameterError(name, f"Invalid string value: '{given[:20]}'. Allowed values: [{', '.join(choices)}]")
    return given
