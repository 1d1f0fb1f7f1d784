import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cataloguing.titles import Title, name_key, title_key, title_of


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        ("Dune", "Dune", Title("Dune", "")),
        ("Dune (Dune Chronicles, #1)", "", Title("Dune", "")),
        ("Dune (Dune Chronicles, Book 1)", "Dune (Dune Chronicles, Book 1)", Title("Dune", "")),
        ("Emma (Penguin Classics)", "", Title("Emma", "")),
        ("Sapiens", "Sapiens: A Brief History of Humankind", Title("Sapiens", "A Brief History of Humankind")),
        ("Sapiens", "SAPIENS : a brief history", Title("Sapiens", "a brief history")),
        ("The Martian: A Novel", "The Martian: A Novel", Title("The Martian", "A Novel")),
        ("Curtain: A Hercule Poirot Mystery", "", Title("Curtain", "A Hercule Poirot Mystery")),
        ("2001: A Space Odyssey", "2001: A Space Odyssey", Title("2001: A Space Odyssey", "")),
        ("Mistborn: The Final Empire", "", Title("Mistborn: The Final Empire", "")),
        ("", "Dune: Book One", Title("Dune: Book One", "")),
        ("Hobbit, The", "", Title("The Hobbit", "")),
        ("Hard times /", "", Title("Hard times", "")),
        ("What If? (Serious Answers)", "", Title("What If? (Serious Answers)", "")),
        ("(#1)", "", Title("(#1)", "")),
        ("/", "", Title("/", "")),
    ],
)
def test_title(short: str, long: str, expected: Title) -> None:
    """Series and subtitles are taken off a title, but never a part of the title itself."""
    assert expected == title_of(short, long)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Hobbit", "hobbit"),
        ("Les Misérables", "les miserables"),
        ("Pride & Prejudice", "Pride and Prejudice"),
        ("Harry Potter and the Sorcerer's Stone", "Harry Potter and the Sorcerer\u2019s Stone"),
        ("Smilla's — Sense", "Smillas Sense"),
        ("\uff24\uff35\uff2e\uff25", "Dune"),
    ],
)
def test_equal_titles(one: str, other: str) -> None:
    """Titles that differ in case, accents of Latin letters, punctuation or article are one."""
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("雪国", "山の音"), ("か", "が"), ("कि", "का"), ("???", "!!!"), ("It", "The It Girl"), ("Война", "Мир")],
)
def test_different_titles(one: str, other: str) -> None:
    """Titles in any script, and titles of nothing but signs, never meet in one key."""
    assert title_key(one) != title_key(other)


def test_equal_names() -> None:
    """Initials are the same with and without spaces between them."""
    assert name_key("J.K. Rowling") == name_key("J. K. Rowling")


@given(st.text(min_size=1))
def test_no_text_has_an_empty_key(text: str) -> None:
    """Every text has a key, so that no two works without a Latin letter are one."""
    assert title_key(text) != ""


@given(st.text(), st.text())
def test_a_title_is_never_lost(short: str, long: str) -> None:
    """Whatever is taken off, something of a title that had something remains."""
    assert bool(title_of(short, long).main) == bool(short or long)
