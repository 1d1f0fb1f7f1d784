import pytest
from bookmesh.books.v1.books_service_pb2 import (
    QUERY_KIND_AUTHOR,
    QUERY_KIND_TEXT,
    QUERY_KIND_TITLE,
    QUERY_KIND_TITLE_AND_AUTHOR,
    QueryKind,
)
from bookmesh.type.v1.book_pb2 import FORMAT_AUDIO, FORMAT_NOT_A_BOOK, Work

from services.books.ranking import understood
from services.books.reading import reading_of
from tests.unit.books_house import work

DUNE = work("Dune", "Frank Herbert", isbns=["1", "2", "3"])
MESSIAH = work("Dune Messiah", "Frank Herbert", isbns=["4"])
ROAD = work("The Road to Dune", "Brian Herbert", isbns=["5"])
BIOGRAPHY = work("Frank Herbert", "Timothy O'Reilly", isbns=["6"])
JANE_EYRE = work("Jane Eyre", "Charlotte Brontë", isbns=["7", "8"])
BY_JANE_EYRE = work("Some Letters", "Jane Eyre", isbns=["9"])
HERBERTIANA = [BIOGRAPHY, ROAD, MESSIAH, DUNE]


def ranked(text: str, works: list[Work]) -> list[str]:
    """Titles in their order."""
    return [each.title for each in understood(reading_of(text), works)[1]]


@pytest.mark.parametrize(
    ("text", "works", "kind", "title", "author"),
    [
        ("dune", HERBERTIANA, QUERY_KIND_TITLE, "Dune", ""),
        ("Frank Herbert", HERBERTIANA, QUERY_KIND_AUTHOR, "", "Frank Herbert"),
        ("Herbert, Frank", HERBERTIANA, QUERY_KIND_AUTHOR, "", "Frank Herbert"),
        ("Jane Eyre", [BY_JANE_EYRE, JANE_EYRE], QUERY_KIND_TITLE, "Jane Eyre", ""),
        ("Dune by Frank Herbert", HERBERTIANA, QUERY_KIND_TITLE_AND_AUTHOR, "Dune", "Frank Herbert"),
        ("dune herbert", HERBERTIANA, QUERY_KIND_TITLE_AND_AUTHOR, "Dune", "Frank Herbert"),
        ("road to", HERBERTIANA, QUERY_KIND_TITLE, "The Road to Dune", ""),
        ("Stand by Me", [work("Stand by Me", "Judith Orr", isbns=["1"])], QUERY_KIND_TITLE, "Stand by Me", ""),
        ("desert planet", HERBERTIANA, QUERY_KIND_TEXT, "", ""),
        ("anything", [], QUERY_KIND_TEXT, "", ""),
    ],
)
def test_what_a_text_was(text: str, works: list[Work], kind: QueryKind.ValueType, title: str, author: str) -> None:
    """What was found decides what the text was taken for."""
    found = understood(reading_of(text), works)[0]
    assert (kind, title, author) == (found.kind, found.title, found.author)


def test_exact_title_is_first() -> None:
    """The work of that title comes first, then those that begin with it, then those that hold it."""
    assert ranked("dune", HERBERTIANA) == ["Dune", "Dune Messiah", "The Road to Dune", "Frank Herbert"]


def test_title_to_the_letter_is_first() -> None:
    """A title that differs by an article comes after the one that does not."""
    works = [work("The Darkest Hour", "Erin Hunter", isbns=["1", "2"]), work("Darkest Hour", "Meg Cabot", isbns=["3"])]
    assert ranked("Darkest Hour", works) == ["Darkest Hour", "The Darkest Hour"]


def test_works_by_an_author_come_before_those_about_one() -> None:
    """For an author's name the author's own works are first, the one of most editions before the others."""
    assert ranked("frank herbert", HERBERTIANA) == ["Dune", "Dune Messiah", "Frank Herbert", "The Road to Dune"]


def test_initials_come_after_the_name_itself() -> None:
    """Whoever bears exactly the name comes before one with another initial."""
    works = [work("One", "Mary A. Smith", isbns=["1", "2"]), work("Two", "Mary Smith", isbns=["3"])]
    assert ranked("Mary Smith", works) == ["Two", "One"]


@pytest.mark.parametrize("form", [FORMAT_AUDIO, FORMAT_NOT_A_BOOK])
def test_what_is_no_book_is_last(form: int) -> None:
    """Recordings and films come after every book, however well they match."""
    film = work("Dune", "David Lynch", isbns=["1"])
    film.editions[0].format = form  # type: ignore[assignment]  # a value of the enum
    assert ranked("dune", [film, ROAD]) == ["The Road to Dune", "Dune"]


def test_more_words_come_first() -> None:
    """Where a text is neither title nor name, the work that holds more of its words comes first."""
    works = [work("Jane Eyre", "Charlotte Brontë", isbns=["1", "2", "3", "4"]), DUNE, ROAD]
    assert ranked("road dune desert", works) == ["The Road to Dune", "Dune", "Jane Eyre"]


def test_nothing_is_dropped() -> None:
    """Works that answer nothing of the text are kept, at the end."""
    assert ranked("dune", [JANE_EYRE, DUNE]) == ["Dune", "Jane Eyre"]
