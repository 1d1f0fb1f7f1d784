"""The only place that answers Open Library's paths: parameters in, a search, a body of open_library.py out."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import orjson
from aiohttp import web

from sandbox import open_library
from sandbox.dirt import number
from sandbox.languages import marc
from sandbox.lucene import Every, Query, parse
from sandbox.open_library import Json
from sandbox.open_library_dirt import first_publish_year, languages
from sandbox.open_library_search import OpenLibrarySearch, known_field
from sandbox.open_library_works import Shelves, Work
from sandbox.stock import Stock

_T = TypeVar("_T")
_Handler = Callable[[web.Request], Awaitable[web.Response]]

PATHS = re.compile(
    r"/(search|search/authors)\.json|/isbn/[^/]+\.json|/works/.*|/authors/OL\d+A(/works)?\.json|/books/OL\d+M\.json"
)
"""What Open Library answers of the paths; the rest of /authors and /books is ISBNdb's."""

_SEARCHED = ("title", "author", "isbn", "author_key", "subject", "publisher")
"""Parameters of a search beside `q`."""
_SEARCH_LIMIT = 100
_LIST_LIMIT = 50
_MOST = 1_000


def _year(work: Work, unknown: int) -> int:
    """The year to sort by."""
    year = first_publish_year(work)
    return unknown if year is None else year


_SORTS: dict[str, Callable[[Work], object]] = {
    "old": lambda work: _year(work, 9999),
    "new": lambda work: -_year(work, -9999),
    "editions": lambda work: -len(work.editions),
    "title": lambda work: work.main.title.casefold(),
    "key": lambda work: work.key,
    "rating": lambda work: -work.editions[0].popularity,
}
"""What `sort` may be, with what it sorts by; anything else is refused."""


class ParameterError(ValueError):
    """A parameter that Open Library refuses."""


class OpenLibraryApi:
    """Open Library over one stock."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._shelves = Shelves(stock)
        self._search = OpenLibrarySearch(stock, self._shelves)
        self._docs: dict[int, Json] = {}

    @property
    def work_count(self) -> int:
        """How many works there are."""
        return len(self._shelves.works)

    def routes(self) -> list[web.RouteDef]:
        """Every path with its handler."""
        return [
            web.get("/search.json", _checked(self.search)),
            web.get("/search/authors.json", _checked(self.search_authors)),
            web.get(r"/authors/{key:OL\d+A}.json", self.author),
            web.get(r"/authors/{key:OL\d+A}/works.json", _checked(self.author_works)),
            web.get(r"/works/{key:OL\d+W}.json", self.work),
            web.get(r"/works/{key:OL\d+W}/editions.json", _checked(self.editions)),
            web.get("/isbn/{isbn}.json", self.isbn),
            web.get(r"/books/{key:OL\d+M}.json", self.edition),
        ]

    async def search(self, request: web.Request) -> web.Response:
        """Works by words and fields."""
        limit, start = _paging(request, _SEARCH_LIMIT)
        query = request.query.get("q", "")
        found = self._search.works(_query(request, query))
        if language := request.query.get("lang"):
            # A preference, no filter: it moves works in that language forward.
            found.sort(key=lambda work: marc(language) not in languages(work))
        if sort := request.query.get("sort"):
            name, _, order = sort.partition(" ")
            if name not in _SORTS:
                raise ParameterError(f"sort must be one of {', '.join(_SORTS)}, not {sort[:20]}")
            found.sort(key=_SORTS[name], reverse=order == "desc")  # type: ignore[arg-type]  # numbers or texts, never both
        docs = [self._fields(request, work) for work in found[start : start + limit]]
        offset = start if "offset" in request.query else None
        return answer(open_library.search_json(docs, total=len(found), start=start, query=query, offset=offset))

    async def search_authors(self, request: web.Request) -> web.Response:
        """Authors by words of their names."""
        limit, start = _paging(request, _SEARCH_LIMIT)
        found = self._search.authors(request.query.get("q", ""))
        docs = [open_library.author_doc(author) for author in found[start : start + limit]]
        return answer(open_library.authors_json(docs, total=len(found), start=start))

    async def author(self, request: web.Request) -> web.Response:
        """An author's record."""
        author = self._shelves.authors.get(request.match_info["key"])
        return answer(open_library.author_json(author)) if author else _missing(request)

    async def author_works(self, request: web.Request) -> web.Response:
        """The works of an author, in no order that means anything, and those that credit the author beside others."""
        author = self._shelves.authors.get(request.match_info["key"])
        if author is None:
            return _missing(request)
        works = sorted(author.works, key=lambda work: number(work.key, "order of works"))
        page, links = _page(request, works)
        entries = [open_library.work_json(work) for work in page]
        return answer(open_library.entries_json({**links, "author": f"/authors/{author.key}"}, len(works), entries))

    async def work(self, request: web.Request) -> web.Response:
        """A work's record."""
        work = self._shelves.by_key.get(request.match_info["key"])
        return answer(open_library.work_json(work)) if work else _missing(request)

    async def editions(self, request: web.Request) -> web.Response:
        """The editions of a work."""
        work = self._shelves.by_key.get(request.match_info["key"])
        if work is None:
            return _missing(request)
        page, links = _page(request, work.editions)
        entries = [open_library.edition_json(record, work, self._shelves) for record in page]
        return answer(open_library.entries_json({**links, "work": f"/works/{work.key}"}, len(work.editions), entries))

    async def isbn(self, request: web.Request) -> web.Response:
        """The edition of an ISBN of either length; the real one sends the client to the edition's own path."""
        record = self._stock.by_isbn(request.match_info["isbn"])
        work = self._shelves.work_of.get(record.number) if record else None
        if record is None or work is None:
            return _missing(request)
        return answer(open_library.edition_json(record, work, self._shelves))

    async def edition(self, request: web.Request) -> web.Response:
        """An edition's record."""
        record = self._shelves.editions.get(request.match_info["key"])
        if record is None:
            return _missing(request)
        return answer(open_library.edition_json(record, self._shelves.work_of[record.number], self._shelves))

    def _fields(self, request: web.Request, work: Work) -> Json:
        """The fields of a work that are asked for; those of the default hold no ISBN."""
        if work.number not in self._docs:
            self._docs[work.number] = open_library.work_doc(work, self._shelves)
        doc = self._docs[work.number]
        asked = [name.strip() for name in request.query.get("fields", "").split(",") if name.strip()]
        if "*" in asked:
            return doc
        return {name: doc[name] for name in asked or open_library.DEFAULT_FIELDS if name in doc}


def answer(body: Json, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _checked(handler: _Handler) -> _Handler:
    """A handler whose refusals are answered with 400 and a sentence."""

    async def checked(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ParameterError as problem:
            return answer({"error": str(problem)}, 400)

    return checked


def _query(request: web.Request, query: str) -> Query:
    """What a request asks for: `q` and every field that has a parameter of its own."""
    parts = [parse(query, known_field)] if query.strip() else []
    parts += [
        parse(value, lambda _: False, name) for name in _SEARCHED if (value := request.query.get(name, "").strip())
    ]
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _paging(request: web.Request, default: int) -> tuple[int, int]:
    """How many are asked for, and from where on.

    Raises:
        ParameterError: No number, or out of range.
    """
    limit = _number(request, "limit", default, 0)
    if "offset" in request.query:
        return limit, _number(request, "offset", 0, 0)
    return limit, (_number(request, "page", 1, 1) - 1) * limit


def _page(request: web.Request, found: Sequence[_T]) -> tuple[Sequence[_T], dict[str, str]]:
    """The page of a list that is asked for, with the links to itself and to its neighbours."""
    limit, offset = _number(request, "limit", _LIST_LIMIT, 1), _number(request, "offset", 0, 0)
    links = {"self": str(request.rel_url)}
    if offset + limit < len(found):
        links["next"] = f"{request.path}?limit={limit}&offset={offset + limit}"
    if offset:
        links["prev"] = f"{request.path}?limit={limit}&offset={max(0, offset - limit)}"
    return found[offset : offset + limit], links


def _number(request: web.Request, name: str, default: int, least: int) -> int:
    """A whole number of the query; more than the most is the most."""
    given = request.query.get(name, str(default))
    if not given.isascii() or not given.isdigit() or int(given) < least:
        raise ParameterError(f"{name} must be a number from {least}, not {given[:20]}")
    return min(int(given), _MOST) if name == "limit" else int(given)


def _missing(request: web.Request) -> web.Response:
    """The answer for what is not there."""
    return answer(open_library.missing(request.path.removesuffix(".json")), 404)
