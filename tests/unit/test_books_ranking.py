import pytest
from bookmesh.books.v1.books_service_pb2 import (
    QUERY_KIND_AUTHOR,
    QUERY_KIND_TEXT,
    QUERY_KIND_TITLE,
    QUERY_KIND_TITLE_AND_AUTHOR,
    QueryKind,
)
from bookmesh.type.v1.book_pb2 import FORMAT_AUDIO, FORMAT_NOT_A_BOOK, WORK_KIND_ABOUT, WORK_KIND_UNSPECIFIED, Work

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


def test_what_is_no_book_is_last() -> None:
    """A film comes after every book, however well it matches."""
    film = work("Dune", "David Lynch", isbns=["1"], form=FORMAT_NOT_A_BOOK)
    assert ranked("dune", [film, ROAD]) == ["The Road to Dune", "Dune"]


def test_recording_comes_after_the_book() -> None:
    """Of works that answer as well one that is nothing but a recording comes last, but before what answers less."""
    spoken = work("Dune!", "Scott Brick", isbns=["1"], form=FORMAT_AUDIO)
    assert ranked("dune", [spoken, ROAD, DUNE]) == ["Dune", "Dune!", "The Road to Dune"]


@pytest.mark.parametrize(
    "beside",
    [
        work("Dune", "Spark Editors", isbns=["1", "2", "3"]),
        work("Dune: A Study Guide", "Halcyon Press", isbns=["1", "2", "3"]),
        work("Dune Box Set", "Frank Herbert", isbns=["1", "2", "3"]),
        work("Dune by Frank Herbert: A Teacher's Guide", "Frank Herbert Society", isbns=["1", "2", "3"]),
    ],
)
@pytest.mark.parametrize("text", ["dune", "Dune by Frank Herbert", "dune herbert"])
def test_guides_and_box_sets_come_last(text: str, beside: Work) -> None:
    """Whatever is sold beside a book comes after all books, and is no evidence of what a text was."""
    guide = Work()
    guide.CopyFrom(beside)
    if guide.title == "Dune":
        guide.subtitle = "A Study Guide"
    titles = ranked(text, [guide, ROAD, DUNE])
    assert (titles[0], titles[-1]) == ("Dune", guide.title)


@pytest.mark.parametrize("title", ["Dune: A Study Guide", "Dune Box Set"])
def test_guide_is_first_for_who_asks_for_it(title: str) -> None:
    """Who types the title of a guide or of a box set gets that."""
    assert ranked(title, [DUNE, ROAD, work(title, "Somebody Else", isbns=["1"])])[0] == title


def test_books_about_an_author_are_marked() -> None:
    """For an author's name, what others wrote under it is about the author, and comes after the author's own sets."""
    own_set = work("Dune Box Set", "Frank Herbert", isbns=["1"])
    about = work("Understanding Frank Herbert", "Tim O'Reilly", isbns=["2"])
    found = understood(reading_of("Frank Herbert"), [about, own_set, DUNE])[1]
    assert [(each.title, each.kind) for each in found] == [
        ("Dune", WORK_KIND_UNSPECIFIED),
        ("Dune Box Set", WORK_KIND_UNSPECIFIED),
        ("Understanding Frank Herbert", WORK_KIND_ABOUT),
    ]


@pytest.mark.parametrize("text", ["Dnue", "Dune Mesiah", "Dun Messiah"])
def test_error_of_typing_is_forgiven(text: str) -> None:
    """A title with one letter missing, wrong or out of turn is found before what only holds a word of it."""
    works = [ROAD, work("Dun Cow", "Walter Wangerin", isbns=["1"]), MESSIAH, DUNE]
    assert ranked(text, works)[0] == ("Dune" if text == "Dnue" else "Dune Messiah")


def test_title_without_its_subtitle_is_found() -> None:
    """A text with a subtitle that the providers don't know is the title before it."""
    works = [work("Sapiens", "Yuval Noah Harari", isbns=["1"]), ROAD]
    assert ranked("Sapiens: A Brief History of Humankind", works)[0] == "Sapiens"


def test_known_by_more_providers_comes_first() -> None:
    """Of two works of the very title the one that more providers know comes first."""
    both = work("Poems", "Emily Dickinson", isbns=["1"])
    both.editions[0].contributing_providers.append("open_library")
    assert ranked("poems", [work("Poems", "Nobody Known", isbns=["2"]), both]) == ["Poems", "Poems"]
    assert understood(reading_of("poems"), [work("Poems", "Nobody", isbns=["2"]), both])[1][0] == both


def test_more_words_come_first() -> None:
    """Where a text is neither title nor name, the work that holds more of its words comes first."""
    works = [work("Jane Eyre", "Charlotte Brontë", isbns=["1", "2", "3", "4"]), DUNE, ROAD]
    assert ranked("road dune desert", works) == ["The Road to Dune", "Dune", "Jane Eyre"]


def test_nothing_is_dropped() -> None:
    """Works that answer nothing of the text are kept, at the end."""
    assert ranked("dune", [JANE_EYRE, DUNE]) == ["Dune", "Jane Eyre"]
