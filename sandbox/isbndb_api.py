"""The only place that answers ISBNdb's paths: parameters in, a search of the catalogue, a body of isbndb.py out."""

from collections.abc import Sequence
from urllib.parse import parse_qs

import orjson
from aiohttp import web

from sandbox import isbndb
from sandbox.catalogue import Book, Catalogue
from sandbox.dirt import spoilt
from sandbox.isbn import to13
from sandbox.isbndb import Json, page, total
from sandbox.languages import iso639
from sandbox.limits import Meter, Plan
from sandbox.search import COLUMNS, Search

METER = web.RequestKey("meter", Meter)
"""The limits of the key that a request came with."""
PLAN = web.RequestKey("plan", Plan)
"""What that key subscribed to."""
ISBN_COUNT = web.RequestKey("isbn_count", int)
"""How many ISBNs a bulk look-up asked for."""

_TRUE = {"1", "true"}


class BadRequestError(ValueError):
    """A parameter that ISBNdb refuses."""


class IsbndbApi:
    """ISBNdb v2 over one catalogue."""

    def __init__(self, catalogue: Catalogue, *, author_total: bool, bill_each_isbn: bool) -> None:
        """Serves a catalogue.

        Args:
            catalogue: The books.
            author_total: Whether /author, /publisher and /subject tell how many books there are.
            bill_each_isbn: Whether a bulk look-up costs a call for each ISBN, or one in all.
        """
        self._catalogue = catalogue
        self._search = Search(catalogue.books)
        self._author_total = author_total
        self._bill_each_isbn = bill_each_isbn
        self._shown: dict[str, Json] = {}

    def routes(self) -> list[web.RouteDef]:
        """Every path with its handler."""
        return [
            web.get("/book/{isbn}", self.book),
            web.post("/books", self.bulk),
            web.get("/books/{query:.+}", self.books),
            web.get("/author/{name:.+}", self.author),
            web.get("/authors/{query:.+}", self.authors),
            web.get("/publisher/{name:.+}", self.publisher),
            web.get("/publishers/{query:.+}", self.publishers),
            web.get("/subject/{name:.+}", self.subject),
            web.get("/subjects/{query:.+}", self.subjects),
            web.get("/search/{index}", self.search),
            web.get("/key", self.key),
            web.get("/stats", self.stats),
        ]

    async def book(self, request: web.Request) -> web.Response:
        """One book by ISBN-10 or ISBN-13; prices (Pro and above) are never known here."""
        found = self._catalogue.by_isbn(to13(request.match_info["isbn"]))
        if found is None:
            return answer(isbndb.NOT_FOUND, 404)
        shown = self._show(found)
        return answer({"book": {**shown, "prices": []} if _flag(request, "with_prices") else shown})

    async def bulk(self, request: web.Request) -> web.Response:
        """Many books by ISBN: what is not found is left out, silently."""
        isbns = _isbns((await request.read()).decode("utf-8", "replace"))
        limit = request[PLAN].bulk
        request[ISBN_COUNT] = len(isbns)
        if not isbns or len(isbns) > limit:
            raise BadRequestError(f"isbns must hold 1 to {limit} numbers, not {len(isbns)}")
        if self._bill_each_isbn:
            request[METER].charge(len(isbns) - 1)
        books = {found.isbn13: found for isbn in isbns if (found := self._catalogue.by_isbn(to13(isbn)))}
        data = [self._show(found) for found in books.values()]
        return answer({"total": len(data), "requested": len(isbns), "data": data})

    async def books(self, request: web.Request) -> web.Response:
        """Books by words in all fields or in one."""
        column = request.query.get("column", "")
        if column not in COLUMNS:
            raise BadRequestError(f"column must be one of {', '.join(filter(None, COLUMNS))}, not {column}")
        query = request.match_info["query"]
        found = self._search.find(query, column=column, match_all=_flag(request, "shouldMatchAll"))
        if year := request.query.get("year"):
            found = [book for book in found if str(book.year) == year]
        if edition := request.query.get("edition"):
            found = [book for book in found if edition in book.edition]
        return self._list(request, found, "books")

    async def author(self, request: web.Request) -> web.Response:
        """The books of one author."""
        return self._of_name(request, "authors", "author")

    async def publisher(self, request: web.Request) -> web.Response:
        """The books of one publisher."""
        return self._of_name(request, "publishers", "name")

    async def subject(self, request: web.Request) -> web.Response:
        """The books on one subject."""
        return self._of_name(request, "subjects", "subject")

    async def authors(self, request: web.Request) -> web.Response:
        """Names of authors by words."""
        return self._names(request, "authors", request.match_info["query"])

    async def publishers(self, request: web.Request) -> web.Response:
        """Names of publishers by words."""
        return self._names(request, "publishers", request.match_info["query"])

    async def subjects(self, request: web.Request) -> web.Response:
        """Names of subjects by words."""
        return self._names(request, "subjects", request.match_info["query"])

    async def search(self, request: web.Request) -> web.Response:
        """The combined search: every parameter that is given must match."""
        index = request.match_info["index"]
        if index in ("authors", "publishers", "subjects"):
            return self._names(request, index, request.query.get("text", ""), key="data")
        if index != "books":
            return answer(isbndb.NOT_FOUND, 404)
        return self._list(request, self._combined(request), "data")

    async def key(self, request: web.Request) -> web.Response:
        """The plan of the key, and what is left of the day."""
        meter, plan = request[METER], request[PLAN]
        limit = {"total": plan.per_day, "spent": meter.spent, "left": meter.left}
        return answer({"api_host": plan.host, "plan_limit": limit, "plan_name": plan.name})

    async def stats(self, _: web.Request) -> web.Response:
        """How much there is of everything."""
        counts: Json = {kind: len(self._catalogue.names(kind)) for kind in ("authors", "publishers", "subjects")}
        return answer({"books": len(self._catalogue.books), **counts})

    def _combined(self, request: web.Request) -> list[Book]:
        """The books that meet every parameter of /search/books.

        Raises:
            BadRequestError: No parameter is given.
        """
        asked = {name: value for name in _COMBINED if (value := request.query.get(name))}
        if not asked:
            raise BadRequestError(f"give one of {', '.join(_COMBINED)}")
        found: list[Book] | None = None
        for name, value in asked.items():
            if name in ("isbn", "isbn13"):
                book = self._catalogue.by_isbn(to13(value))
                hits = [book] if book else []
            elif name == "publisher":
                hits = self._catalogue.named("publishers", value)
            else:
                hits = self._search.find(value, column="" if name == "text" else name, match_all=True)
            keep = {book.isbn13 for book in hits}
            found = hits if found is None else [book for book in found if book.isbn13 in keep]
        return found or []

    def _of_name(self, request: web.Request, kind: str, label: str) -> web.Response:
        """A page of the books of one name, or 404 when nobody bears it."""
        asked = request.match_info["name"]
        found = self._catalogue.named(kind, asked)
        if not found:
            return answer(isbndb.NOT_FOUND, 404)
        number, size = paging(request)
        spoken = self._spoken(request, found)
        body: Json = {label: self._catalogue.shown(kind, asked), "books": page(spoken, number, size)}
        return answer({**body, "total": total(spoken)} if self._author_total else body)

    def _names(self, request: web.Request, kind: str, query: str, *, key: str = "") -> web.Response:
        """A page of names."""
        number, size = paging(request)
        found = self._catalogue.names(kind, query)
        return answer({"total": total(found), key or kind: page(found, number, size)})

    def _list(self, request: web.Request, found: Sequence[Book], key: str) -> web.Response:
        """A page of books with their total."""
        number, size = paging(request)
        spoken = self._spoken(request, found)
        return answer({"total": total(spoken), key: page(spoken, number, size)})

    def _spoken(self, request: web.Request, found: Sequence[Book]) -> list[Json]:
        """The books as shown, in the language asked for: by what the spoilt record says, right or wrong."""
        shown = [self._show(book) for book in found]
        asked = request.query.get("language", "")
        if not asked:
            return shown
        return [book for book in shown if iso639(str(book.get("language", ""))) == iso639(asked)]

    def _show(self, book: Book) -> Json:
        """A book as ISBNdb shows it, made once."""
        if book.isbn13 not in self._shown:
            self._shown[book.isbn13] = spoilt(book, tuple(self._catalogue.editions(book)))
        return self._shown[book.isbn13]


_COMBINED = ("isbn", "isbn13", "author", "text", "subject", "publisher")


def answer(body: Json, status: int = 200) -> web.Response:
    """A JSON answer; one over the gateway's cap becomes its 500."""
    content = orjson.dumps(body)
    if len(content) > isbndb.MAX_RESPONSE_BYTES:
        status, content = 500, orjson.dumps(isbndb.FAILED)
    return web.Response(body=content, status=status, content_type="application/json")


def paging(request: web.Request) -> tuple[int, int]:
    """The page asked for and its size.

    Raises:
        BadRequestError: No number, or out of range.
    """
    number = _number(request, "page", 1, isbndb.MAX_RESULTS)
    return number, _number(request, "pageSize", isbndb.DEFAULT_PAGE_SIZE, isbndb.MAX_PAGE_SIZE)


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number of the query, from 1 to the most."""
    given = request.query.get(name, str(default))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= most:
        raise BadRequestError(f"{name} must be 1 to {most}, not {given[:20]}")
    return int(given)


def _flag(request: web.Request, name: str) -> bool:
    """A switch of the query: "1" or "true"."""
    return request.query.get(name, "").lower() in _TRUE


def _isbns(body: str) -> list[str]:
    """The numbers of a bulk look-up: `isbns=a,b`, also repeated, whatever the content type says."""
    cells = parse_qs(body.strip()).get("isbns", [])
    return [isbn for cell in cells for isbn in map(str.strip, cell.split(",")) if isbn]
