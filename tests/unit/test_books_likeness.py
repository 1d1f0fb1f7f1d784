import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.books.likeness import name_key, spoken_name_key, title_key
from services.books.reading import reading_of
from services.books.series import without_series

NAMES = st.text(min_size=1).filter(str.strip)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Hobbit", "hobbit"),
        ("Pride & Prejudice", "Pride and prejudice"),
        ("Les Misérables", "les miserables"),
        ("Ender's Game", "Enders Game"),
        ("Harry Potter, and the Half-Blood Prince", "Harry Potter and the Half Blood Prince"),
    ],
)
def test_titles_that_are_one(one: str, other: str) -> None:
    """Titles that differ in case, accents, punctuation or article are one."""
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("C", "C++"), ("Emma", "Emmas"), ("雪国", "千羽鶴"), ("???", "!!!"), ("A", "")]
)
def test_titles_that_are_two(one: str, other: str) -> None:
    """Titles in any script, and those of nothing but signs, are told apart."""
    assert title_key(one) != title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("J. K. Rowling", "J.K. Rowling"),
        ("J.K. Rowling", "JK Rowling"),
        ("Rowling, J.K.", "J. K. Rowling"),
        ("Le Guin, Ursula K.", "Ursula K. Le Guin"),
        ("Mircea Cărtărescu", "mircea cartarescu"),
        ("村上 春樹", "村上春樹"),
    ],
)
def test_names_that_are_one(one: str, other: str) -> None:
    """A name is one however its initials, accents and order are written."""
    assert name_key(one) == name_key(other)


@given(NAMES)
def test_no_name_is_without_a_key(name: str) -> None:
    """No name in any script has an empty key, for all of those would be one author."""
    assert name_key(name) != ""


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Ursula Le Guin", "Ursula K. Le Guin", True),
        ("Martin Luther King", "Martin Luther King Jr.", True),
        ("Stephen King", "Stephanie King", False),
    ],
)
def test_names_as_they_are_spoken(one: str, other: str, *, expected: bool) -> None:
    """Initials and generations do not part two names; another forename does."""
    assert expected is (spoken_name_key(one) == spoken_name_key(other))


def test_single_name_is_not_spoken_of() -> None:
    """A single word says too little to be held for a name without its initials."""
    assert spoken_name_key("King") == ""


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Dune (Dune Chronicles, #1)", "Dune"),
        ("The Final Empire (Mistborn Book 1)", "The Final Empire"),
        ("Catch (22)", "Catch (22)"),
        ("(Series #1)", "(Series #1)"),
    ],
)
def test_series(title: str, expected: str) -> None:
    """A numbered series in brackets at the end is no part of the title; other brackets are."""
    assert expected == without_series(title)


@pytest.mark.parametrize(
    ("text", "whole", "title", "author"),
    [
        ("Dune by Frank Herbert", "Dune by Frank Herbert", "Dune", "Frank Herbert"),
        ("Stand By Me", "Stand By Me", "Stand", "Me"),
        ("By Night in Chile", "By Night in Chile", "", ""),
        ("Frank  Herbert", "Frank Herbert", "", ""),
        ("Dune (Dune #1) by Frank Herbert", "Dune (Dune #1) by Frank Herbert", "Dune", "Frank Herbert"),
        ("Babylon", "Babylon", "", ""),
    ],
)
def test_readings(text: str, whole: str, title: str, author: str) -> None:
    """A text with the word "by" between others may be a title and a name; any text may be one thing as a whole."""
    reading = reading_of(text)
    assert (whole, title, author) == (reading.whole, reading.title, reading.author)
