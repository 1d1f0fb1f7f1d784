"""Lists without columns: what their lines are is seen in most of them."""

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import LIBRARY_FORMAT_AUTHOR_LIST, LIBRARY_FORMAT_ISBN_LIST

from services.warmer.library.columns import Columns
from services.warmer.library.plain_lists import columns_of_lines, each_isbn, parted

DUNE, EMMA = "9780441013593", "9780141439587"


@pytest.mark.parametrize(
    ("lines", "joint", "is_author_first"),
    [
        (["Dunes by Frank Herb", "Stand by Me by Stef Kin", "Odes"], " by ", False),
        (["1. Dunes by Frank Herb (1965)", "2. The Emm of it by Jane Aust"], " by ", False),
        (["Dunes - Frank Herb", "The Left Hand - Ursa K. Le Garden"], " - ", False),
        (["Frank Herb - Dunes", "Jane Aust - The Emm of it"], " - ", True),
        (["Das Boot von Lars Kühn", "Hafen von Änne Groß"], " von ", False),
        (["Dunes, Frank Herb", "The Emm of it, Jane Aust", "A House, Joe Doe"], ", ", False),
    ],
)
def test_titles_and_authors(lines: list[str], joint: str, is_author_first: bool) -> None:  # noqa: FBT001 - a case
    """Lines of a title and its author are parted where whole names stand on one side."""
    columns = columns_of_lines(lines)
    assert columns is not None
    assert (columns.joint, columns.is_author_first, columns.title, columns.author) == (joint, is_author_first, 0, 1)


@pytest.mark.parametrize(
    ("lines", "format_"),
    [
        (["Austen, Jane", "Le Guin, Ursula K.", "Herbert, Frank"], LIBRARY_FORMAT_AUTHOR_LIST),
        (["King, Martin Luther", "Rowl, Joanne Kath"], LIBRARY_FORMAT_AUTHOR_LIST),
        (["Neil Gaim, Terry Prat", "Frank Herb, Brian Herb", "Ann A, Bob Cee"], LIBRARY_FORMAT_AUTHOR_LIST),
        (["1. Jane Austen", "2. Homer"], LIBRARY_FORMAT_AUTHOR_LIST),
        (["- Jane Austen", "• Homer"], LIBRARY_FORMAT_AUTHOR_LIST),
        (["# mine", f"1) {DUNE}", f"{EMMA} Emma"], LIBRARY_FORMAT_ISBN_LIST),
    ],
)
def test_lists(lines: list[str], format_: int) -> None:
    """A list of people is none of titles, however its names are turned and its lines numbered."""
    columns = columns_of_lines(lines)
    assert columns is not None
    assert (columns.format, columns.joint) == (format_, "")


@pytest.mark.parametrize("lines", [["A house by the sea", "The end of it all"], ["Jane Austen;1", "Homer;2"]])
def test_nothing_to_tell(lines: list[str]) -> None:
    """Lines in which nobody sees a name are no list."""
    assert columns_of_lines(lines) is None


@pytest.mark.parametrize(
    ("line", "is_author_first", "cells"),
    [
        ("Stand by Me by Stef Kin", False, ["Stand by Me", "Stef Kin"]),
        ("3. “Dunes” by Frank Herb", False, ["Dunes", "Frank Herb"]),
        ("Stef Kin by Stand by Me", True, ["Stand by Me", "Stef Kin"]),
        ("Odes", False, ["Odes", ""]),
    ],
)
def test_parted(line: str, is_author_first: bool, cells: list[str]) -> None:  # noqa: FBT001 - a case of the table
    """The title keeps what stands between it and its author, where it has that as well."""
    columns = Columns(format=LIBRARY_FORMAT_AUTHOR_LIST, joint=" by ", is_author_first=is_author_first)
    assert parted(columns, [line]) == cells


def test_each_isbn() -> None:
    """Each ISBN of a line is a book of its own, and two spellings of one are one."""
    records = [(1, [f"{DUNE} 0441013597, {EMMA}"], False), (2, ["not one"], False), (3, [], True)]
    assert list(each_isbn(records)) == [(1, [DUNE], False), (1, [EMMA], False), *records[1:]]
