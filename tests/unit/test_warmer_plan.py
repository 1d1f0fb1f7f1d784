"""Which searches warm a library, and in which batches."""

from collections.abc import Sequence
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

from services.warmer.plan import ISBN_BATCH, QUERY_LENGTH, TEXT_BATCH, Plan, Search, SearchKind, book_search, plan_of


@dataclass(frozen=True, slots=True)
class Book:
    """A book of a library."""

    title: str = ""
    authors: Sequence[str] = ()
    isbn13: str = ""


LIBRARY = [
    Book("Persuasion", ("Jane Austen",)),
    Book("Dune", ("Frank Herbert",), "9780441013593"),
    Book("Emma", ("Jane Austen",), "9780141439587"),
]


def asked(plan: Plan) -> list[str]:
    """The queries of a plan, in order."""
    return [search.q for search in plan.searches]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (STRATEGY_ISBN, ["9780441013593", "9780141439587", "Persuasion by Jane Austen"]),
        (
            STRATEGY_HYBRID,
            ["9780441013593", "9780141439587", "Persuasion by Jane Austen", "Jane Austen", "Frank Herbert"],
        ),
        (
            STRATEGY_AUTHOR_FIRST,
            ["Jane Austen", "Frank Herbert", "9780441013593", "9780141439587", "Persuasion by Jane Austen"],
        ),
    ],
)
def test_strategies_are_orders(strategy: Strategy.ValueType, expected: list[str]) -> None:
    """ISBN asks for books alone, HYBRID for books and then authors, AUTHOR_FIRST the other way round."""
    assert expected == asked(plan_of(LIBRARY, strategy))


def test_default_strategy() -> None:
    """A strategy that is not said is HYBRID."""
    assert asked(plan_of(LIBRARY, STRATEGY_HYBRID)) == asked(plan_of(LIBRARY, STRATEGY_UNSPECIFIED))


def test_unknown_strategy() -> None:
    """A strategy that nobody knows makes no plan."""
    with pytest.raises(ValueError, match="99"):
        plan_of([], Strategy.ValueType(99))


def test_no_search_twice() -> None:
    """Case and blanks make no second search of one."""
    books = [Book("Dune", ("Frank Herbert",)), Book("DUNE ", ("frank  herbert",)), Book("Dune", ("Frank Herbert",))]
    assert asked(plan_of(books, STRATEGY_HYBRID)) == ["Dune by Frank Herbert", "Frank Herbert"]


def test_spellings_stay_apart() -> None:
    """Spellings that differ in a letter or sign are searches of their own, for somebody may type either."""
    books = [Book("Emma", ("Zoë Heller",)), Book("Emma", ("Zoe Heller",)), Book("Emma", ("J.K. Rowling",))]
    assert {"Zoë Heller", "Zoe Heller", "J.K. Rowling"} <= set(asked(plan_of(books, STRATEGY_AUTHOR_FIRST)))


def test_non_latin_names_are_searches() -> None:
    """A name in any script is a search of its own."""
    books = [Book("", ("村上 春樹",)), Book("", ("نجيب محفوظ",)), Book("", ("Φίλιππος",))]
    assert asked(plan_of(books, STRATEGY_HYBRID)) == ["村上 春樹", "نجيب محفوظ", "Φίλιππος"]


def test_authors_alone_are_asked_for_whatever_the_strategy() -> None:
    """A row that names only an author is asked for by it, for else it would not be warmed at all."""
    assert asked(plan_of([Book(authors=("Jane Austen",))], STRATEGY_ISBN)) == ["Jane Austen"]


@pytest.mark.parametrize(
    ("book", "expected"),
    [
        (Book("Dune", ("Frank Herbert",), "9780441013593"), Search(SearchKind.ISBN, "9780441013593")),
        (Book("Dune", ("Frank Herbert", "Somebody")), Search(SearchKind.TITLE, "Dune by Frank Herbert")),
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
    assert all(0 < len(q) <= QUERY_LENGTH for q in asked(plan_of([book], STRATEGY_HYBRID)))


def test_batches_by_kind() -> None:
    """A batch holds a thousand ISBNs or twenty texts, and never both."""
    books = [Book("t", (), f"{number:013d}") for number in range(ISBN_BATCH + 1)]
    books += [Book(f"title {number}") for number in range(TEXT_BATCH + 1)]
    assert [len(batch) for batch in plan_of(books, STRATEGY_ISBN).batches] == [ISBN_BATCH, 1, TEXT_BATCH, 1]


BOOKS = st.builds(
    Book, st.text(max_size=5), st.lists(st.text(min_size=1, max_size=3), max_size=3), st.sampled_from(["", "1", "2"])
)


@settings(deadline=None)  # other work on the machine is no fault of this
@given(st.lists(BOOKS, max_size=60), st.sampled_from([STRATEGY_ISBN, STRATEGY_HYBRID, STRATEGY_AUTHOR_FIRST]))
def test_every_search_is_in_one_batch(books: list[Book], strategy: Strategy.ValueType) -> None:
    """The batches hold each search once, in the plan's order."""
    plan = plan_of(books, strategy)
    assert list(range(len(plan.searches))) == [at for batch in plan.batches for at in batch]


@settings(deadline=None)  # other work on the machine is no fault of this
@given(st.lists(BOOKS, max_size=60))
def test_every_book_is_searched_for(books: list[Book]) -> None:
    """Whatever can be asked for a book is in its plan."""
    keys = {search.key for search in plan_of(books, STRATEGY_ISBN).searches}
    assert {search.key for book in books if (search := book_search(book))} <= keys


def test_digest_tells_plans_apart() -> None:
    """Plans of other searches, or in another order, have other digests."""
    strategies = (STRATEGY_ISBN, STRATEGY_HYBRID, STRATEGY_AUTHOR_FIRST)
    assert len({plan_of(LIBRARY, strategy).digest() for strategy in strategies}) == len(strategies)


def test_digest_stays() -> None:
    """The same library gives the same plan again."""
    assert plan_of(LIBRARY, STRATEGY_HYBRID).digest() == plan_of(list(LIBRARY), STRATEGY_HYBRID).digest()


def test_counts_by_kind() -> None:
    """A plan knows how many of its searches are of each kind."""
    plan = plan_of(LIBRARY, STRATEGY_HYBRID)
    assert [plan.count(kind) for kind in (SearchKind.ISBN, SearchKind.TITLE, SearchKind.AUTHOR)] == [2, 1, 2]
