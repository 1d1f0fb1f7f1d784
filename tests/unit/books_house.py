"""The proxy with a leaf that a test writes, on stores in memory: what tests of books-api-proxy share."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1 import isbndb_service_pb2 as leaf_pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_BOOK_NOT_FOUND
from bookmesh.type.v1.book_pb2 import FORMAT_PAPERBACK, Author, Edition, Format, Work

from mesh.breakers import Breakers
from mesh.config.breaker_settings import BreakerSettings
from mesh.context import Context
from mesh.introspection import Introspection
from mesh.stats import Stats
from mesh.status import MeshError, NotFoundError
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock, in_process
from services.books.entrypoints import Admin, Default, State, lifespan
from services.books.env import Env
from services.books.likeness import name_key, words_of

DUNE, DUNE_10 = "9780441013593", "0441013597"
MESSIAH = "9780593098233"
EMMA = "9780141439587"
UNKNOWN = "9780306406157"


def work(
    title: str,
    *authors: str,
    isbns: Sequence[str] = (),
    language: str = "en",
    year: int = 0,
    form: Format.ValueType = FORMAT_PAPERBACK,
) -> Work:
    """A work as the leaf gives it."""
    editions = [Edition(isbn_13=isbn, language=language, format=form, provider="isbndb") for isbn in isbns]
    return Work(
        title=title, authors=[Author(name=name) for name in authors], editions=editions, first_publication_year=year
    )


CATALOGUE = (
    work("Dune", "Frank Herbert", isbns=[DUNE], year=1965),
    work("Dune Messiah", "Frank Herbert", isbns=[MESSIAH], year=1969),
    work("Emma", "Jane Austen", isbns=[EMMA], year=1815),
)


@dataclass(slots=True)
class FakeLeaf(IsbndbServiceServicer):
    """The leaf over a handful of works: it counts its calls, and fails or waits when it is told to."""

    works: Sequence[Work] = CATALOGUE
    page_limit: int = 1_000
    """Works of one page of a bibliography at most."""
    calls: Counter[str] = field(default_factory=Counter)
    requests: list[object] = field(default_factory=list)
    left_s: list[float | None] = field(default_factory=list)
    """Seconds that each call had."""
    failures: dict[str, MeshError | Exception] = field(default_factory=dict)
    """What a method raises, by its name; "*" is all of them."""
    next_page: int = 0
    """What an author's last page says of one after it."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Closed, every call waits; it is open from the start."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a call has come."""
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a caller has gone while its call waited."""

    def __post_init__(self) -> None:
        """Opens the gate."""
        self.gate.set()

    async def _called(self, method: str, request: object, context: Context) -> None:
        self.calls[method] += 1
        self.requests.append(request)
        self.left_s.append(context.time_remaining())
        self.asked.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.abandoned.set()
            raise
        failure = self.failures.get(method) or self.failures.get("*")
        if failure is not None:
            raise failure

    async def GetBook(self, request: leaf_pb.GetBookRequest, context: Context) -> leaf_pb.GetBookResponse:
        """One book."""
        await self._called("GetBook", request, context)
        for each in self.works:
            if any(edition.isbn_13 == request.isbn for edition in each.editions):
                return leaf_pb.GetBookResponse(work=each, provider_call_count=1)
        raise NotFoundError(ERROR_REASON_BOOK_NOT_FOUND, "no such book")

    async def BatchGetBooks(
        self, request: leaf_pb.BatchGetBooksRequest, context: Context
    ) -> leaf_pb.BatchGetBooksResponse:
        """Many books."""
        await self._called("BatchGetBooks", request, context)
        response = leaf_pb.BatchGetBooksResponse(provider_call_count=1)
        known = {edition.isbn_13: each for each in self.works for edition in each.editions}
        for isbn in request.isbns:
            if isbn in known:
                response.books.add(isbn=isbn, work=known[isbn])
            else:
                response.not_found_isbns.append(isbn)
        return response

    async def AuthorBibliography(
        self, request: leaf_pb.AuthorBibliographyRequest, context: Context
    ) -> leaf_pb.AuthorBibliographyResponse:
        """A page of the works of a name in one language."""
        await self._called("AuthorBibliography", request, context)
        found = [
            each
            for each in self.works
            if any(name_key(author.name) == name_key(request.author) for author in each.authors)
            and any(request.language in ("*", edition.language) for edition in each.editions)
        ]
        size = min(request.page_size, self.page_limit)
        start = (request.page - 1) * size
        more = request.page + 1 if start + size < len(found) else 0
        return leaf_pb.AuthorBibliographyResponse(
            works=found[start : start + size],
            author=request.author if found else "",
            page=request.page,
            next_page=more or self.next_page,
            provider_call_count=1,
        )

    async def SearchBooks(self, request: leaf_pb.SearchBooksRequest, context: Context) -> leaf_pb.SearchBooksResponse:
        """The works that have all words in their titles, or anywhere; or any, where that is asked."""
        await self._called("SearchBooks", request, context)
        wanted = set(words_of(request.q))
        everywhere = request.column == leaf_pb.SEARCH_COLUMN_UNSPECIFIED
        found = [
            each
            for each in self.works
            if (wanted.issubset if request.match_all else wanted.intersection)(
                {
                    word
                    for text in (each.title, *(author.name for author in each.authors if everywhere))
                    for word in words_of(text)
                }
            )
        ]
        return leaf_pb.SearchBooksResponse(works=found, total_count=len(found), provider_call_count=1)


@dataclass(slots=True, kw_only=True)
class House:
    """The proxy behind its stubs, and all that it stands on."""

    stub: BooksServiceStub
    admin: AdminServiceStub
    leaf: FakeLeaf
    hot: MemoryKv
    cold: MemoryBucket
    clock: FakeClock
    state: State

    async def search(self, q: str, **more: object) -> pb.SearchAutoResponse:
        """One search, whose writes have landed when it returns."""
        response = await self.stub.SearchAuto(pb.SearchAutoRequest(q=q, **more))  # type: ignore[arg-type]  # any field
        await self.state.cache.flush()
        return response

    async def author(self, author: str, **more: object) -> pb.AuthorBibliographyResponse:
        """One page of an author's works, whose writes have landed when it returns."""
        response = await self.stub.AuthorBibliography(
            pb.AuthorBibliographyRequest(author=author, **more)  # type: ignore[arg-type]  # any field
        )
        await self.state.cache.flush()
        return response

    async def batch(self, *queries: pb.SearchAutoRequest | str) -> list[pb.BatchSearchAutoResponse]:
        """The answers to a batch, in the order of its searches."""
        requests = [pb.SearchAutoRequest(q=query) if isinstance(query, str) else query for query in queries]
        call = self.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=requests))
        return sorted([answer async for answer in call], key=lambda answer: answer.query_index)


def env_of(leaf: FakeLeaf, hot: MemoryKv, cold: MemoryBucket, breaker: BreakerSettings | None = None) -> Env:
    """An Env with the settings that the manifest ships, and no breaker where none is given."""
    return Env(
        ISBNDB_WORKER=in_process(IsbndbServiceStub, leaf, binding="ISBNDB_WORKER", breaker=breaker),
        CACHE=hot,
        API_CACHE_COLD=cold,
        GOOGLE_BOOKS_API_KEY=None,
        GOOGLE_BOOKS_IOSKEY=None,
        ISBNDB_API_KEY=None,
        ISBN_SEARCH_KEY=None,
        CACHE_HOT_TTL=3_600,
        CACHE_COLD_TTL=604_800,
        MAX_RESULTS_DEFAULT=40,
        RATE_LIMIT_MS=100,
        PROVIDERS="isbndb",
        BATCH_PROVIDERS="isbndb",
        MESH=Introspection(worker="books-api-proxy", stats=Stats(), breakers=Breakers()),
    )


@asynccontextmanager
async def open_house(leaf: FakeLeaf | None = None, breaker: BreakerSettings | None = None) -> AsyncIterator[House]:
    """The proxy on a clock that stands still."""
    clock = FakeClock()
    leaf = leaf or FakeLeaf()
    hot, cold = MemoryKv(clock), MemoryBucket(clock)
    env = env_of(leaf, hot, cold, breaker)
    async with lifespan(env, clock=clock, monotonic=clock, chance=lambda: 0.0) as state:
        yield House(
            stub=in_process(BooksServiceStub, Default(env, state)),
            admin=in_process(AdminServiceStub, Admin(env, state)),
            leaf=leaf,
            hot=hot,
            cold=cold,
            clock=clock,
            state=state,
        )
