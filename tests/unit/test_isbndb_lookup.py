from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from mesh.background import Background
from mesh.flights import Flights
from mesh.status import UnavailableError
from mesh.testing import FakeClock
from mesh.turns import Turns
from services.isbndb.cache import AnswerCache, Found
from services.isbndb.lookup import Listing, Lookup

DUNE = {"title": "Dune", "isbn13": "9780441013593", "authors": ["Frank Herbert"]}
MARTIAN = {"title": "The Martian", "isbn13": "9780553418026", "authors": ["Andy Weir"]}


class Stage:
    """A lookup before a provider that answers what it is told to, and notes what it was asked."""

    def __init__(self, background: Background) -> None:
        self.answer: dict[str, Any] | None = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.lookup = Lookup(
            self,
            cache=AnswerCache(FakeClock()),
            pages=Flights(background),
            batches=Flights(background),
            isbns_per_call=2,
            turns=Turns(),
        )

    async def get(self, path: Sequence[str], query: Mapping[str, str], *, left_s: float) -> dict[str, Any] | None:
        """Answers what was set."""
        self.asked.append(("/".join(path), query))
        return self.answer

    async def post(self, path: Sequence[str], form: Mapping[str, str], *, left_s: float) -> dict[str, Any] | None:
        """Answers what was set."""
        return await self.get(path, form, left_s=left_s)

    async def author(self, *, page: int = 1, page_size: int = 2) -> Found:
        """The page of an author that is asked for."""
        listing = Listing(page=page, page_size=page_size, language="en")
        return (await self.lookup.bibliography("Frank Herbert", listing, left_s=5))[0]

    async def search(self, *, page: int = 1, page_size: int = 2) -> Found:
        """The page of a search that is asked for."""
        listing = Listing(page=page, page_size=page_size, language="*")
        return (await self.lookup.search("dune", listing, column="", match_all=True, left_s=5))[0]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage whose tasks end with the test."""
    async with Background() as background:
        yield Stage(background)


@pytest.mark.parametrize(
    ("books", "expected"),
    [
        ([], 0),
        (None, 0),
        ([DUNE], 0),
        ([DUNE, MARTIAN], 2),
        ([DUNE, None], 2),
        ([DUNE, DUNE], 2),
    ],
)
async def test_author_ends_with_a_short_page(stage: Stage, books: object, expected: int) -> None:
    """As long as pages are full there is a next one, whatever became of their books, and whatever total is claimed."""
    stage.answer = {"author": "Frank Herbert", "books": books, "total": 1}
    assert expected == (await stage.author()).next_page


@pytest.mark.parametrize(
    ("books", "total", "expected"),
    [
        ([DUNE, MARTIAN], 2, 0),
        ([DUNE, MARTIAN], 3, 2),
        ([DUNE], 3, 2),
        ([], 3, 0),
        ([DUNE, MARTIAN], None, 2),
        ([DUNE, MARTIAN], "3", 2),
        ([DUNE, MARTIAN], True, 2),
        ([DUNE, MARTIAN], -1, 2),
        ([DUNE], None, 0),
    ],
)
async def test_search_ends_with_its_total(stage: Stage, books: object, total: object, expected: int) -> None:
    """A search goes on until its total, where it tells one, but never past an empty page."""
    stage.answer = {"books": books, "total": total}
    assert expected == (await stage.search()).next_page


@pytest.mark.parametrize(("page", "expected"), [(9, 10), (10, 0)])
async def test_nothing_lies_beyond_the_last_result(stage: Stage, page: int, expected: int) -> None:
    """ISBNdb gives 10,000 results at most, so that no page follows the one that holds the last of them."""
    stage.answer = {"books": [DUNE] * 1_000, "total": 50_000}
    assert expected == (await stage.search(page=page, page_size=1_000)).next_page


async def test_huge_total_can_be_sent(stage: Stage) -> None:
    """A total that is no number of books is cut to what the contract can hold."""
    stage.answer = {"books": [DUNE], "total": 10**18}
    assert (await stage.search()).total_count == 2**31 - 1


async def test_broken_books_are_left_out(stage: Stage) -> None:
    """What is no book takes nothing from those that are."""
    stage.answer = {"author": None, "books": [None, 5, {"title": ""}, DUNE, "x"]}
    found = await stage.author(page_size=50)
    assert ([work.title for work in found.works], found.edition_count, found.author) == (["Dune"], 1, "Frank Herbert")


@pytest.mark.parametrize("answer", [{}, {"books": "none"}, {"message": "Endpoint request timed out"}])
async def test_page_without_books_is_a_bad_answer(stage: Stage, answer: dict[str, Any]) -> None:
    """An answer without a list of books is not an empty one."""
    stage.answer = answer
    with pytest.raises(UnavailableError, match="PROVIDER_BAD_ANSWER"):
        await stage.author()


async def test_other_book_is_not_the_one_asked_for(stage: Stage) -> None:
    """A book that bears another ISBN than was asked for is none of that ISBN's."""
    stage.answer = {"book": MARTIAN}
    found, _ = await stage.lookup.book("9780441013593", left_s=5)
    assert found == Found()


async def test_book_without_isbn_is_the_one_asked_for(stage: Stage) -> None:
    """A single book whose record has no valid ISBN is the one that was asked for."""
    stage.answer = {"book": {"title": "Dune", "isbn13": "0"}}
    found, _ = await stage.lookup.book("9780441013593", left_s=5)
    assert found.works[0].editions[0].isbn_13 == "9780441013593"


async def test_bulk_answer_is_tied_by_isbn(stage: Stage) -> None:
    """Bulk answers come in any order, with strangers and nonsense among them; each is tied to its ISBN or left out."""
    stranger = {"title": "Stranger", "isbn13": "9780141439518"}
    stage.answer = {"total": 4, "requested": 2, "data": [None, MARTIAN, stranger, {"title": "Bare"}, DUNE]}
    found, calls = await stage.lookup.books(["9780441013593", "9780553418026"], left_s=5)
    titles = {isbn: [work.title for work in one.works] for isbn, one in found.items()}
    assert (titles, calls) == (
        {"9780000000002": [], "9780441013593": ["Dune"], "9780553418026": ["The Martian"]},
        1,
    )


async def test_bulk_that_finds_nothing(stage: Stage) -> None:
    """A bulk look-up that ISBNdb answers with 404 has found none of its books."""
    stage.answer = None
    found, _ = await stage.lookup.books(["9780441013593"], left_s=5)
    assert found["9780441013593"] == Found()


async def test_bulk_of_known_books_asks_nothing(stage: Stage) -> None:
    """A batch of which all is known costs no call."""
    stage.answer = {"data": [DUNE]}
    await stage.lookup.books(["9780441013593"], left_s=5)
    _, calls = await stage.lookup.books(["9780441013593", "9780000000002"], left_s=5)
    assert (calls, len(stage.asked)) == (0, 1)


async def test_bulk_form(stage: Stage) -> None:
    """A bulk look-up names its ISBNs in one field, as many as the plan allows, each once."""
    stage.answer = {"data": []}
    await stage.lookup.books(["9780441013593", "9780553418026", "9780441013593", "9780141439518"], left_s=5)
    assert stage.asked == [
        ("books", {"isbns": "9780441013593,9780553418026"}),
        ("books", {"isbns": "9780141439518"}),
    ]


async def test_failure_of_the_provider_is_not_kept(stage: Stage) -> None:
    """After an answer that could not be read the same question is asked again."""
    with pytest.raises(UnavailableError):
        await stage.lookup.book("9780441013593", left_s=5)
    stage.answer = {"book": DUNE}
    found, calls = await stage.lookup.book("9780441013593", left_s=5)
    assert (found.works[0].title, calls) == ("Dune", 1)


async def test_no_time_left(stage: Stage) -> None:
    """A call whose time is over is PROVIDER_TIMEOUT, not a bare TimeoutError."""
    with pytest.raises(UnavailableError, match="PROVIDER_TIMEOUT"):
        await stage.lookup.book("9780441013593", left_s=-1)
