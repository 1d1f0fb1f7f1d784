"""The sandbox's switches and counters, and what a client sees of a fault, over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.app import Settings, create_app
from sandbox.catalogue import Book, load
from sandbox.limits import Plan

KEY = {"Authorization": "canary-7"}
BOOK = Book(isbn13="9780441013593", title="Dune", authors=("Frank Herbert",), language="en", summary="Sand. " * 40)
PLAN = Plan(name="loose", host="api.example", per_second=0, per_day=0, bulk=10)
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a sandbox with one book and no limits."""
    server = TestServer(create_app(load([BOOK]), Settings(plan=PLAN, keys=["canary-7"])))
    async with TestClient(server, headers=KEY) as started:
        yield started


async def _switch(client: Client, **fault: object) -> None:
    """Switches one fault on."""
    response = await client.put("/_sandbox/faults", json=fault)
    assert response.status == 200, await response.text()


async def test_health_says_what_is_served(client: Client) -> None:
    """No key is needed for it, and it is no call of a provider."""
    body = await (await client.get("/_sandbox/health", headers={"Authorization": ""})).json()
    providers = body.pop("providers")
    assert (body, sorted(providers)) == (
        {"status": "SERVING", "provider": "ISBNdb v2", "plan": "loose", "books": 1},
        ["google_books", "isbndb", "open_library"],
    )


async def test_calls_are_counted_without_their_keys(client: Client) -> None:
    """Good, bad and refused calls are counted; what is kept of them names no key."""
    await client.get("/book/9780441013593?with_prices=0&key=canary-7")
    await client.get("/book/1")
    await client.get("/stats", headers={"Authorization": "wrong-canary"})
    text = await (await client.get("/_sandbox/calls")).text()
    report = await (await client.get("/_sandbox/calls?last=1")).json()
    assert (report["total"], report["by_status"], report["by_endpoint"], len(report["last"]), "canary" in text) == (
        3,
        {"200": 1, "401": 1, "404": 1},
        {"GET /book/{isbn}": 2, "GET /stats": 1},
        1,
        False,
    )


async def test_the_peak_of_concurrency_is_seen(client: Client) -> None:
    """Five calls that wait at once are a peak of five."""
    await _switch(client, latency_ms=50)
    await asyncio.gather(*(client.get("/stats") for _ in range(5)))
    assert (await (await client.get("/_sandbox/calls")).json())["peak_concurrency"] == 5


async def test_counters_can_be_reset(client: Client) -> None:
    """Then everything starts from nothing."""
    await client.get("/stats")
    report = await (await client.delete("/_sandbox/calls")).json()
    assert (report["total"], report["by_status"], report["last"]) == (0, {}, [])


async def test_a_bulk_look_up_shows_how_many_it_asked_for(client: Client) -> None:
    """The fewest calls are told from many by it."""
    await client.post("/books", data=b"isbns=9780441013593,0441013597")
    assert (await (await client.get("/_sandbox/calls")).json())["last"][0]["isbn_count"] == 2


async def test_senseless_numbers_of_calls_are_400(client: Client) -> None:
    """The message names the parameter."""
    response = await client.get("/_sandbox/calls?last=many")
    assert (response.status, "last" in await response.text()) == (400, True)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"message": "Limit Exceeded"}),
        (403, {"message": "User is not authorized to access this resource with an explicit deny"}),
        (404, {"errorMessage": "Not Found"}),
        (503, {"message": "Internal server error"}),
    ],
)
async def test_a_status_fault_has_the_providers_body(client: Client, status: int, body: dict[str, str]) -> None:
    """A client cannot tell it from the real one."""
    await _switch(client, kind="status", status=status)
    response = await client.get("/book/9780441013593")
    assert (response.status, await response.json()) == (status, body)


async def test_every_second_call_fails_on_its_path_only(client: Client) -> None:
    """The rate is kept, and other paths are spared."""
    await _switch(client, kind="status", path="/book/", every=2, count=1)
    paths = [
        "/book/9780441013593",
        "/stats",
        "/book/9780441013593",
        "/stats",
        "/book/9780441013593",
        "/book/9780441013593",
    ]
    assert [(await client.get(path)).status for path in paths] == [200, 200, 503, 200, 200, 200]


async def test_faults_are_shown_and_switched_off(client: Client) -> None:
    """What is shown counts what was struck; after DELETE all is well."""
    await _switch(client, kind="status")
    await client.get("/stats")
    shown = (await (await client.get("/_sandbox/faults")).json())["faults"]
    await client.delete("/_sandbox/faults")
    after = await client.get("/stats")
    assert ([(fault["kind"], fault["struck"]) for fault in shown], after.status) == ([("status", 1)], 200)


async def test_a_senseless_fault_is_400_and_changes_nothing(client: Client) -> None:
    """The message names the field; the fault that is on stays on."""
    await _switch(client, kind="status")
    response = await client.put("/_sandbox/faults", json={"every": 0})
    assert (response.status, "every" in await response.text(), (await client.get("/stats")).status) == (400, True, 503)


async def test_latency_is_waited_for(client: Client) -> None:
    """Sixty milliseconds are not less."""
    await _switch(client, latency_ms=60)
    before = time.monotonic()
    await client.get("/stats")
    assert time.monotonic() - before >= 0.059


async def test_a_dropped_connection_gives_no_answer(client: Client) -> None:
    """The client sees the connection go; the sandbox counts a call without a status."""
    await _switch(client, kind="drop", path="/book")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.get("/book/9780441013593")
    assert (await (await client.get("/_sandbox/calls")).json())["by_status"] == {"0": 1}


async def test_a_hanging_call_hangs_until_the_client_gives_up(client: Client) -> None:
    """Nothing comes, and the call does not run on after the client has gone."""
    await _switch(client, kind="hang", path="/book")
    with pytest.raises(TimeoutError):
        await client.get("/book/9780441013593", timeout=aiohttp.ClientTimeout(total=0.1))
    assert (await client.get("/stats")).status == 200


async def test_garbage_is_no_json(client: Client) -> None:
    """The status is good, the content type lies."""
    await _switch(client, kind="garbage")
    response = await client.get("/stats")
    with pytest.raises(ValueError, match="Expecting value"):
        await response.json()


async def test_a_truncated_body_ends_before_its_length(client: Client) -> None:
    """The header promises more than comes."""
    await _switch(client, kind="truncated")
    response = await client.get("/book/9780441013593")
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()


async def test_a_trickling_body_comes_whole_and_late(client: Client) -> None:
    """Piece by piece, and in the end it is JSON."""
    await _switch(client, kind="trickle", trickle_ms=4)
    before = time.monotonic()
    body = await (await client.get("/book/9780441013593")).json()
    assert (body["book"]["title"], time.monotonic() - before >= 0.06) == ("Dune", True)


async def test_a_failing_call_is_billed(client: Client) -> None:
    """Faults stand behind the gate, as the provider's own failures do."""
    await _switch(client, kind="status", count=1)
    await client.get("/stats")
    assert (await (await client.get("/key")).json())["plan_limit"]["spent"] == 2
