"""Google Books and Open Library as the panel asks them: over real HTTP, from the sandbox that speaks for both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SECRET_MISSING

from mesh.breakers import Breakers
from mesh.introspection import Introspection
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.status import FailedPreconditionError
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.testing import FakeClock, in_process
from sandbox.app import Settings as SandboxSettings
from sandbox.app import create_app
from sandbox.catalog import LOC
from sandbox.catalogue import load
from sandbox.limits import Limits
from sandbox.shelf import read
from services.books.answers import Answer, composed
from services.books.env import Env
from services.books.panel_opening import Opened, open_panel
from services.books.query import parse
from services.books.settings import settings_of
from tests.unit.books_house import FakeLeaf

CATALOGUE = load(read(LOC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The panel before a sandbox."""

    opened: Opened
    env: Env

    async def ask(self, q: str, **more: Any) -> dict[str, Answer]:
        """What became of each provider for a search."""
        answers = await self.opened.panel.ask(parse(q), **{"patient": False, **more})
        return {answer.provider: answer for answer in answers}


Start = Callable[..., Awaitable[Room]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a sandbox on a free port, and a panel of both providers before it; ISBNdb has no key."""
    async with AsyncExitStack() as closing:

        async def begin(*, keys: tuple[str, ...] = (), **settings: Any) -> Room:
            served = {"open_library_per_second": 0, **settings}
            runner = web.AppRunner(create_app(CATALOGUE, SandboxSettings(**served)), access_log=None)
            await runner.setup()
            closing.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            missing = FailedPreconditionError(ERROR_REASON_SECRET_MISSING, "no key")
            clock = FakeClock()
            held = [Secret(f"KEY_{at}", key) for at, key in enumerate(keys)] + [None, None]
            env = Env(
                ISBNDB_WORKER=in_process(IsbndbServiceStub, FakeLeaf(failures={"*": missing})),
                CACHE=MemoryKv(clock),
                API_CACHE_COLD=MemoryBucket(clock),
                GOOGLE_BOOKS_API_KEY=held[0],
                GOOGLE_BOOKS_IOSKEY=held[1],
                ISBNDB_API_KEY=None,
                ISBN_SEARCH_KEY=None,
                CACHE_HOT_TTL=3_600,
                CACHE_COLD_TTL=604_800,
                MAX_RESULTS_DEFAULT=40,
                RATE_LIMIT_MS=0,
                MESH=Introspection(worker="books-api-proxy", stats=Stats(), breakers=Breakers()),
                GOOGLE_BOOKS_URL=f"{url}/books/v1",
                OPEN_LIBRARY_URL=url,
                OPEN_LIBRARY_CONTACT="me@books.test",
            )
            opened = await closing.enter_async_context(open_panel(env, settings_of(env)))
            return Room(opened=opened, env=env)

        yield begin


async def test_isbn_is_found_by_both(start: Start) -> None:
    """Both providers have the book of an ISBN, each with the edition that was asked for first."""
    room = await start()
    book = next(book for book in CATALOGUE.books if book.isbn13 and book.authors)
    answers = await room.ask(book.isbn13)
    for name in ("google_books", "open_library"):
        found = answers[name].found
        if found is not None:
            assert [book.isbn13] == [work.editions[0].isbn_13 for work in found.works][:1]
    response = composed(parse(book.isbn13), list(answers.values()))
    assert book.isbn13 in {edition.isbn_13 for work in response.results for edition in work.editions}
    assert not response.partial


async def test_text_is_found_by_both(start: Start) -> None:
    """A title is found by both, in works of covers over https, with the names of who gave each edition."""
    room = await start()
    answers = await room.ask("David Copperfield by Charles Dickens", left_s=20.0)
    for name in ("google_books", "open_library"):
        found = answers[name].found
        assert found is not None, answers[name]
        assert any("David Copperfield" in work.title for work in found.works)
        editions = [edition for work in found.works for edition in work.editions]
        assert {name} == {edition.provider for edition in editions}
        assert all(edition.cover_uri == "" or edition.cover_uri.startswith("https://") for edition in editions)


async def test_typing_error_is_found_by_open_library(start: Start) -> None:
    """A word with one letter wrong is found by the second question."""
    room = await start()
    found = (await room.ask("David Coperfield", left_s=20.0))["open_library"].found
    assert found is not None
    assert any("David Copperfield" in work.title for work in found.works)


async def test_spent_key_gives_way(start: Start) -> None:
    """When the first key's day is spent the second one serves, and when both are, that is said with the reset."""
    room = await start(keys=("first", "second"), google=Limits(per_second=0, per_day=2))
    reasons = []
    for isbn in [book.isbn13 for book in CATALOGUE.books if book.isbn13][:5]:
        # As much of the panel as asks Google Books; an ISBN is one call.
        answer = (await room.ask(isbn, left_s=20.0))["google_books"]
        reasons.append(answer.error.reason if answer.error else "")
    assert reasons == ["", "", "", "", "QUOTA_SPENT"]
    usages = [await room.env.MESH.ledger.usage(account) for account in list(room.opened.accounts.values())[:2]]
    assert [usage.exhausted for usage in usages] == [True, True]


async def test_without_a_key_nothing_is_owed(start: Start) -> None:
    """When the quota of those without a key is spent, Google Books is named as not set up, and nothing is partial."""
    room = await start(google_keyless_per_day=0)
    answers = await room.ask("David Copperfield", left_s=20.0)
    error = answers["google_books"].error
    assert error is not None
    assert (error.reason, composed(parse("dune"), list(answers.values())).partial) == ("SECRET_MISSING", False)


async def test_wrong_key_is_refused(start: Start) -> None:
    """A key that Google Books does not know is told as such."""
    room = await start(keys=("wrong",), google_keys=("right",))
    error = (await room.ask("David Copperfield", left_s=20.0))["google_books"].error
    assert error is not None
    assert error.reason == "PROVIDER_KEY_REFUSED"


async def test_breakers_and_accounts_are_known(start: Start) -> None:
    """Operators see the breakers and the accounts of both providers by name."""
    room = await start(keys=("first",))
    assert [name for name, _ in room.env.MESH.breakers.items()] == ["GOOGLE_BOOKS/find", "OPEN_LIBRARY/find"]
    assert list(room.opened.accounts) == ["GOOGLE_BOOKS_API_KEY", "open_library keyless"]


async def test_patient_work_falls_to_open_library(start: Start) -> None:
    """Without a key of ISBNdb's, work that nobody waits for asks Open Library and leaves Google's quota alone."""
    room = await start()
    answers = await room.ask("David Copperfield", patient=True)
    assert answers["google_books"].skipped
    assert answers["open_library"].found is not None


async def test_isbns_are_looked_up_together_at_open_library(start: Start) -> None:
    """Many ISBNs cost Open Library a call for some of them at a time, and each known one is found."""
    room = await start()
    isbns = [book.isbn13 for book in CATALOGUE.books if book.isbn13][:60]
    found = await room.opened.panel.ask_isbns(isbns)
    assert found is not None
    library = found(isbns[0])[-1]
    assert library.found is not None
    assert (library.provider, library.found.call_count) == ("open_library", 3)
