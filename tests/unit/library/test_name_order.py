"""The order of names: what commas turn round is told from what they part, by a cell and by its whole column."""

import pytest

from services.warmer.library.formats import Style
from services.warmer.library.name_order import looks_turned, names_in, style_of


@pytest.mark.parametrize(
    ("last", "first", "is_turned"),
    [
        ("Herbert", "Frank", True),
        ("van der Berg", "Anna Maria", True),
        ("Le Guin", "Ursula K.", True),
        ("鈴木", "光", True),
        ("Neil Gaiman", "Terry Pratchett", False),
        ("王小波", "李银河", False),
        ("スタニスワフ・レム", "光", False),
        ("", "", False),
    ],
)
def test_looks_turned(last: str, first: str, is_turned: bool) -> None:  # noqa: FBT001 - a case of the table
    """Two parts are one name where one of them can't be a whole one."""
    assert looks_turned(last, first) is is_turned


@pytest.mark.parametrize(
    ("cells", "style"),
    [
        (["Herbert, Frank", "Austen, Jane", "Homer"], Style.TURNED),
        (["García Márquez, Gabriel", "Austen, Jane"], Style.TURNED),
        (["Gaiman, Neil; Pratchett, Terry", "Herbert, Frank, 1920-1986"], Style.TURNED),
        (["Frank Herbert", "Neil Gaiman, Terry Pratchett", "Homer, Emily Wilson", "Ann A, Bob B", "Jo X"], Style.LIST),
        (["Homer, Robert Fagles", "Ann A, Bob B", "Ann A, Bob B, Cid C"], Style.LIST),
        (["Frank Herbert", "Jane Austen"], Style.FREE),
        (["Frank Herbert", "Jane Austen", "Herbert, Frank"], Style.FREE),
        ([], Style.FREE),
    ],
)
def test_styles(cells: list[str], style: Style) -> None:
    """How a column writes people is seen in the whole of it."""
    assert style_of(cells) is style


@pytest.mark.parametrize(
    ("text", "style", "names"),
    [
        ("Herb, Frank, Brian Herb", Style.TURNED, ["Frank Herb", "Brian Herb"]),
        ("Herb, Frank, Brian Herb, Jon Doe", Style.FREE, ["Frank Herb", "Brian Herb", "Jon Doe"]),
        ("Herb, Frank, van Berg, Brian", Style.TURNED, ["Frank Herb", "Brian van Berg"]),
        ("Plato, Homer, Virgil", Style.FREE, ["Plato", "Homer", "Virgil"]),
        ("Herb, Frank, Berg, Brian.", Style.TURNED, ["Frank Herb", "Brian Berg"]),
        ("Ann A., Bob B.", Style.FREE, ["Ann A.", "Bob B."]),
    ],
)
def test_names_in(text: str, style: Style, names: list[str]) -> None:
    """Pairs are turned back; a bibliography turns the first person round and none after."""
    assert list(names_in(text, style)) == names
