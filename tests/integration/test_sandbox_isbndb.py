"""ISBNdb v2 as the sandbox speaks it, over real HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.app import Settings, create_app
from sandbox.catalogue import Book, load
from sandbox.isbn import check13
from sandbox.isbndb import book_json
from sandbox.limits import Plan

KEY = {"Authorization": "canary-7"}
Client = TestClient[web.Request, web.Application]
Serve = Callable[[Settings], Awaitable[Client]]


def _isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"978{number:09}{check13(f'978{number:09}')}"


BOOKS = [
    Book(isbn13="9780553418026", title="The Martian", authors=("Andy Weir",), language="en", year=2014),
    Book(isbn13="9783453316911", title="Der Marsianer", authors=("Andy Weir",), language="de", publisher="Heyne"),
    Book(isbn13="9780439554930", title="Harry Potter", authors=("J.K. Rowling",), language="en", subjects=("Magic",)),
    *(
        Book(isbn13=_isbn(at), title=f"Volume {at}", authors=("Prolific Writer",), language="en")
        for at in range(10, 55)
    ),
]


def _settings(plan: Plan | None = None, *, author_total: bool = False, bill_each_isbn: bool = False) -> Settings:
    """A plan without limits but one of two ISBNs in bulk."""
    loose = Plan(name="loose", host="api.example", per_second=0, per_day=0, bulk=2)
    return Settings(
        plan=plan or loose,
        keys=["canary-7", "second"],
        denied_keys=["former"],
        clock=lambda: 1_000_000.0,
        author_total=author_total,
        bill_each_isbn=bill_each_isbn,
    )


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a sandbox on a free port of loopback."""
    clients: list[Client] = []

    async def start(settings: Settings) -> Client:
        client = TestClient(TestServer(create_app(load(BOOKS), settings)), headers=KEY)
        clients.append(client)
        await client.start_server()
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serve: Serve) -> Client:
    """A client of a sandbox without limits."""
    return await serve(_settings())


async def _json(response: aiohttp.ClientResponse) -> tuple[int, object]:
    """Status and body of an answer."""
    return response.status, await response.json()


async def _titles(client: Client, path: str) -> list[str]:
    """The titles of a list, under whatever key it stands."""
    body = await (await client.get(path)).json()
    return [book["title"] for book in body.get("books", body.get("data", []))]


@pytest.mark.parametrize("isbn", ["9780553418026", "0553418025", "978-0-553-41802-6"])
async def test_a_book_is_found_by_either_isbn(client: Client, isbn: str) -> None:
    """Both lengths lead to one book, in its envelope."""
    status, body = await _json(await client.get(f"/book/{isbn}"))
    assert (status, body["book"]["isbn13"] if isinstance(body, dict) else body) == (200, "9780553418026")


@pytest.mark.parametrize(
    "path",
    [
        "/book/9780000000002",
        "/book/nonsense",
        "/author/nobody%20at%20all",
        "/publisher/none",
        "/subject/none",
        "/nowhere",
    ],
)
async def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    """The body is ISBNdb's, whatever was asked for."""
    assert await _json(await client.get(path)) == (404, {"errorMessage": "Not Found"})


@pytest.mark.parametrize("name", ["andy%20weir", "Andy_Weir", "WEIR,%20ANDY", "andy+weir"])
async def test_an_author_is_found_in_every_path_form(client: Client, name: str) -> None:
    """Encoded blanks, underscores, case and order lead to the same author, whose name comes as the catalogue has it."""
    body = await (await client.get(f"/author/{name}")).json()
    assert (body["author"], len(body["books"]), "total" in body) == ("Andy Weir", 2, False)


async def test_initials_may_be_written_with_underscores(client: Client) -> None:
    """The documented form j.k._rowling is understood."""
    assert await _titles(client, "/author/j.k._rowling") == ["Harry Potter"]


async def test_a_language_filters_and_none_floods(client: Client) -> None:
    """Without a language foreign editions come too."""
    filtered = await _titles(client, "/author/andy%20weir?language=en")
    flooded = await _titles(client, "/author/andy%20weir")
    assert (filtered, sorted(flooded)) == (["The Martian"], ["Der Marsianer", "The Martian"])


async def test_pages_end_with_a_short_one(client: Client) -> None:
    """Twenty by default, and no total: the short page is the end."""
    pages = [await _titles(client, f"/author/prolific%20writer?page={number}") for number in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [20, 20, 5, 0]


async def test_every_book_stands_on_one_page_only(client: Client) -> None:
    """Pages neither overlap nor leave out."""
    pages = [await _titles(client, f"/author/prolific%20writer?pageSize=7&page={number}") for number in range(1, 8)]
    assert sorted(title for page in pages for title in page) == sorted(f"Volume {at}" for at in range(10, 55))


async def test_a_total_is_told_when_switched_on(serve: Serve) -> None:
    """Some describe the total, so a client must bear it."""
    client = await serve(_settings(author_total=True))
    assert (await (await client.get("/author/prolific%20writer?pageSize=1")).json())["total"] == 45


@pytest.mark.parametrize(
    "query", ["pageSize=1001", "pageSize=0", "page=0", "page=-1", "page=one", "page=10001", "pageSize=5000"]
)
async def test_senseless_pages_are_400(client: Client, query: str) -> None:
    """Nothing is coerced."""
    assert (await client.get(f"/author/andy%20weir?{query}")).status == 400


async def test_a_search_of_names_gives_names(client: Client) -> None:
    """Authors, publishers and subjects are searched the same way."""
    bodies = [await (await client.get(path)).json() for path in ("/authors/weir", "/publishers/h", "/subjects/magic")]
    assert bodies == [
        {"total": 1, "authors": ["Andy Weir"]},
        {"total": 1, "publishers": ["Heyne"]},
        {"total": 1, "subjects": ["Magic"]},
    ]


async def test_publisher_and_subject_list_their_books(client: Client) -> None:
    """Each under its own label."""
    publisher = await (await client.get("/publisher/heyne")).json()
    subject = await (await client.get("/subject/magic")).json()
    assert ((publisher["name"], len(publisher["books"])), (subject["subject"], len(subject["books"]))) == (
        ("Heyne", 1),
        ("Magic", 1),
    )


async def test_books_match_all_words_when_asked(client: Client) -> None:
    """With the switch one book, without it a flood that the book leads."""
    every = await _titles(client, "/books/volume%2017?column=title&shouldMatchAll=1")
    some = await _titles(client, "/books/volume%2017?column=title&pageSize=1000")
    assert (every, some[0], len(some)) == (["Volume 17"], "Volume 17", 45)


async def test_books_filter_by_year_and_language(client: Client) -> None:
    """Filters narrow what the words found."""
    found = [await _titles(client, f"/books/weir?column=author&{query}") for query in ("language=de", "year=2014")]
    assert found == [["Der Marsianer"], ["The Martian"]]


async def test_nothing_found_by_words_is_an_empty_list(client: Client) -> None:
    """A search that finds nothing has succeeded."""
    assert await _json(await client.get("/books/zzz?column=title")) == (200, {"total": 0, "books": []})


async def test_an_unknown_column_is_400(client: Client) -> None:
    """The answer names the columns that there are."""
    status, body = await _json(await client.get("/books/x?column=colour"))
    assert (status, "title, author, subject" in str(body)) == (400, True)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("author=weir&text=martian", ["The Martian"]),
        ("author=weir&publisher=heyne", ["Der Marsianer"]),
        ("isbn13=9780553418026", ["The Martian"]),
        ("isbn=0553418025&author=rowling", []),
        ("subject=magic", ["Harry Potter"]),
    ],
)
async def test_a_combined_search_meets_every_parameter(client: Client, query: str, titles: list[str]) -> None:
    """What does not match one of them is no answer."""
    assert await _titles(client, f"/search/books?{query}") == titles


async def test_a_combined_search_of_nothing_is_400(client: Client) -> None:
    """Some parameter must be given."""
    assert (await client.get("/search/books")).status == 400


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"isbns=9780553418026,0553418025", "application/json"),
        (b"isbns=9780553418026%2C9780000000002", "application/x-www-form-urlencoded"),
        (b"isbns=9780553418026&isbns=9780000000002", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_bulk_look_up_leaves_out_what_is_missing(client: Client, data: bytes, content_type: str) -> None:
    """Two asked for, one found, none named as missing; the content type does not matter."""
    response = await client.post("/books", data=data, headers={"Content-Type": content_type})
    body = await response.json()
    assert (body["total"], body["requested"], [book["isbn13"] for book in body["data"]]) == (1, 2, ["9780553418026"])


@pytest.mark.parametrize("data", [b"isbns=1,2,3", b"isbns=", b"", b'{"isbns": []}', b"\xff"])
async def test_a_bulk_look_up_of_too_many_or_none_is_400(client: Client, data: bytes) -> None:
    """The plan says how many; here two."""
    assert (await client.post("/books", data=data)).status == 400


async def test_a_book_is_shown_alike_everywhere(client: Client) -> None:
    """Look-up, bulk look-up and bibliography show one record, dirt and all."""
    one = (await (await client.get("/book/9780439554930")).json())["book"]
    bulk = (await (await client.post("/books", data=b"isbns=9780439554930")).json())["data"]
    author = (await (await client.get("/author/jk%20rowling")).json())["books"]
    assert (bulk, author) == ([one], [one])


async def test_a_book_is_not_much_other_than_clean(client: Client) -> None:
    """Whatever the dirt, nothing is shown that the clean book does not know."""
    shown = (await (await client.get("/book/9780439554930")).json())["book"]
    assert set(shown) <= set(book_json(BOOKS[2])) | {"synopsys"}


async def test_stats_count_the_catalogue(client: Client) -> None:
    """Books, authors, publishers and subjects."""
    assert await (await client.get("/stats")).json() == {"books": 48, "authors": 3, "publishers": 1, "subjects": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "wrong"},
        {"Authorization": "Bearer canary-7"},
        {"Authorization": "", "X-API-KEY": "canary-7"},
    ],
)
async def test_no_key_or_a_wrong_one_is_401(client: Client, headers: dict[str, str]) -> None:
    """The header holds the key alone; another header does not count."""
    response = await client.get("/book/9780553418026?key=canary-7", headers=headers)
    assert await _json(response) == (401, {"message": "Unauthorized"})


async def test_a_refused_key_is_403(client: Client) -> None:
    """The gateway denies explicitly."""
    response = await client.get("/book/9780553418026", headers={"Authorization": "former"})
    assert await _json(response) == (
        403,
        {"message": "User is not authorized to access this resource with an explicit deny"},
    )


async def test_too_many_calls_in_a_second_are_429(serve: Serve) -> None:
    """The body is ISBNdb's, and no header says when to come back."""
    client = await serve(_settings(Plan(name="p", host="h", per_second=2, per_day=0, bulk=1)))
    answers = [await client.get("/stats") for _ in range(3)]
    assert ([answer.status for answer in answers], await answers[2].json(), "Retry-After" in answers[2].headers) == (
        [200, 200, 429],
        {"message": "Limit Exceeded"},
        False,
    )


async def test_each_key_has_limits_of_its_own(serve: Serve) -> None:
    """One key's haste is not the other's."""
    client = await serve(_settings(Plan(name="p", host="h", per_second=1, per_day=0, bulk=1)))
    await client.get("/stats")
    assert (await client.get("/stats", headers={"Authorization": "second"})).status == 200


async def test_errors_are_billed_and_a_spent_day_is_403(serve: Serve) -> None:
    """Two calls a day, both spent on errors; the third is denied."""
    client = await serve(_settings(Plan(name="p", host="h", per_second=0, per_day=2, bulk=1)))
    statuses = [(await client.get(path)).status for path in ("/book/1", "/books/x?column=y", "/stats")]
    assert statuses == [404, 400, 403]


async def test_the_key_tells_its_plan_and_what_is_left(serve: Serve) -> None:
    """The call that asks is billed too."""
    client = await serve(_settings(Plan(name="p", host="h", per_second=0, per_day=10, bulk=2)))
    assert await (await client.get("/key")).json() == {
        "api_host": "h",
        "plan_limit": {"total": 10, "spent": 1, "left": 9},
        "plan_name": "p",
    }


@pytest.mark.parametrize(("each", "spent"), [(False, 2), (True, 3)])
async def test_a_bulk_look_up_is_billed_by_call_or_by_isbn(serve: Serve, each: bool, spent: int) -> None:  # noqa: FBT001 -- a parameter of the test
    """By call as the older practice has it, by ISBN as the tariff of today says."""
    plan = Plan(name="p", host="h", per_second=0, per_day=10, bulk=2)
    client = await serve(_settings(plan, bill_each_isbn=each))
    await client.post("/books", data=b"isbns=1,2")
    assert (await (await client.get("/key")).json())["plan_limit"]["spent"] == spent


async def test_settings_tell_no_key() -> None:
    """Whoever prints the settings sees the plan only."""
    assert repr(_settings()) == "Settings(plan='loose')"
