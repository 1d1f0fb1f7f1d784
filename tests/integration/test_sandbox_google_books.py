"""Google Books v1 as the sandbox speaks it, over real HTTP."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.app import Settings, create_app
from sandbox.catalogue import Book, load
from sandbox.isbn import check13
from sandbox.limits import Limits

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]
VOLUMES = "/books/v1/volumes"


def _isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"978{number:09}{check13(f'978{number:09}')}"


BOOKS = [
    Book(isbn13="9780553418026", title="The Martian", authors=("Andy Weir",), language="en", year=2014),
    *(
        Book(isbn13=_isbn(at), title=f"Volume {at}", authors=("Prolific Writer",), language="de", year=1900 + at)
        for at in range(10, 90)
    ),
]


@dataclass
class Clock:
    """A clock that is put on by hand."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        """The time that it shows."""
        return self.now


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a sandbox on a free port of loopback."""
    clients: list[Client] = []

    async def start(**settings: Any) -> Client:
        client = TestClient(TestServer(create_app(load(BOOKS), Settings(**settings))))
        clients.append(client)
        await client.start_server()
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def client(serve: Serve) -> Client:
    """A client of a sandbox with Google's usual quota."""
    return await serve()


async def _get(client: Client, path: str, **headers: str) -> tuple[int, Any]:
    """Status and body of an answer."""
    response = await client.get(path, headers=headers)
    return response.status, await response.json()


async def test_a_search_gives_volumes_which_are_there_by_their_ids(client: Client) -> None:
    """The list and the volume's own path show one record."""
    status, found = await _get(client, f"{VOLUMES}?q=intitle:martian")
    one = await _get(client, f"{VOLUMES}/{found['items'][0]['id']}")
    assert (status, found["kind"], one) == (200, "books#volumes", (200, found["items"][0]))


async def test_nothing_found_has_no_items(client: Client) -> None:
    """The key is missing, and the status is good."""
    assert await _get(client, f"{VOLUMES}?q=zzzzzz") == (200, {"kind": "books#volumes", "totalItems": 0})


async def test_pages_cover_everything_once_and_their_totals_differ(client: Client) -> None:
    """Ten by default and forty at most; the end is an answer without items, and no total is to be relied on."""
    pages = [
        (await _get(client, f"{VOLUMES}?q=inauthor:prolific&maxResults=40&startIndex={start}"))[1]
        for start in (0, 40, 80)
    ]
    ids = [item["id"] for page in pages for item in page.get("items", ())]
    default = (await _get(client, f"{VOLUMES}?q=inauthor:prolific"))[1]
    assert (
        len(ids) == len(set(ids)) > 70,
        len(default["items"]),
        "items" in pages[2] or pages[2]["totalItems"] > 0,
        len({page["totalItems"] for page in pages}) > 1,
        min(page["totalItems"] for page in pages) >= len(ids),
    ) == (True, 10, True, True, True)


async def test_a_language_and_the_newest_can_be_asked_for(client: Client) -> None:
    """By what the volumes say of themselves, right or wrong."""
    _, found = await _get(client, f"{VOLUMES}?q=volume&langRestrict=de&orderBy=newest&maxResults=40")
    infos = [item["volumeInfo"] for item in found["items"]]
    dates = [info.get("publishedDate", "") for info in infos]
    assert ({info["language"] for info in infos}, dates) == ({"de"}, sorted(dates, reverse=True))


async def test_a_lite_projection_tells_less(client: Client) -> None:
    """No identifiers in it."""
    _, found = await _get(client, f"{VOLUMES}?q=martian&projection=lite")
    assert {"industryIdentifiers"} & set(found["items"][0]["volumeInfo"]) == set()


async def test_there_are_no_magazines(client: Client) -> None:
    """All of the catalogue is books."""
    assert (await _get(client, f"{VOLUMES}?q=martian&printType=magazines"))[1]["totalItems"] == 0


@pytest.mark.parametrize(
    ("query", "name", "reason"),
    [
        ("", "q", "queryRequired"),
        ("q=", "q", "queryRequired"),
        ("q=x&maxResults=41", "maxResults", "invalidParameter"),
        ("q=x&maxResults=many", "maxResults", "invalidParameter"),
        ("q=x&startIndex=-1", "startIndex", "invalidParameter"),
        ("q=x&orderBy=colour", "orderBy", "invalidParameter"),
        ("q=x&printType=scrolls", "printType", "invalidParameter"),
        ("q=x&projection=half", "projection", "invalidParameter"),
    ],
)
async def test_a_bad_parameter_is_400(client: Client, query: str, name: str, reason: str) -> None:
    """The error names it."""
    status, body = await _get(client, f"{VOLUMES}?{query}")
    first = body["error"]["errors"][0]
    assert (status, body["error"]["code"], first["location"], first["reason"]) == (400, 400, name, reason)


@pytest.mark.parametrize("path", [f"{VOLUMES}/nothing", "/books/v1/mylibrary", "/books/v1"])
async def test_what_is_not_there_is_googles_404(client: Client, path: str) -> None:
    """Below the prefix everything is Google's, errors too."""
    status, body = await _get(client, path)
    assert (status, body["error"]["errors"][0]["reason"]) == (404, "notFound")


async def test_calls_without_a_key_share_a_quota_that_may_be_exhausted(serve: Serve) -> None:
    """Zero is what the real one mostly is: the limit in the body is 0, as recorded."""
    status, body = await _get(await serve(google_keyless_per_day=0), f"{VOLUMES}?q=martian")
    error = body["error"]
    assert (
        status,
        error["status"],
        error["errors"][0]["reason"],
        error["details"][0]["reason"],
        error["details"][0]["metadata"]["quota_limit_value"],
    ) == (429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "0")


async def test_without_limit_calls_without_a_key_go_on(serve: Serve) -> None:
    """None is no quota at all."""
    client = await serve(google_keyless_per_day=None)
    assert {(await _get(client, f"{VOLUMES}?q=martian"))[0] for _ in range(5)} == {200}


async def test_each_key_has_a_day_of_its_own_until_midnight_pacific_time(serve: Serve) -> None:
    """What one key spent another has, in the query or in the header; on the next day both have it again."""
    clock = Clock()
    client = await serve(google=Limits(per_day=2), google_keyless_per_day=1, clock=clock)
    calls = [
        ("?q=a&key=one", ""),
        ("?q=a&key=one", ""),
        ("?q=a&key=one", ""),
        ("?q=a", "two"),
        ("?q=a", ""),
        ("?q=a", ""),
    ]
    statuses = [
        (await _get(client, VOLUMES + query, **({"X-Goog-Api-Key": key} if key else {})))[0] for query, key in calls
    ]
    clock.now += 86_400
    statuses.append((await _get(client, f"{VOLUMES}?q=a&key=one"))[0])
    assert statuses == [200, 200, 429, 200, 200, 429, 200]


async def test_errors_are_billed_and_refusals_are_not(serve: Serve) -> None:
    """A bad parameter costs a call; a key that there is not costs nobody anything."""
    client = await serve(google=Limits(per_day=2), google_keys=["one"])
    paths = [f"{VOLUMES}?key=one", f"{VOLUMES}?q=a&key=other", f"{VOLUMES}?q=a&key=one", f"{VOLUMES}?q=a&key=one"]
    assert [(await _get(client, path))[0] for path in paths] == [400, 400, 200, 429]


async def test_an_unknown_key_is_400(serve: Serve) -> None:
    """With keys named, no other is served, and the error says so without the key."""
    status, body = await _get(await serve(google_keys=["one"]), f"{VOLUMES}?q=a&key=canary")
    assert (status, body["error"]["details"][0]["reason"], "canary" in str(body)) == (400, "API_KEY_INVALID", False)


async def test_a_spent_quota_may_be_told_in_the_older_manner(serve: Serve) -> None:
    """A 403 whose reason names the day."""
    status, body = await _get(await serve(google_keyless_per_day=0, google_spent_status=403), f"{VOLUMES}?q=a")
    assert (status, body["error"]["errors"][0]["reason"]) == (403, "dailyLimitExceeded")


async def test_calls_too_fast_are_429(serve: Serve) -> None:
    """The limit in the body is that of the second."""
    client = await serve(google=Limits(per_second=2), clock=Clock())
    answers = [await _get(client, f"{VOLUMES}?q=a&key=one") for _ in range(3)]
    assert (
        [status for status, _ in answers],
        answers[2][1]["error"]["details"][0]["metadata"]["quota_limit_value"],
    ) == (
        [200, 200, 429],
        "2",
    )


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "backendFailed"), (403, "dailyLimitExceeded"), (429, "rateLimitExceeded")]
)
async def test_a_status_fault_has_googles_body_and_spares_the_others(client: Client, status: int, reason: str) -> None:
    """Switched on for one provider, it strikes that one only."""
    fault = {"kind": "status", "status": status, "provider": "google_books"}
    assert (await client.put("/_sandbox/faults", json=fault)).status == 200
    struck, body = await _get(client, f"{VOLUMES}?q=martian")
    spared = [
        (await client.get(path, headers={"Authorization": "sandbox"})).status for path in ("/stats", "/search.json?q=a")
    ]
    assert (struck, body["error"]["errors"][0]["reason"], spared) == (status, reason, [200, 200])


async def test_calls_are_counted_by_provider_and_keep_no_key(client: Client) -> None:
    """The key in the query is struck out of what is kept."""
    await client.get(f"{VOLUMES}?q=martian&key=canary")
    text = await (await client.get("/_sandbox/calls")).text()
    report = await (await client.get("/_sandbox/calls")).json()
    assert (report["by_provider"]["google_books"]["by_status"], report["by_endpoint"], "canary" in text) == (
        {"200": 1},
        {f"GET {VOLUMES}": 1},
        False,
    )


async def test_isbndbs_books_are_still_isbndbs(client: Client) -> None:
    """Its words below /books are not Google's, "v1" among them."""
    response = await client.get("/books/v1x?column=title", headers={"Authorization": "sandbox"})
    assert await response.json() == {"total": 0, "books": []}


async def test_every_volume_of_the_catalogue_can_be_shown(client: Client) -> None:
    """No book, real or derived, is beyond the shapes."""
    statuses = []
    for start in itertools.count(0, 40):
        _, page = await _get(client, f"{VOLUMES}?q=volume&maxResults=40&startIndex={start}&key=k")
        if "items" not in page:
            break
        statuses += [(await _get(client, f"{VOLUMES}/{item['id']}?key=k"))[0] for item in page["items"]]
    assert (set(statuses), len(statuses) > 70) == ({200}, True)
