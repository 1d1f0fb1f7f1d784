"""People: every author of a cell, each by the name that stands on the books."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cataloguing.text import line_of
from services.warmer.library.decoding import undoubled
from services.warmer.library.formats import Style
from services.warmer.library.people import CELL_LENGTH, clean, is_somebody, people


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
        ("Herb, Frank, Brian Herb, and Jon Doe", ("Frank Herb", "Brian Herb", "Jon Doe")),
        ("Smith, J., Jones, K., & Brown, L.", ("J. Smith", "K. Jones", "L. Brown")),
        ("Herb, Frank, 1920-1986", ("Frank Herb",)),
        ("Doe, J. (John), b. 1950, author.", ("J. Doe",)),
        ("Tolst, Leo, graf, 1828-1910.", ("Leo Tolst",)),
        ("[Aust, Jane]", ("Jane Aust",)),
        ("1. Jane Aust", ("Jane Aust",)),
        ("- Jane Aust", ("Jane Aust",)),
        ("Jane Aust\nBob Cee", ("Jane Aust", "Bob Cee")),
        ("Jane\nAust", ("Jane Aust",)),
        ("Jane Aust + Bob Cee", ("Jane Aust", "Bob Cee")),
        ("Juan Pér y Ana Góm", ("Juan Pér", "Ana Góm")),
        ("José Ortega y Gasset", ("José Ortega y Gasset",)),
        ("João Sil e Ana Cos", ("João Sil", "Ana Cos")),
        ("Maria Eça e Sousa", ("Maria Eça e Sousa",)),
        ("Jan Kow i Anna Nowa", ("Jan Kow", "Anna Nowa")),
        ("Jan Jans en Piet Piets", ("Jan Jans", "Piet Piets")),
        ("Lars Lar och Eva Ev", ("Lars Lar", "Eva Ev")),
        ("Лев Толс и Иван Бун", ("Лев Толс", "Иван Бун")),
        ("['Jane Aust', \"Flann O'Bri\"]", ("Jane Aust", "Flann O'Bri")),
        ('[{"id": 7, "name": "Jane Aust"}, {"name": "Bob Cee"}]', ("Jane Aust", "Bob Cee")),
        ('[{"key": "/authors/OL1A"}]', ()),
        ("Jane Aust, Anonymous", ("Jane Aust",)),
        ("Aa. Vv.", ()),
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
    ("cell", "names"),
    [
        ("Jane Aust (Author, Illustrator)", ("Jane Aust",)),
        ("Jane Aust (Author), Ann Other (Foreword, Translator)", ("Jane Aust",)),
        ("Ann Other (Editor and Translator)", ("Ann Other",)),
        ("Homer, trans. Emily Wils", ("Homer",)),
        ("Jane Aust, illustrated by Ann Other", ("Jane Aust",)),
        ("Jane Aust, with an introduction by Ann Other", ("Jane Aust",)),
        ("Edited by Ann Other", ("Ann Other",)),
        ("written by Ann Other", ("Ann Other",)),
        ("Voices by Ann", ("Ann",)),
        ("村上 春 著", ("村上 春",)),
        ("村上 春/著, 安西 水/絵", ("村上 春",)),
        ("スタニスワフ・レム／著　沼野 充／訳", ("スタニスワフ・レム",)),
        ("スタニスワフ・レム, 沼野 充 (翻訳)", ("スタニスワフ・レム",)),
        ("【英】尼尔·盖曼著", ("尼尔·盖曼",)),
        ("[美] 弗兰克·赫伯 / [英] 尼尔·盖曼", ("弗兰克·赫伯", "尼尔·盖曼")),
        ("刘慈 著; 王五 译", ("刘慈",)),
        ("한강아 지음", ("한강아",)),
    ],
)
def test_roles(cell: str, names: tuple[str, ...]) -> None:
    """Whatever somebody did to a book is no part of the name, however and in whatever script it is written."""
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
        ("Herb, Frank.", Style.TURNED, ("Frank Herb",)),
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
    assert clean(cell) == line_of(undoubled(cell), CELL_LENGTH)


@given(st.text(max_size=60), st.sampled_from(Style))
def test_any_cell(cell: str, style: Style) -> None:
    """Whatever stands in a cell, all that come out are somebody, clean, and there once."""
    found = people(cell, style)
    assert all(is_somebody(name) and name == name.strip() for name in found)
    assert len({name.casefold() for name in found}) == len(found)
