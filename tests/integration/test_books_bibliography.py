"""An author's works over real HTTP: the leaf and the proxy before a sandbox that speaks for all three providers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub

from mesh.breakers import Breakers
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock, in_process
from sandbox.app import Settings, create_app
from sandbox.catalog import LOC
from sandbox.catalogue import Book, load
from sandbox.limits import Plan
from sandbox.shelf import read
from services.books import entrypoints as books
from services.books.env import Env
from services.books.likeness import name_key, spoken_name_key
from services.isbndb import entrypoints as leaf
from services.isbndb.env import Env as LeafEnv

CATALOGUE = load(read(LOC))
LOOSE = Plan(name="loose", host="api.example", per_second=0, per_day=0, bulk=100)
AUTHORS = [
    "William Shakespeare",
    "Janet Dailey",
    "Charles Dickens",
    "Nora Roberts",
    "Stuart J. Murphy",
    "Bobbie Kalman",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The proxy, and the sandbox behind everything."""

    stub: BooksServiceStub
    url: str

    async def pages(self, author: str, **more: Any) -> list[pb.AuthorBibliographyResponse]:
        """All pages."""
        found = [await self.stub.AuthorBibliography(pb.AuthorBibliographyRequest(author=author, **more))]
        while token := found[-1].next_page_token:
            request = pb.AuthorBibliographyRequest(author=author, page_token=token, **more)
            found.append(await self.stub.AuthorBibliography(request))
        return found

    async def faults(self, *faults: dict[str, object]) -> None:
        """Switches faults on, and all others off."""
        async with aiohttp.ClientSession() as http, http.put(f"{self.url}/_sandbox/faults", json=list(faults)) as said:
            said.raise_for_status()


Start = Callable[..., Awaitable[House]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a sandbox on a free port, and the leaf and the proxy before it."""
    async with AsyncExitStack() as closing:

        async def begin(**settings: Any) -> House:
            served = Settings(plan=LOOSE, keys=["canary"], open_library_per_second=0)
            runner = web.AppRunner(create_app(CATALOGUE, served), access_log=None)
            await runner.setup()
            closing.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            leaf_env = LeafEnv(
                ISBNDB_API_KEY=Secret("ISBNDB_API_KEY", "canary"),
                ISBN_SEARCH_KEY=None,
                RATE_LIMIT_MS=0,
                MAX_BOOKS_PER_AUTHOR=500,
                MESH=introspection("isbndb-biography-worker"),
                ISBNDB_URL=url,
                ISBNDB_CALLS_PER_SECOND=10_000.0,
            )
            leaf_state = await closing.enter_async_context(leaf.lifespan(leaf_env))
            clock = FakeClock()
            bindings: dict[str, Any] = {
                "ISBNDB_WORKER": in_process(IsbndbServiceStub, leaf.Default(leaf_env, leaf_state)),
                "CACHE": MemoryKv(clock),
                "API_CACHE_COLD": MemoryBucket(clock),
                "GOOGLE_BOOKS_API_KEY": None,
                "GOOGLE_BOOKS_IOSKEY": None,
                "ISBNDB_API_KEY": None,
                "ISBN_SEARCH_KEY": None,
                "CACHE_HOT_TTL": 3_600,
                "CACHE_COLD_TTL": 604_800,
                "MAX_RESULTS_DEFAULT": 40,
                "RATE_LIMIT_MS": 0,
                "MESH": introspection("books-api-proxy"),
                "GOOGLE_BOOKS_URL": f"{url}/books/v1",
                "OPEN_LIBRARY_URL": url,
                "OPEN_LIBRARY_CONTACT": "me@books.test",
            }
            env = Env(**{**bindings, **settings})
            state = await closing.enter_async_context(books.lifespan(env))
            return House(stub=in_process(BooksServiceStub, books.Default(env, state), deadline_s=60), url=url)

        yield begin


def introspection(worker: str) -> Introspection:
    """A service's own runtime."""
    return Introspection(worker=worker, stats=Stats(), breakers=Breakers())


def is_by(names: list[str], author: str) -> bool:
    """Whether one of some names is an author's, but for initials."""
    return any(name_key(name) == name_key(author) or spoken_name_key(name) == spoken_name_key(author) for name in names)


def books_of(author: str) -> list[Book]:
    """What the catalogue has of an author in English."""
    return [book for book in CATALOGUE.books if book.language == "en" and is_by(list(book.authors), author)]


@pytest.mark.parametrize("author", AUTHORS)
async def test_every_book_of_an_author(start: Start, author: str) -> None:
    """Every English book is there, each work once, by nobody else, in the order of the years; ISBNdb is called once."""
    house = await start()
    found = await house.pages(author, page_size=9)
    works = list(chain.from_iterable(page.works for page in found))
    isbns = {edition.isbn_13 for work in works for edition in work.editions}
    years = [work.first_publication_year or 9_999 for work in works]
    assert {book.isbn13 for book in books_of(author)} - isbns == set()
    assert [work.title for work in works if not is_by([each.name for each in work.authors], author)] == []
    assert (len({work.id for work in works}), years) == (len(works), sorted(years))
    calls = {each.provider: each.call_count for each in found[0].providers}
    assert (calls["isbndb"], set(calls)) == (1, {"isbndb", "google_books", "open_library"})


async def test_each_provider_has_its_say(start: Start) -> None:
    """Editions of all three providers are joined to works, and all answer of where they come from."""
    (page,) = await (await start()).pages("Charles Dickens", page_size=100)
    named = {
        name
        for work in page.works
        for edition in work.editions
        for name in (edition.provider, *edition.contributing_providers)
    }
    assert (named, page.author, page.partial, list(page.gaps)) == (
        {"isbndb", "google_books", "open_library"},
        "Charles Dickens",
        False,
        [],
    )


@pytest.mark.parametrize("provider", ["isbndb", "google_books", "open_library"])
async def test_one_provider_is_enough(start: Start, provider: str) -> None:
    """Each provider alone lists what it has of an author."""
    house = await start(PROVIDERS=provider, BATCH_PROVIDERS=provider)
    (page,) = await house.pages("Charles Dickens", page_size=100)
    titles = {work.title.casefold() for work in page.works}
    assert {"great expectations", "a tale of two cities"} <= titles
    assert [each.provider for each in page.providers] == [provider]


async def test_provider_that_is_down(start: Start) -> None:
    """When one provider fails the others' works come, and it is said who is missing."""
    house = await start()
    await house.faults({"kind": "status", "status": 503, "provider": "open_library"})
    (page,) = await house.pages("Charles Dickens", page_size=100)
    assert (len(page.works) > 0, page.partial, len(page.gaps)) == (True, True, 1)
    assert page.gaps[0].startswith("open_library failed")
