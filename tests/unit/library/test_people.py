"""People: every author of a cell, each by the name that stands on the books."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cataloguing.text import line_of
from services.warmer.library.formats import Style
from services.warmer.library.people import CELL_LENGTH, clean, is_somebody, looks_turned, people


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Frank Herbert", ("Frank Herbert",)),
        ("Frank  Herbert", ("Frank Herbert",)),
        ("Le Guin, Ursula K.", ("Ursula K. Le Guin",)),
        ("Herbert, Frank", ("Frank Herbert",)),
        ("García Márquez, Gabriel", ("Gabriel García Márquez",)),
        ("Bill Clinton & James Patterson", ("Bill Clinton", "James Patterson")),
        ("James Patterson with Maxine Paetro", ("James Patterson", "Maxine Paetro")),
        ("Neil Gaiman, Terry Pratchett", ("Neil Gaiman", "Terry Pratchett")),
        ("Gaiman, Neil; Pratchett, Terry", ("Neil Gaiman", "Terry Pratchett")),
        ("Gaiman, Neil & Pratchett, Terry", ("Neil Gaiman", "Terry Pratchett")),
        ("J.K. Rowling/Mary GrandPré", ("J.K. Rowling", "Mary GrandPré")),
        ("J.K. Rowling, John Tiffany, Jack Thorne", ("J.K. Rowling", "John Tiffany", "Jack Thorne")),
        ("Ann A, Bob B, and Cid C", ("Ann A", "Bob B", "Cid C")),
        ("A; B and C", ("A", "B", "C")),
        ("Will and Ariel Durant", ("Will and Ariel Durant",)),
        ("Simon & Schuster", ("Simon & Schuster",)),
        ("Kurt Vonnegut, Jr.", ("Kurt Vonnegut Jr.",)),
        ("Vonnegut, Kurt, Jr.", ("Kurt Vonnegut Jr.",)),
        ("Bob Nelson, PhD", ("Bob Nelson",)),
        ("Tolkien, J.R.R.", ("J.R.R. Tolkien",)),
        ("Prince Harry, The Duke of Sussex", ("Prince Harry, The Duke of Sussex",)),
        ("by Jane Austen", ("Jane Austen",)),
        ("Jane Austen et al.", ("Jane Austen",)),
        ("Homer (Author), Emily Wilson (Translator)", ("Homer",)),
        ("Emily Wilson (Translator)", ("Emily Wilson",)),
        ("Smith, John, ed.", ("John Smith",)),
        ("John Smith (1920-1990)", ("John Smith",)),
        ("村上 春樹", ("村上 春樹",)),
        ("鈴木 光、田中 明", ("鈴木 光", "田中 明")),
        ("Jane Austen; jane austen", ("Jane Austen",)),
        ("Anonymous", ()),
        ("Various", ()),
        ("Unknown Author", ()),
        ("AA.VV.", ()),
        ("n/a", ()),
        ("-", ()),
        ("", ()),
    ],
)
def test_free(cell: str, names: tuple[str, ...]) -> None:
    """An author cell is parted into people, a name that is turned round is turned back, and nobody is nobody."""
    assert people(cell) == names


@pytest.mark.parametrize(
    ("cell", "style", "names"),
    [
        ("Homer, Robert Fagles", Style.LIST, ("Homer", "Robert Fagles")),
        ("Tolkien, J.R.R., Alan Lee", Style.LIST, ("J.R.R. Tolkien", "Alan Lee")),
        ("Martin Luther King, Jr., Ann Other", Style.LIST, ("Martin Luther King Jr.", "Ann Other")),
        ("Vargas Llosa, Mario Pedro", Style.TURNED, ("Mario Pedro Vargas Llosa",)),
        ("King, Stephen, Straub, Peter", Style.TURNED, ("Stephen King", "Peter Straub")),
        ("Homer", Style.TURNED, ("Homer",)),
        ("鈴木, 光", Style.TURNED, ("鈴木 光",)),
        ("Lewis, C. S. & Hughes, Ann", Style.TURNED, ("C. S. Lewis", "Ann Hughes")),
        ("Bill Clinton & James Patterson", Style.ONE, ("Bill Clinton", "James Patterson")),
    ],
)
def test_styles(cell: str, style: Style, names: tuple[str, ...]) -> None:
    """Where the column tells how it writes people, it is believed."""
    assert people(cell, style) == names


def test_others_beside_an_author() -> None:
    """Who has another role is no author of a book that has one."""
    assert people("Luc Morel (Translator), Ann Other", Style.LIST, is_more=True) == ("Ann Other",)
    assert people("Luc Morel (Translator)", Style.LIST, is_more=True) == ()


@given(st.text(max_size=60))
def test_clean(cell: str) -> None:
    """What is given back at once is what the long way makes of it."""
    assert clean(cell) == line_of(cell, CELL_LENGTH)


@given(st.text(max_size=60), st.sampled_from(Style))
def test_any_cell(cell: str, style: Style) -> None:
    """Whatever stands in a cell, all that come out are somebody, clean, and there once."""
    found = people(cell, style)
    assert all(is_somebody(name) and name == name.strip() for name in found)
    assert len({name.casefold() for name in found}) == len(found)


def test_looks_turned() -> None:
    """Two parts are one name where one of them can't be a whole one."""
    assert looks_turned("Herbert", "Frank")
    assert looks_turned("van der Berg", "Anna Maria")
    assert not looks_turned("Neil Gaiman", "Terry Pratchett")
    assert not looks_turned("", "")
