import random

import pytest
from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_PAPERBACK,
    WORK_KIND_ABOUT,
    Author,
    Edition,
    Identifier,
    Work,
)
from hypothesis import given
from hypothesis import strategies as st

from services.books.merge import in_language, merged
from tests.unit.books_house import DUNE, EMMA, MESSIAH, work

WORKS = st.builds(
    work,
    st.sampled_from(["Dune", "Emma", "Poems", "???"]),
    st.sampled_from(["Frank Herbert", "Jane Austen", "Homer"]),
    isbns=st.lists(st.sampled_from([DUNE, EMMA, MESSIAH, "9781", "9782"]), max_size=3, unique=True),
    year=st.integers(0, 3),
)


def titles(works: list[Work]) -> list[tuple[str, int]]:
    """Titles with their numbers of editions."""
    return [(each.title, len(each.editions)) for each in works]


def test_same_title_and_author_is_one_work() -> None:
    """Works of one title and author are one, with the editions of both."""
    assert titles(
        merged([work("Dune", "Frank Herbert", isbns=[DUNE]), work("DUNE", "Herbert, Frank", isbns=[MESSIAH])])
    ) == [("Dune", 2)]


def test_same_title_alone_is_two_works() -> None:
    """Works that share a title and no author stay apart."""
    assert titles(
        merged([work("Poems", "Emily Dickinson", isbns=[DUNE]), work("Poems", "Oscar Wilde", isbns=[EMMA])])
    ) == [("Poems", 1), ("Poems", 1)]


def test_works_without_author_stay_apart() -> None:
    """Two works of which nobody is named as author are not one for their title."""
    assert titles(merged([work("Poems", isbns=[DUNE]), work("Poems", isbns=[EMMA])])) == [("Poems", 1), ("Poems", 1)]


def test_shared_edition_joins_works_of_other_titles() -> None:
    """Two records of one ISBN by the same author are one work, whatever each calls it."""
    assert titles(
        merged([work("Dune", "Frank Herbert", isbns=[DUNE]), work("Dune: Roman", "Frank Herbert", isbns=[DUNE])])
    ) == [("Dune", 1)]


def test_shared_edition_joins_no_strangers() -> None:
    """An ISBN that was used twice stays with the first, and joins no works of different authors."""
    assert titles(
        merged(
            [work("Dune", "Frank Herbert", isbns=[DUNE]), work("Emma", "Jane Austen", isbns=[DUNE, EMMA])],
        )
    ) == [("Dune", 1), ("Emma", 1)]


def test_work_of_which_nothing_is_left_goes() -> None:
    """A record whose only ISBN is another author's work already is no work of its own."""
    assert titles(merged([work("Dune", "Frank Herbert", isbns=[DUNE]), work("Emma", "Jane Austen", isbns=[DUNE])])) == [
        ("Dune", 1)
    ]


def test_same_edition_without_isbn_is_one() -> None:
    """An edition without an ISBN that comes twice is one; another one is not."""
    book = Work(title="Dune", authors=[Author(name="Frank Herbert")])
    book.editions.add(publisher="Chilton")
    other = Work(title="Dune", authors=[Author(name="Frank Herbert")])
    other.editions.extend([Edition(publisher="Chilton"), Edition(publisher="Gollancz")])
    assert titles(merged([book, other])) == [("Dune", 2)]


def test_edition_takes_what_it_lacks() -> None:
    """An edition that two providers know is one, filled from both, and says who helped."""
    first = Work(title="Dune", authors=[Author(name="Frank Herbert")])
    first.editions.add(isbn_13=DUNE, publisher="Ace", provider="isbndb")
    second = Work(title="Dune", authors=[Author(name="Frank Herbert")])
    second.editions.add(
        isbn_13=DUNE, publisher="ACE Books", page_count=604, format=FORMAT_PAPERBACK, provider="open_library"
    )
    expected = Edition(
        isbn_13=DUNE,
        publisher="Ace",
        page_count=604,
        format=FORMAT_PAPERBACK,
        provider="isbndb",
        contributing_providers=["open_library"],
    )
    assert [expected] == list(merged([first, second])[0].editions)


def test_work_takes_what_it_lacks() -> None:
    """Of two records of a work the earliest year, the longer synopsis, all subjects and identifiers are kept."""
    lccn, oclc = Identifier(scheme="lccn", value="1"), Identifier(scheme="oclc", value="2")
    first = Work(
        title="Dune",
        authors=[Author(name="Frank Herbert")],
        first_publication_year=1990,
        subjects=["Deserts"],
        synopsis="Sand.",
        identifiers=[lccn],
    )
    second = Work(
        title="Dune",
        subtitle="A Novel",
        authors=[Author(name="Frank Herbert"), Author(name="Brian Herbert")],
        first_publication_year=1965,
        subjects=["deserts", "Worms"],
        synopsis="Sand, and worms.",
        identifiers=[lccn, oclc],
        kind=WORK_KIND_ABOUT,
    )
    expected = Work(
        title="Dune",
        subtitle="A Novel",
        authors=[Author(name="Frank Herbert")],
        first_publication_year=1965,
        subjects=["Deserts", "Worms"],
        synopsis="Sand, and worms.",
        identifiers=[lccn, oclc],
        kind=WORK_KIND_ABOUT,
    )
    found = merged([first, second])[0]
    found.ClearField("id")
    assert expected == found


def test_print_stands_before_recordings() -> None:
    """The fullest printed edition is first, a recording last."""
    book = Work(title="Dune", authors=[Author(name="Frank Herbert")])
    book.editions.add(isbn_13="1", format=FORMAT_AUDIO, publisher="Audible", page_count=1)
    book.editions.add(isbn_13="2", format=FORMAT_PAPERBACK)
    book.editions.add(isbn_13="3", format=FORMAT_PAPERBACK, publisher="Ace")
    assert [edition.isbn_13 for edition in merged([book])[0].editions] == ["3", "2", "1"]


def test_repeated_author_is_named_once() -> None:
    """An author who stands twice on a work is named once, as first written."""
    found = merged([work("Dune", "Frank Herbert", "Herbert, Frank", "Brian Herbert")])[0]
    assert [author.name for author in found.authors] == ["Frank Herbert", "Brian Herbert"]


def test_id_hangs_on_title_and_author_alone() -> None:
    """A work has the same id whichever of its editions were found."""
    one = merged([work("Dune", "Frank Herbert", isbns=[DUNE])])[0]
    other = merged([work("dune", "Herbert, Frank", isbns=[MESSIAH], year=1965)])[0]
    assert one.id == other.id


@given(st.lists(WORKS, max_size=8))
def test_every_isbn_is_in_one_place(works: list[Work]) -> None:
    """However records overlap, no ISBN is lost, and none is in two works or twice in one."""
    given_isbns = {edition.isbn_13 for each in works for edition in each.editions}
    found = [edition.isbn_13 for each in merged(works) for edition in each.editions]
    assert sorted(given_isbns) == sorted(found)


@given(st.lists(WORKS, max_size=8))
def test_ids_differ(works: list[Work]) -> None:
    """No two works of an answer have one id."""
    ids = [each.id for each in merged(works)]
    assert sorted(set(ids)) == sorted(ids)


@given(st.lists(WORKS, max_size=8))
def test_what_is_given_is_left_alone(works: list[Work]) -> None:
    """The providers' own records are never changed."""
    before = [each.SerializeToString(deterministic=True) for each in works]
    merged(works)
    assert before == [each.SerializeToString(deterministic=True) for each in works]


@given(st.lists(WORKS, max_size=8), st.randoms(use_true_random=False))
def test_merging_twice_changes_nothing(works: list[Work], shuffle: random.Random) -> None:
    """What is merged is merged: its works stay as they are in any order."""
    once = merged(works)
    again = list(once)
    shuffle.shuffle(again)
    assert sorted(titles(once)) == sorted(titles(merged(again)))


@pytest.mark.parametrize(
    ("language", "expected"), [("en", [("Dune", 2)]), ("de", [("Dune", 2)]), ("fr", [("Dune", 1)])]
)
def test_language_keeps_what_may_be_in_it(language: str, expected: list[tuple[str, int]]) -> None:
    """Editions in the language stay, and those of which nobody says the language."""
    book = Work(title="Dune", editions=[Edition(language="en"), Edition(language="de"), Edition(language="")])
    assert expected == titles(in_language([book], language))


def test_language_drops_works_in_another() -> None:
    """A work of which every edition is in another language goes."""
    assert in_language([work("Der Marsianer", "Andy Weir", isbns=[DUNE], language="de")], "en") == []
