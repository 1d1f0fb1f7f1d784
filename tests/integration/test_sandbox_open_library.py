"""Open Library as the sandbox speaks it, over real HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.app import Settings, create_app
from sandbox.catalogue import Book, load
from sandbox.isbn import check13

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]
IDENTIFIED = "bookmesh-tests/1.0 (tests@example.org)"


def _isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"978{number:09}{check13(f'978{number:09}')}"


BOOKS = [
    Book(
        isbn13="9780553418026", title="The Martian", authors=("Andy Weir",), language="en", year=2014, publisher="Crown"
    ),
    *(
        Book(isbn13=_isbn(at), title=f"Volume {at}", authors=("Prolific Writer",), language="de", year=1900 + at)
        for at in range(10, 90)
    ),
]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a sandbox on a free port of loopback; its clock stands."""
    clients: list[Client] = []

    async def start(agent: str = IDENTIFIED, **settings: Any) -> Client:
        app = create_app(load(BOOKS), Settings(clock=lambda: 1_000_000.0, **settings))
        client = TestClient(TestServer(app), headers={"User-Agent": agent})
        clients.append(client)
        await client.start_server()
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serve: Serve) -> Client:
    """A client of a sandbox whose Open Library has no limit."""
    return await serve(open_library_per_second=0)


async def _get(client: Client, path: str) -> tuple[int, Any]:
    """Status and body of an answer."""
    response = await client.get(path)
    return response.status, await response.json()


async def _author_key(client: Client) -> str:
    """The key of an author of many works."""
    _, found = await _get(client, "/search/authors.json?q=prolific+writer")
    return str(found["docs"][0]["key"])


async def test_a_search_without_fields_tells_no_isbn(client: Client) -> None:
    """The envelope is whole; of the work comes what the default names."""
    status, found = await _get(client, "/search.json?q=martian")
    doc = found.pop("docs")[0]
    assert (
        status,
        {"isbn", "publisher", "publish_date", "number_of_pages_median"} & set(doc),
        doc["title"],
        found,
    ) == (
        200,
        set(),
        "The Martian",
        {
            "numFound": 1,
            "start": 0,
            "numFoundExact": True,
            "num_found": 1,
            "documentation_url": "https://openlibrary.org/dev/docs/api/search",
            "q": "martian",
            "offset": None,
        },
    )


async def test_fields_are_what_is_asked_for(client: Client) -> None:
    """Those and no others; a star is all of them."""
    _, some = await _get(client, "/search.json?title=martian&author=weir&fields=key,isbn,nonsense")
    _, every = await _get(client, "/search.json?isbn=0553418025&fields=*")
    assert (set(some["docs"][0]), sorted(every["docs"][0]["isbn"]), every["docs"][0]["publisher"]) == (
        {"key", "isbn"},
        ["0553418025", "9780553418026"],
        ["Crown"],
    )


@pytest.mark.parametrize("query", ["page=2&limit=30", "offset=30&limit=30"])
async def test_a_search_has_pages(client: Client, query: str) -> None:
    """By page or by offset; the answer says where it starts."""
    _, found = await _get(client, f"/search.json?author=prolific&{query}")
    assert (found["start"], len(found["docs"]), found["numFound"] > 60) == (30, 30, True)


@pytest.mark.parametrize(("sort", "turned"), [("old", False), ("new", True)])
async def test_a_search_is_sorted_when_asked(client: Client, sort: str, turned: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """By the year of the first edition, as told."""
    _, found = await _get(client, f"/search.json?author=prolific&sort={sort}&fields=first_publish_year")
    years = [doc["first_publish_year"] for doc in found["docs"]]
    assert years == sorted(years, reverse=turned)


async def test_a_language_is_a_preference(client: Client) -> None:
    """Works in it come first, the others after them."""
    _, found = await _get(client, "/search.json?q=author:prolific+OR+author:weir&lang=en&limit=200")
    told = ["eng" in doc.get("language", ()) for doc in found["docs"]]
    assert (told == sorted(told, reverse=True), set(told)) == (True, {True, False})


@pytest.mark.parametrize(
    "path",
    [
        "/search.json?q=a&limit=x",
        "/search.json?q=a&page=0",
        "/search.json?q=a&sort=colour",
        "/search.json?q=a&offset=-1",
    ],
)
async def test_senseless_parameters_are_400(client: Client, path: str) -> None:
    """The sentence names the parameter."""
    status, body = await _get(client, path)
    assert (status, "must be" in body["error"]) == (400, True)


async def test_an_authors_works_come_in_pages_without_years(client: Client) -> None:
    """Links lead on and back, each work comes once, and no year of a first edition is told."""
    path, entries, pages = f"/authors/{await _author_key(client)}/works.json?limit=30", [], []
    while path:
        _, page = await _get(client, path)
        pages.append(page)
        entries += page["entries"]
        path = page["links"].get("next", "")
    keys = [entry["key"] for entry in entries]
    assert (
        len(set(keys)) == len(keys) == pages[0]["size"] > 60,
        {"next" in pages[0]["links"], "prev" in pages[0]["links"], "prev" in pages[1]["links"]},
        any("first_publish_year" in entry for entry in entries),
        [entry["title"] for entry in entries] == sorted(entry["title"] for entry in entries),
    ) == (True, {True, False}, False, False)


async def test_records_lead_to_one_another(client: Client) -> None:
    """ISBN, edition, work, its editions and its author are one web of keys."""
    _, edition = await _get(client, "/isbn/9780553418026.json")
    work_key, author_key = edition["works"][0]["key"], edition["authors"][0]["key"]
    _, work = await _get(client, f"{work_key}.json")
    _, editions = await _get(client, f"{work_key}/editions.json")
    _, author = await _get(client, f"{author_key}.json")
    _, again = await _get(client, f"{edition['key']}.json")
    assert (work["key"], [entry["key"] for entry in editions["entries"]], author["key"], again) == (
        work_key,
        [edition["key"]],
        author_key,
        edition,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/isbn/9780000000002",
        "/isbn/nonsense",
        "/works/OL1W",
        "/works/OL1W/editions",
        "/works/what",
        "/authors/OL1A",
        "/authors/OL1A/works",
        "/books/OL1M",
    ],
)
async def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    """The body names an error, and no key of ISBNdb's is needed to read it."""
    status, body = await _get(client, f"{path}.json")
    assert (status, body["error"]) == (404, "notfound")


@pytest.mark.parametrize(
    ("agent", "statuses"),
    [
        (IDENTIFIED, [200, 200, 200, 429]),
        ("reader (+https://example.org/contact)", [200, 200, 200, 429]),
        ("", [200, 429, 429, 429]),
        ("python-requests/2.32", [200, 429, 429, 429]),
        ("Python/3.12 aiohttp/3.13", [200, 429, 429, 429]),
        ("bookmesh/1.0", [403, 403, 403, 403]),
    ],
)
async def test_a_name_decides_the_rate(serve: Serve, agent: str, statuses: list[int]) -> None:
    """Three a second with a contact, one without any name, none with a name alone."""
    client = await serve(agent)
    assert [(await client.get("/search.json?q=a")).status for _ in range(4)] == statuses


async def test_haste_and_hiding_have_open_librarys_bodies(serve: Serve) -> None:
    """Too fast is JSON as recorded, no contact a page."""
    client = await serve()
    answers = [await client.get("/search.json?q=a") for _ in range(4)]
    hidden = await client.get("/search.json?q=a", headers={"User-Agent": "bookmesh/1.0"})
    assert (await answers[3].json(), hidden.content_type) == (
        {"status": 429, "message": "Too Many Requests. Consider using https://openlibrary.org/developers/dumps."},
        "text/html",
    )


async def test_a_status_fault_has_open_librarys_body(client: Client) -> None:
    """Its failures are pages."""
    await client.put("/_sandbox/faults", json={"kind": "status", "status": 503, "provider": "open_library"})
    response = await client.get("/search.json?q=a")
    assert (response.status, response.content_type) == (503, "text/html")


@pytest.mark.parametrize(
    "path", ["/search/books?text=martian", "/authors/weir", "/authors/works.json", "/books/martian"]
)
async def test_isbndbs_paths_are_still_isbndbs(client: Client, path: str) -> None:
    """Without its key they are refused in its own words."""
    assert await _get(client, path) == (401, {"message": "Unauthorized"})


async def test_calls_are_counted_by_provider(client: Client) -> None:
    """Each has counters of its own beside those of all."""
    await client.get("/search.json?q=a")
    await client.get("/stats", headers={"Authorization": "sandbox"})
    report = await (await client.get("/_sandbox/calls")).json()
    assert (report["total"], {name: tally["total"] for name, tally in report["by_provider"].items()}) == (
        2,
        {"isbndb": 1, "open_library": 1},
    )
