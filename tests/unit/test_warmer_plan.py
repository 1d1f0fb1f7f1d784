"""Which searches warm a library, and in which batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import (
    STRATEGY_AUTHOR_FIRST,
    STRATEGY_HYBRID,
    STRATEGY_ISBN,
    STRATEGY_UNSPECIFIED,
    Strategy,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from services.warmer.plan.making import COVERED_BATCH, ISBN_BATCH, TEXT_BATCH, PlanMaker
from services.warmer.plan.searches import QUERY_LENGTH, Search, SearchKind, book_search

DUNE, EMMA = "9780441013593", "9780141439587"


@dataclass(frozen=True, slots=True)
class Book:
    """A book of a library."""

    title: str = ""
    authors: Sequence[str] = ()
    isbn13: str = ""


LIBRARY = [
    Book("Persuasion", ("Jane Austen",)),
    Book("Dune", ("Frank Herbert",), DUNE),
    Book("Emma", ("Jane Austen",), EMMA),
]


def made(books: Iterable[Book], strategy: Strategy.ValueType) -> PlanMaker:
    """The plan of some books."""
    maker = PlanMaker(strategy)
    for book in books:
        maker.add(book)
    return maker


def asked(books: Iterable[Book], strategy: Strategy.ValueType) -> list[str]:
    """The queries of a plan, in order."""
    return [search.q for batch in made(books, strategy).batches() for search in batch]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (STRATEGY_ISBN, [DUNE, EMMA]),
        (STRATEGY_HYBRID, [DUNE, EMMA, "Jane Austen", "Persuasion by Jane Austen", "Frank Herbert"]),
        (STRATEGY_AUTHOR_FIRST, ["Jane Austen", "Persuasion by Jane Austen", "Frank Herbert", DUNE, EMMA]),
    ],
)
def test_strategies_are_orders(strategy: Strategy.ValueType, expected: list[str]) -> None:
    """ISBN asks for ISBNs alone; the others for authors as well, each followed by the books that it covers."""
    assert expected == asked(LIBRARY, strategy)


def test_default_strategy() -> None:
    """A strategy that is not said is HYBRID."""
    assert asked(LIBRARY, STRATEGY_HYBRID) == asked(LIBRARY, STRATEGY_UNSPECIFIED)


def test_unknown_strategy() -> None:
    """A strategy that nobody knows makes no plan."""
    with pytest.raises(ValueError, match="99"):
        PlanMaker(Strategy.ValueType(99))


def test_what_isbn_leaves_out_is_counted() -> None:
    """A book without an ISBN is skipped by the strategy that asks by nothing else, and counted."""
    maker = made(LIBRARY, STRATEGY_ISBN)
    assert (maker.skipped, maker.searches, made(LIBRARY, STRATEGY_HYBRID).skipped) == (1, 2, 0)


def test_the_most_frequent_author_comes_first() -> None:
    """Authors come by the number of their rows, for most searches are for those; among equals as they stand."""
    books = [Book("a", ("One",), DUNE), Book("b", ("Two",), EMMA), Book("c", ("Two",)), Book("d", ("Three",))]
    authors = [q for q in asked(books, STRATEGY_AUTHOR_FIRST) if q in {"One", "Two", "Three"}]
    assert authors == ["Two", "One", "Three"]


def test_case_and_blanks_make_no_second_author() -> None:
    """An author who is written in another case or with other blanks is one search."""
    books = [Book("", ("Frank Herbert",)), Book("", ("FRANK  herbert ",))]
    assert asked(books, STRATEGY_HYBRID) == ["Frank Herbert"]


def test_spellings_stay_apart() -> None:
    """Spellings that differ in a letter or sign are searches of their own, for somebody may type either."""
    books = [Book("Emma", ("Zoë Heller",)), Book("Emma", ("Zoe Heller",)), Book("Emma", ("J.K. Rowling",))]
    assert {"Zoë Heller", "Zoe Heller", "J.K. Rowling"} <= set(asked(books, STRATEGY_AUTHOR_FIRST))


def test_non_latin_names_are_searches() -> None:
    """A name in any script is a search of its own."""
    names = ["村上 春樹", "نجيب محفوظ", "Φίλιππος"]
    assert asked([Book("", (name,)) for name in names], STRATEGY_HYBRID) == names


def test_authors_alone_are_asked_for_whatever_the_strategy() -> None:
    """A row that names only an author is asked for by it, for else it would not be warmed at all."""
    assert asked([Book(authors=("Jane Austen",))], STRATEGY_ISBN) == ["Jane Austen"]


@pytest.mark.parametrize(
    ("book", "expected"),
    [
        (Book("Dune", ("Frank Herbert",), DUNE), Search(SearchKind.ISBN, DUNE)),
        (Book("Dune", ("Frank Herbert", "X")), Search(SearchKind.TITLE, "Dune by Frank Herbert", "Frank Herbert")),
        (Book("Dune"), Search(SearchKind.TITLE, "Dune")),
        (Book("", ("Frank Herbert",)), None),
    ],
)
def test_the_search_for_a_book(book: Book, expected: Search | None) -> None:
    """A book is asked for by its ISBN, else by title and first author."""
    assert expected == book_search(book)


@pytest.mark.parametrize(
    "book",
    [Book("x" * 1_000, ("y" * 30,)), Book("x" * 1_000), Book("x" * 1_000, ("y" * 1_000,)), Book("x", ("y" * 600,))],
)
def test_searches_are_never_too_long(book: Book) -> None:
    """A query keeps within what the proxy takes, however long a cell is."""
    assert all(0 < len(q) <= QUERY_LENGTH for q in asked([book], STRATEGY_HYBRID))


def test_batches_by_kind() -> None:
    """A batch holds a thousand ISBNs, twenty authors with their titles, or twenty titles that nobody covers."""
    books = [Book("t", (), f"{number:013d}") for number in range(ISBN_BATCH + 1)]
    books += [Book(f"title {number}", (f"author {number}",)) for number in range(TEXT_BATCH + 1)]
    books += [Book(f"loose {number}") for number in range(TEXT_BATCH + 1)]
    sizes = [len(batch) for batch in made(books, STRATEGY_HYBRID).batches()]
    assert sizes == [ISBN_BATCH, 1, 2 * TEXT_BATCH, 2, TEXT_BATCH, 1]


def test_one_author_of_a_thousand_titles() -> None:
    """The titles of a very productive author are parted, and the proxy is never asked for too many at a time."""
    books = [Book(f"title {number}", ("Somebody",)) for number in range(1_000)]
    batches = list(made(books, STRATEGY_HYBRID).batches())
    assert (max(map(len, batches)), sum(map(len, batches))) == (COVERED_BATCH, 1_001)


def test_searches_as_they_stand() -> None:
    """Searches that an earlier job left undone are planned again, each with who covers it."""
    maker = PlanMaker(STRATEGY_ISBN)
    searches = [
        Search(SearchKind.ISBN, DUNE),
        Search(SearchKind.AUTHOR, "Jane Austen"),
        Search(SearchKind.TITLE, "Persuasion by Jane Austen", "Jane Austen"),
        Search(SearchKind.TITLE, "Ulysses by James Joyce", "James Joyce"),
    ]
    for search in searches:
        maker.add_search(search)
    assert [search for batch in maker.batches() for search in batch] == searches


BOOKS = st.builds(
    Book,
    st.sampled_from(["", "a", "b", "c", "d"]),
    st.lists(st.text(min_size=1, max_size=3), max_size=3),
    st.just(""),
)


@settings(deadline=None)  # other work on the machine is no fault of this
@given(st.lists(BOOKS, max_size=60), st.sampled_from([STRATEGY_HYBRID, STRATEGY_AUTHOR_FIRST]))
def test_every_book_and_author_is_searched_for(books: list[Book], strategy: Strategy.ValueType) -> None:
    """Whatever can be asked for a book is in its plan, and the plan knows how much it is."""
    maker = made(books, strategy)
    found = [search for batch in maker.batches() for search in batch]
    keys = {(search.kind, search.key) for search in found}
    wanted = {(search.kind, search.key) for book in books if (search := book_search(book))}
    names = {Search(SearchKind.AUTHOR, name).key for book in books for name in book.authors}
    assert wanted | {(SearchKind.AUTHOR, name) for name in names} == keys
    assert len(found) == maker.searches == maker.isbns + maker.authors + maker.titles


@settings(deadline=None)  # other work on the machine is no fault of this
@given(st.lists(BOOKS, max_size=60))
def test_the_same_books_make_the_same_plan(books: list[Book]) -> None:
    """A plan is a function of its rows, so whoever goes on with a job may make it anew."""
    assert asked(books, STRATEGY_HYBRID) == asked(list(books), STRATEGY_HYBRID)
