"""The leaf behind its stub, against the sandbox over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from bookmesh.isbndb.v1 import admin_service_pb2 as admin_pb
from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.type.v1.book_pb2 import FORMAT_HARDCOVER

from mesh.breakers import Breakers
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.status import (
    FailedPreconditionError,
    InvalidArgumentError,
    MeshError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)
from mesh.testing import in_process
from sandbox.app import Settings, create_app
from sandbox.catalogue import Book, Catalogue, load
from sandbox.isbn import check13
from sandbox.limits import Plan
from sandbox.shelf import read
from services.isbndb.entrypoints import Admin, Default, lifespan
from services.isbndb.env import Env

KEY = "canary-4711"
SECOND = "canary-4712"
BATCH = (("x-bookmesh-class", "batch"),)
"""Metadata of a call that nobody waits for."""
LOOSE = Plan(name="loose", host="api.example", per_second=0, per_day=0, bulk=100)
CATALOGUE = Path(__file__).parents[2] / "sandbox" / "catalog" / "loc.csv"


def isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"978{number:09}{check13(f'978{number:09}')}"


BOOKS = [
    Book(isbn13="9780553418026", title="The Martian", authors=("Andy Weir",), language="en", year=2014),
    Book(
        isbn13="9781785031137",
        title="The Martian",
        subtitle="A Novel",
        authors=("Andy Weir",),
        language="en",
        year=2011,
        binding="Hardcover",
        publisher="Crown",
        pages=384,
    ),
    Book(isbn13="9783453316911", title="Der Marsianer", authors=("Andy Weir",), language="de", year=2014),
    Book(isbn13="9789735042776", title="Solenoid", authors=("Mircea Cărtărescu",), language="ro", year=2015),
    Book(isbn13="9784101001012", title="雪国", authors=("川端 康成",), language="ja", year=1947),
    Book(isbn13="9780000000019", title="Slash/Dot & 100%?", authors=("A/B Writer",), language="en", year=2001),
    *(
        Book(isbn13=isbn(at), title=f"Volume {at}", authors=("Prolific Writer",), language="en", year=2000)
        for at in range(1_000, 1_025)
    ),
]


@dataclass(slots=True, kw_only=True)
class Leaf:
    """The leaf with its stubs, and the sandbox that it speaks to."""

    stub: IsbndbServiceStub
    admin: AdminServiceStub
    url: str
    http: aiohttp.ClientSession = field(repr=False)

    async def calls(self) -> dict[str, Any]:
        """What the sandbox counted."""
        async with self.http.get(f"{self.url}/_sandbox/calls") as response:
            return dict(await response.json())

    async def targets(self) -> list[str]:
        """What the sandbox was asked for, in order."""
        return [f"{call['endpoint'].split()[0]} {call['target']}" for call in (await self.calls())["last"]]

    async def faults(self, *faults: dict[str, object]) -> None:
        """Switches faults on, and all others off."""
        async with self.http.put(f"{self.url}/_sandbox/faults", json=list(faults)) as response:
            response.raise_for_status()


Start = Callable[..., Awaitable[Leaf]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a sandbox on a free port and a leaf before it, with settings of either."""
    async with AsyncExitStack() as closing:
        http = await closing.enter_async_context(aiohttp.ClientSession())

        async def begin(
            *, plan: Plan = LOOSE, catalogue: Catalogue | None = None, key: str | None = KEY, **settings: Any
        ) -> Leaf:
            served = Settings(plan=plan, keys=[KEY, SECOND], denied_keys=["former"])
            runner = web.AppRunner(create_app(catalogue or load(BOOKS), served), access_log=None)
            await runner.setup()
            closing.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            bindings: dict[str, Any] = {
                "ISBNDB_API_KEY": Secret("ISBNDB_API_KEY", key) if key else None,
                "RATE_LIMIT_MS": 0,
                "MAX_BOOKS_PER_AUTHOR": 50,
                "MESH": Introspection(worker="isbndb", stats=Stats(), breakers=Breakers()),
                "ISBNDB_URL": url,
                "ISBNDB_CALLS_PER_SECOND": 10_000.0,
            }
            env = Env(**{**bindings, **settings})
            state = await closing.enter_async_context(lifespan(env))
            return Leaf(
                stub=in_process(IsbndbServiceStub, Default(env, state)),
                admin=in_process(AdminServiceStub, Admin(env, state)),
                url=url,
                http=http,
            )

        yield begin


@pytest.fixture
async def leaf(start: Start) -> Leaf:
    """A leaf without limits."""
    return await start()


def bibliography(author: str, **fields: Any) -> pb.AuthorBibliographyRequest:
    """The request for a page."""
    return pb.AuthorBibliographyRequest(author=author, **fields)


async def test_bibliography(leaf: Leaf) -> None:
    """An author's editions come as works, in the language asked for, with what they cost."""
    answer = await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    assert (
        answer.author,
        answer.page,
        answer.edition_count,
        answer.next_page,
        answer.provider_call_count,
        [work.title for work in answer.works],
    ) == ("Andy Weir", 1, 2, 0, 1, ["The Martian"])


async def test_bibliography_work(leaf: Leaf) -> None:
    """A work has the year of its first edition, and its best edition stands first."""
    (work,) = (await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))).works
    assert (work.subtitle, work.first_publication_year, [edition.isbn_13 for edition in work.editions]) == (
        "A Novel",
        2011,
        ["9781785031137", "9780553418026"],
    )


async def test_bibliography_in_another_language(leaf: Leaf) -> None:
    """The language decides which editions come."""
    answer = await leaf.stub.AuthorBibliography(bibliography("Andy Weir", language="de"))
    assert [work.title for work in answer.works] == ["Der Marsianer"]


async def test_bibliography_in_every_language(leaf: Leaf) -> None:
    """A star asks for every language."""
    answer = await leaf.stub.AuthorBibliography(bibliography("Andy Weir", language="*"))
    assert answer.edition_count == 3


async def test_language_is_always_sent(leaf: Leaf) -> None:
    """A request without a language asks for English, and the page and its size are named too."""
    await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    assert await leaf.targets() == ["GET /author/Andy Weir?page=1&pageSize=50&language=en"]


async def test_unknown_author_is_an_empty_page(leaf: Leaf) -> None:
    """An author whom ISBNdb does not know has written nothing, which is no failure."""
    answer = await leaf.stub.AuthorBibliography(bibliography("Nobody Atall"))
    assert answer == pb.AuthorBibliographyResponse(page=1, provider_call_count=1)


@pytest.mark.parametrize("author", ["Mircea Cărtărescu", "川端 康成", "A/B Writer"])
async def test_any_author_can_be_asked_for(leaf: Leaf, author: str) -> None:
    """Names with accents, in other scripts and with slashes reach ISBNdb as they are."""
    answer = await leaf.stub.AuthorBibliography(bibliography(author, language="*"))
    assert answer.edition_count == 1


@pytest.mark.parametrize(("page_size", "expected"), [(5, 6), (10, 3), (24, 2), (25, 2), (26, 1)])
async def test_pages_hold_every_book_once(leaf: Leaf, page_size: int, expected: int) -> None:
    """Following next_page to its end gives every edition once; only a short page is the last."""
    found, pages, page = [], 0, 1
    while page:
        answer = await leaf.stub.AuthorBibliography(
            bibliography("Prolific Writer", page=page, page_size=page_size, language="*")
        )
        found += [edition.isbn_13 for work in answer.works for edition in work.editions]
        pages, page = pages + 1, answer.next_page
    assert (sorted(found), pages) == ([isbn(at) for at in range(1_000, 1_025)], expected)


async def test_page_is_no_larger_than_allowed(start: Start) -> None:
    """A page larger than MAX_BOOKS_PER_AUTHOR is taken as that."""
    leaf = await start(MAX_BOOKS_PER_AUTHOR=7)
    answer = await leaf.stub.AuthorBibliography(bibliography("Prolific Writer", page_size=1_000))
    assert (answer.edition_count, answer.next_page) == (7, 2)


async def test_second_answer_is_free(leaf: Leaf) -> None:
    """The same question soon after, however the name is written, is answered without a call."""
    await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    answer = await leaf.stub.AuthorBibliography(bibliography(" ANDY  weir", page=1, page_size=50, language="EN"))
    assert (answer.provider_call_count, answer.edition_count, (await leaf.calls())["total"]) == (0, 2, 1)


@pytest.mark.parametrize("changed", [{"page": 2}, {"page_size": 5}, {"language": "de"}])
async def test_other_question_is_asked(leaf: Leaf, changed: dict[str, Any]) -> None:
    """Whatever changes the answer is a question of its own."""
    await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    answer = await leaf.stub.AuthorBibliography(bibliography("Andy Weir", **changed))
    assert answer.provider_call_count == 1


async def test_callers_share_a_call(leaf: Leaf) -> None:
    """Twenty callers who ask the same at once cost one call, which one of them pays."""
    await leaf.faults({"kind": "latency", "latency_ms": 50})
    answers = await asyncio.gather(*(leaf.stub.AuthorBibliography(bibliography("Andy Weir")) for _ in range(20)))
    costs = sorted(answer.provider_call_count for answer in answers)
    assert (costs, (await leaf.calls())["total"]) == ([0] * 19 + [1], 1)


async def test_book(leaf: Leaf) -> None:
    """A book comes with the one edition that was asked for, whichever form its ISBN had."""
    answer = await leaf.stub.GetBook(pb.GetBookRequest(isbn="1-78503-113-9"))
    (edition,) = answer.work.editions
    assert (
        answer.work.title,
        edition.isbn_13,
        edition.isbn_10,
        edition.format,
        answer.provider_call_count,
    ) == ("The Martian", "9781785031137", "1785031139", FORMAT_HARDCOVER, 1)


async def test_isbn_10_and_13_are_one_question(leaf: Leaf) -> None:
    """A book that was asked for by its ISBN-10 is not asked for again by its ISBN-13."""
    await leaf.stub.GetBook(pb.GetBookRequest(isbn="1785031139"))
    answer = await leaf.stub.GetBook(pb.GetBookRequest(isbn="9781785031137"))
    assert answer.provider_call_count == 0


async def test_unknown_book(leaf: Leaf) -> None:
    """A book that ISBNdb does not have is NOT_FOUND, and is not asked for again at once."""
    for _ in range(2):
        with pytest.raises(NotFoundError, match="BOOK_NOT_FOUND"):
            await leaf.stub.GetBook(pb.GetBookRequest(isbn=isbn(77)))
    assert (await leaf.calls())["total"] == 1


async def test_placeholder_is_no_book(leaf: Leaf) -> None:
    """The ISBN that stands on books without any is not found, without a call."""
    with pytest.raises(NotFoundError):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780000000002"))
    assert (await leaf.calls())["total"] == 0


async def test_batch(leaf: Leaf) -> None:
    """Every ISBN is answered as it was asked for: found, not found or none, in one call."""
    asked = ["9780553418026", isbn(77), "not an isbn", "0553418025", "978-1-78503-113-7", "9780553418026", "x"]
    answer = await leaf.stub.BatchGetBooks(pb.BatchGetBooksRequest(isbns=asked))
    assert (
        ["9780553418026", "0553418025", "978-1-78503-113-7", "9780553418026"],
        ["9780553418026", "9780553418026", "9781785031137", "9780553418026"],
        [isbn(77)],
        ["not an isbn", "x"],
        1,
    ) == (
        [book.isbn for book in answer.books],
        [book.work.editions[0].isbn_13 for book in answer.books],
        list(answer.not_found_isbns),
        list(answer.invalid_isbns),
        answer.provider_call_count,
    )


async def test_batch_asks_each_isbn_once(leaf: Leaf) -> None:
    """An ISBN that is asked for twice, in whatever form, is looked up once."""
    isbns = ["9780553418026", "0553418025", "9781785031137"]
    await leaf.stub.BatchGetBooks(pb.BatchGetBooksRequest(isbns=isbns))
    assert [call["isbn_count"] for call in (await leaf.calls())["last"]] == [2]


async def test_batch_is_split_by_the_plan(start: Start) -> None:
    """The plan's limit splits a batch into look-ups, and each of them counts."""
    leaf = await start(ISBNDB_ISBNS_PER_CALL=10)
    answer = await leaf.stub.BatchGetBooks(pb.BatchGetBooksRequest(isbns=[isbn(at) for at in range(1_000, 1_025)]))
    counts = sorted(call["isbn_count"] for call in (await leaf.calls())["last"])
    assert (len(answer.books), answer.provider_call_count, counts) == (25, 3, [5, 10, 10])


async def test_batch_does_not_ask_for_what_is_known(leaf: Leaf) -> None:
    """What the leaf knows already, found or not, is not looked up again; GetBook and BatchGetBooks share it."""
    await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))
    await leaf.stub.BatchGetBooks(pb.BatchGetBooksRequest(isbns=["9780553418026", isbn(77), "9781785031137"]))
    again = await leaf.stub.GetBook(pb.GetBookRequest(isbn="9781785031137"))
    batch = await leaf.stub.BatchGetBooks(pb.BatchGetBooksRequest(isbns=["9780553418026", isbn(77)]))
    counts = [call["isbn_count"] for call in (await leaf.calls())["last"]]
    assert (again.provider_call_count, batch.provider_call_count, counts) == (0, 0, [0, 2])


async def test_batch_keeps_what_came_before_a_failure(start: Start) -> None:
    """When one look-up of a batch fails so does the batch, but what the others brought is not asked for again."""
    leaf = await start(ISBNDB_ISBNS_PER_CALL=10)
    request = pb.BatchGetBooksRequest(isbns=[isbn(at) for at in range(1_000, 1_025)])
    await leaf.faults({"kind": "status", "status": 503, "count": 1})
    with pytest.raises(UnavailableError, match="PROVIDER_UNAVAILABLE"):
        await leaf.stub.BatchGetBooks(request)
    answer = await leaf.stub.BatchGetBooks(request)
    assert (len(answer.books), answer.provider_call_count) == (25, 1)


async def test_search(leaf: Leaf) -> None:
    """A search by title with all words finds the works that have them."""
    request = pb.SearchBooksRequest(q="the martian", column=pb.SEARCH_COLUMN_TITLE, match_all=True)
    answer = await leaf.stub.SearchBooks(request)
    assert (
        [work.title for work in answer.works],
        answer.edition_count,
        answer.total_count,
        answer.next_page,
        answer.provider_call_count,
    ) == (["The Martian"], 2, 2, 0, 1)


async def test_search_parameters(leaf: Leaf) -> None:
    """Whether all words must match and the language are always named, the column where there is one."""
    await leaf.stub.SearchBooks(pb.SearchBooksRequest(q="weir", column=pb.SEARCH_COLUMN_AUTHOR, page_size=3))
    await leaf.stub.SearchBooks(pb.SearchBooksRequest(q="Slash/Dot & 100%?", match_all=True, language="*"))
    assert await leaf.targets() == [
        "GET /books/weir?column=author&shouldMatchAll=0&page=1&pageSize=3&language=en",
        "GET /books/Slash/Dot & 100%??shouldMatchAll=1&page=1&pageSize=50",
    ]


async def test_search_finds_nothing(leaf: Leaf) -> None:
    """A search that finds nothing is answered with nothing."""
    answer = await leaf.stub.SearchBooks(pb.SearchBooksRequest(q="zzz", match_all=True))
    assert answer == pb.SearchBooksResponse(provider_call_count=1)


async def test_search_pages(leaf: Leaf) -> None:
    """Following next_page to its end gives every result once, without a call for an empty page."""
    found, page = [], 1
    while page:
        request = pb.SearchBooksRequest(q="volume", match_all=True, page=page, page_size=5, language="*")
        answer = await leaf.stub.SearchBooks(request)
        found += [edition.isbn_13 for work in answer.works for edition in work.editions]
        page = answer.next_page
    assert (sorted(found), (await leaf.calls())["total"]) == ([isbn(at) for at in range(1_000, 1_025)], 5)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("AuthorBibliography", pb.AuthorBibliographyRequest()),
        ("AuthorBibliography", pb.AuthorBibliographyRequest(author="x", page=-1)),
        ("AuthorBibliography", pb.AuthorBibliographyRequest(author="x", page=201)),
        ("GetBook", pb.GetBookRequest(isbn="9780553418027")),
        ("BatchGetBooks", pb.BatchGetBooksRequest(isbns=["x"] * 1_001)),
        ("SearchBooks", pb.SearchBooksRequest(q=" ")),
        ("SearchBooks", pb.SearchBooksRequest(q="x", column=99)),  # type: ignore[arg-type]  # what a newer caller may send
    ],
)
async def test_bad_requests_cost_nothing(leaf: Leaf, method: str, message: Any) -> None:
    """A request that can't be understood is refused before ISBNdb hears of it."""
    with pytest.raises(InvalidArgumentError):
        await getattr(leaf.stub, method)(message)
    assert (await leaf.calls())["total"] == 0


async def test_without_key(start: Start) -> None:
    """Without a key every question is refused and names the secret; ISBNdb is not called."""
    leaf = await start(key=None)
    with pytest.raises(FailedPreconditionError, match="SECRET_MISSING") as caught:
        await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))
    assert (caught.value.metadata, (await leaf.calls())["total"]) == ({"secret": "ISBNDB_API_KEY"}, 0)


@pytest.mark.parametrize(("key", "status"), [("wrong", "401"), ("former", "403")])
async def test_refused_key(start: Start, key: str, status: str) -> None:
    """A key that ISBNdb refuses is UNAVAILABLE, for no caller can mend it."""
    leaf = await start(key=key)
    with pytest.raises(UnavailableError, match="PROVIDER_KEY_REFUSED") as caught:
        await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    assert caught.value.metadata == {"provider": "isbndb", "http_status": status}


async def test_provider_limits_rate(start: Start) -> None:
    """ISBNdb's 429 is RESOURCE_EXHAUSTED with the time to stay away, and the next call keeps it."""
    leaf = await start()
    await leaf.faults({"kind": "status", "status": 429, "count": 1})
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED") as caught:
        await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    with pytest.raises(ResourceExhaustedError, match="PROVIDER_RATE_LIMITED"):
        await leaf.stub.AuthorBibliography(bibliography("Andy Weir"), timeout=0.5)
    assert (caught.value.retry_after_s, (await leaf.calls())["total"]) == (1.0, 1)


async def test_spent_quota_by_own_count(start: Start) -> None:
    """When the day's calls are used up by our own count, ISBNdb is not asked any more."""
    leaf = await start(ISBNDB_CALLS_PER_DAY=1)
    await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT") as caught:
        await leaf.stub.GetBook(pb.GetBookRequest(isbn="9781785031137"))
    assert (caught.value.metadata["reset_time"].endswith("T00:00:00Z"), (await leaf.calls())["total"]) == (True, 1)


async def test_refusal_of_the_last_call_is_a_spent_quota(start: Start) -> None:
    """A 403 when our own count says that the day is used up is the quota's, not the key's."""
    leaf = await start(plan=Plan(name="tiny", host="x", per_second=0, per_day=1, bulk=10), ISBNDB_CALLS_PER_DAY=2)
    await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn="9781785031137"))


def second_key() -> dict[str, Secret]:
    """The setting of a second key."""
    return {"ISBN_SEARCH_KEY": Secret("ISBN_search_key", SECOND)}


async def test_second_key_goes_on_where_the_first_is_spent(start: Start) -> None:
    """When the day of the first key is spent the second is used, and only when both are is a call refused."""
    leaf = await start(ISBNDB_CALLS_PER_DAY=1, **second_key())
    for number in ("9780553418026", "9781785031137"):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn=number))
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn=isbn(1_000)))
    assert (await leaf.calls())["total"] == 2


async def test_second_key_takes_the_place_of_a_refused_one(start: Start) -> None:
    """A call whose key ISBNdb refuses goes out again with the second one, and the next goes out with that at once."""
    leaf = await start(key="former", **second_key())
    first = await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))
    await leaf.stub.GetBook(pb.GetBookRequest(isbn="9781785031137"))
    quota = await leaf.admin.GetQuota(admin_pb.GetQuotaRequest())
    assert (first.work.title, quota.call_count) == ("The Martian", 3)


async def test_second_key_alone(start: Start) -> None:
    """The second key serves as well where the first is not set."""
    leaf = await start(key=None, **second_key())
    assert (await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))).work.title == "The Martian"


async def test_one_key_under_both_names_is_one_account(start: Start) -> None:
    """A key that is set twice has one quota."""
    leaf = await start(ISBNDB_CALLS_PER_DAY=10, ISBN_SEARCH_KEY=Secret("ISBN_search_key", KEY))
    assert (await leaf.admin.GetQuota(admin_pb.GetQuotaRequest())).day_limit == 10


async def test_batch_work_leaves_the_reserve_to_searches(start: Start) -> None:
    """When batch work has used its share it is refused until the reset, and a live search goes on."""
    leaf = await start(ISBNDB_CALLS_PER_DAY=10, QUOTA_LIVE_RESERVE=0.2)
    for at in range(1_000, 1_008):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn=isbn(at)), metadata=BATCH)
    with pytest.raises(ResourceExhaustedError, match="QUOTA_SPENT"):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn=isbn(1_008)), metadata=BATCH)
    for at in (1_008, 1_009):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn=isbn(at)))
    quota = await leaf.admin.GetQuota(admin_pb.GetQuotaRequest())
    assert (quota.day_used, quota.live_reserve) == (10, 2)


async def test_search_does_not_share_the_refusal_of_batch_work(start: Start) -> None:
    """A search that joins batch work's question gets an answer, when the reserve stops that and not the search."""
    leaf = await start(ISBNDB_CALLS_PER_DAY=10, QUOTA_LIVE_RESERVE=1.0)
    request = pb.GetBookRequest(isbn="9780553418026")
    batch, live = await asyncio.gather(
        leaf.stub.GetBook(request, metadata=BATCH), leaf.stub.GetBook(request), return_exceptions=True
    )
    assert (isinstance(batch, ResourceExhaustedError), isinstance(live, pb.GetBookResponse)) == (True, True)


async def test_quota(start: Start) -> None:
    """GetQuota tells the plan's terms and the calls of this process; what the cache answered is none."""
    leaf = await start(ISBNDB_PLAN="premium", ISBNDB_CALLS_PER_SECOND=100.0)
    for _ in range(2):
        await leaf.stub.GetBook(pb.GetBookRequest(isbn="9780553418026"))
    await leaf.stub.AuthorBibliography(bibliography("Andy Weir"))
    quota = await leaf.admin.GetQuota(admin_pb.GetQuotaRequest())
    assert (
        quota.plan,
        quota.calls_per_second,
        quota.day_limit,
        quota.day_used,
        quota.call_count,
        quota.scope,
        quota.reset_time.seconds % 86_400,
    ) == ("premium", 100.0, 15_000, 2, 2, admin_pb.QUOTA_SCOPE_PROCESS, 0)


async def test_admin_answers_health(leaf: Leaf) -> None:
    """The Admin entrypoint has the methods that every Admin has."""
    health = await leaf.admin.GetHealth(admin_pb.GetHealthRequest())
    assert health.health.worker == "isbndb"


async def test_rate_is_kept_under_concurrency(start: Start) -> None:
    """However many ask at once, calls begin RATE_LIMIT_MS apart."""
    leaf = await start(RATE_LIMIT_MS=40)
    requests = [pb.GetBookRequest(isbn=isbn(at)) for at in range(1_000, 1_012)]
    await asyncio.gather(*(leaf.stub.GetBook(request) for request in requests))
    calls = await leaf.calls()
    # The sandbox notes when it began to answer, which may be late for one call and not for the next.
    assert (calls["total"], calls["peak_per_second"], calls["shortest_gap_ms"] > 25) == (12, 12, True)


async def test_calls_without_time_are_refused(start: Start) -> None:
    """Those whose turn would come too late are refused at once, without having waited for it."""
    leaf = await start(RATE_LIMIT_MS=10_000)
    requests = [pb.GetBookRequest(isbn=isbn(at)) for at in range(1_000, 1_010)]
    outcomes = await asyncio.gather(
        *(leaf.stub.GetBook(request, timeout=5) for request in requests), return_exceptions=True
    )
    refused = [outcome.reason for outcome in outcomes if isinstance(outcome, MeshError)]
    assert (refused, (await leaf.calls())["total"]) == (["PROVIDER_RATE_LIMITED"] * 9, 1)


async def test_whole_catalogue(start: Start) -> None:
    """Every book of the sandbox's real catalogue, with all its faults, is found under its ISBN and has its title."""
    catalogue = load(read(CATALOGUE))
    leaf = await start(catalogue=catalogue, plan=Plan(name="big", host="x", per_second=0, per_day=0, bulk=1_000))
    isbns = [book.isbn13 for book in catalogue.books][:2_000]
    found: dict[str, pb.IsbnBook] = {}
    for at in range(0, len(isbns), 1_000):
        answer = await leaf.stub.BatchGetBooks(pb.BatchGetBooksRequest(isbns=isbns[at : at + 1_000]))
        found |= {book.isbn: book for book in answer.books}
    wrong = [
        asked
        for asked in isbns
        if asked not in found or found[asked].work.editions[0].isbn_13 != asked or not found[asked].work.title
    ]
    assert wrong == []
