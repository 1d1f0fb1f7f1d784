"""How books are found."""

import pytest

from sandbox.catalogue import Book, Catalogue, load
from sandbox.search import Search

BOOKS = (
    Book(isbn13="9780000000101", title="Dispossessed", authors=("Ursula K. Le Guin",), work="a", publisher="Ace Books"),
    Book(isbn13="9780000000102", title="The dispossessed", authors=("Ursula K. Le Guin",), work="a", year=1974),
    Book(isbn13="9780000000103", title="Jane Eyre", authors=("Charlotte Brontë", "Stevie Davies"), year=1847),
    Book(
        isbn13="9780000000104",
        title="The life of Charlotte Bronte",
        authors=("Elizabeth Gaskell",),
        subjects=("Novelists",),
    ),
    Book(isbn13="9780000000105", title="金閣寺", authors=("三島由紀夫",), aliases=("Kinkakuji", "Yukio Mishima")),
)


@pytest.fixture
def catalogue() -> Catalogue:
    """The five books."""
    return load(BOOKS)


@pytest.mark.parametrize(
    "name",
    [
        "Ursula K. Le Guin",
        "ursula k le guin",
        "Le Guin, Ursula K.",
        "URSULA LE GUIN",
        "ursula_k._le_guin",
    ],
)
def test_an_author_is_found_however_spelt(catalogue: Catalogue, name: str) -> None:
    """Case, order, punctuation and a left-out initial make no difference."""
    assert [book.isbn13 for book in catalogue.named("authors", name)] == ["9780000000101", "9780000000102"]


@pytest.mark.parametrize("name", ["三島由紀夫", "三島 由紀夫", "Mishima Yukio", "yukio mishima"])
def test_an_author_is_found_in_either_script(catalogue: Catalogue, name: str) -> None:
    """A romanized name leads to the same books as the original one."""
    assert [book.isbn13 for book in catalogue.named("authors", name)] == ["9780000000105"]


@pytest.mark.parametrize("name", ["Ursula", "Guin", "Ursula K. Le Guin Jones", "", "由紀夫"])
def test_a_part_of_a_name_is_no_author(catalogue: Catalogue, name: str) -> None:
    """Nobody is found by one word of a longer name, nor by none."""
    assert catalogue.named("authors", name) == []


def test_a_second_author_has_the_book_too(catalogue: Catalogue) -> None:
    """Whoever is named on the cover is found."""
    assert [book.title for book in catalogue.named("authors", "stevie davies")] == ["Jane Eyre"]


def test_editions_are_those_of_the_same_work(catalogue: Catalogue) -> None:
    """A book is no other edition of itself, and books of unknown work have none."""
    assert [[other.isbn13 for other in catalogue.editions(book)] for book in BOOKS[0::3][:2]] == [["9780000000102"], []]


def test_names_hold_every_word_of_the_query(catalogue: Catalogue) -> None:
    """A search of authors finds names, not books."""
    assert catalogue.names("authors", "bronte char") == ["Charlotte Brontë"]


def test_a_later_book_of_one_isbn_replaces_the_earlier() -> None:
    """A catalogue holds each ISBN once."""
    twice = load([BOOKS[0], Book(isbn13=BOOKS[0].isbn13, title="Corrected")])
    assert [book.title for book in twice.books] == ["Corrected"]


def test_all_words_must_match_when_asked() -> None:
    """Then a title with one of two words is no answer."""
    assert [b.title for b in Search(BOOKS).find("eyre JANE", column="title", match_all=True)] == ["Jane Eyre"]


def test_one_word_is_enough_otherwise_and_the_best_come_first() -> None:
    """Without the switch the answer floods; the book with most of the words leads."""
    assert [
        book.title
        for book in Search(BOOKS).find("the dispossessed xyz", column="title")
        if book.title.startswith("The")
    ] == ["The dispossessed", "The life of Charlotte Bronte"]


def test_a_column_limits_a_search() -> None:
    """Charlotte Brontë as an author is not Charlotte Bronte in a title."""
    assert [
        [book.title for book in Search(BOOKS).find("charlotte bronte", column=column, match_all=True)]
        for column in ("author", "title")
    ] == [["Jane Eyre"], ["The life of Charlotte Bronte"]]


def test_a_part_of_a_word_is_found_in_scripts_without_spaces() -> None:
    """Titles in Han characters have no words to split at."""
    assert [book.title for book in Search(BOOKS).find("金閣", column="title", match_all=True)] == ["金閣寺"]


def test_no_words_find_nothing() -> None:
    """A query of punctuation is no query."""
    assert Search(BOOKS).find("?!") == []
