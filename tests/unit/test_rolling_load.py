"""The load of a rolling restart: which calls are made, and what is counted."""

import asyncio

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DRAINING

from bench.rolling.callers import Caller
from bench.rolling.load import Load, isbns, rounds
from mesh.status import UnavailableError

BOOKS = [str(number) for number in range(1_000)]


class Books:
    """Takes searches, and refuses them while it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuses = False

    async def search(self, text: str) -> None:
        """One search."""
        self.asked.append(text)
        await asyncio.sleep(0)
        if self.refuses:
            raise UnavailableError(ERROR_REASON_DRAINING, "ending")


@pytest.fixture
def books() -> Books:
    """Those that are asked."""
    return Books()


async def test_warm_up_counts_nothing(books: Books) -> None:
    """Before the load, the books that are asked for most are asked for once by each caller, and that is not counted."""
    caller = Caller("a", books.search)
    await Load([caller, Caller("b", books.search)], 1000, BOOKS).warm_up()
    assert (books.asked, caller.outcome.times_s) == (BOOKS[:20] * 2, [])


async def test_every_call_is_counted(books: Books) -> None:
    """Each call has a time with the caller that made it, and the callers take turns."""
    callers = [Caller("a", books.search), Caller("b", books.search)]
    load = Load(callers, 1_000_000, BOOKS)
    await load.run(lambda: load.begun >= 200)
    counts = [len(caller.outcome.times_s) for caller in callers]
    assert (sum(counts), abs(counts[0] - counts[1]) <= 1, len(books.asked)) == (load.begun, True, load.begun)


async def test_fresh_ones(books: Books) -> None:
    """Of each caller's calls one in fifty is for a book that nobody asked for before."""
    load = Load([Caller("a", books.search), Caller("b", books.search)], 1_000_000, BOOKS)
    await load.run(lambda: load.begun >= 400)
    fresh = [text for text in books.asked[:400] if text not in BOOKS[:20]]
    assert fresh == BOOKS[20:28]


async def test_failures(books: Books) -> None:
    """A call that fails is counted by code and reason, and does not end the load."""
    books.refuses = True
    caller = Caller("a", books.search)
    load = Load([caller], 1_000_000, BOOKS)
    await load.run(lambda: load.begun >= 50)
    assert caller.outcome.failures == {"UNAVAILABLE DRAINING": load.begun}


async def test_calls_last_as_long_as_the_rounds(books: Books) -> None:
    """Calls are made until all rounds are over, however many were asked for."""
    caller, rolled = Caller("a", books.search), []
    load = Load([caller], 1_000_000, BOOKS)

    async def roll() -> None:
        begun = load.begun
        while load.begun < begun + 100:  # noqa: ASYNC110 - the load's own count is what tells
            await asyncio.sleep(0)
        rolled.append(begun)

    await rounds(load, count=3, calls=1, roll=roll)
    assert (len(rolled), load.begun >= 300) == (3, True)


async def test_calls_go_on_after_the_rounds(books: Books) -> None:
    """Where the rounds are over too soon, calls are made until there are enough."""

    async def roll() -> None:
        """Takes no time."""

    load = Load([Caller("a", books.search)], 1_000_000, BOOKS)
    await rounds(load, count=1, calls=250, roll=roll)
    assert load.begun >= 250


def test_isbns() -> None:
    """The sandbox has enough books, each once."""
    found = isbns()
    assert (len(found) > 1_000, len(set(found))) == (True, len(found))
