"""Rows: titles without what is not theirs, and the ISBN that is beyond doubt."""

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import LIBRARY_FORMAT_GENERIC
from hypothesis import given
from hypothesis import strategies as st

from services.cataloguing.text import line_of
from services.cataloguing.titles import title_of
from services.warmer.library.columns import Columns
from services.warmer.library.decoding import undoubled
from services.warmer.library.people import CELL_LENGTH
from services.warmer.library.rows import Reject, Row, folded, header_again, judge_of
from services.warmer.library.title_cells import title_of_cell, without_statement

DUNE = "9780441013593"
NOTHING = {"", "-", "--", "n/a", "#n/a", "na", "null", "nan", "none", "untitled", "no title", "?"}
JUDGE = judge_of(Columns(format=LIBRARY_FORMAT_GENERIC, width=4, title=0, author=1, isbns=(2, 3)))
WORDS = st.sampled_from(
    [
        "Dune",
        " ",
        "(Dune, #1)",
        "(Dune #1)",
        "#1",
        "(",
        ")",
        "[",
        "]",
        ": ",
        "A Novel",
        ", The",
        ",",
        "-",
        "(Penguin Classics)",
    ]
)


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        ("Dune (Dune, #1)", "Dune"),
        ("Guards (Discworld, #8; City Watch, #1)", "Guards"),
        ("Dune (Dune Chronicles #1)", "Dune"),
        ("Emma (Penguin Classics)", "Emma"),
        ("Ashes: A Novel", "Ashes"),
        ("Hobbit, The", "The Hobbit"),
        ("2001: A Space Odyssey", "2001: A Space Odyssey"),
        ("(Untitled, #1)", "(Untitled, #1)"),
        ("Ha (ha)", "Ha (ha)"),
        ("Q &amp; A", "Q & A"),
        ("A\nB", "A B"),
        ("n/a", ""),
        ("", ""),
    ],
)
def test_titles(cell: str, title: str) -> None:
    """Series, publisher's line and markup are taken off a title, and the article comes first."""
    assert title_of_cell(cell) == title


@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=6).map("".join)))
def test_the_short_way(cell: str) -> None:
    """What does not come to `title_of` is what that would have made of it."""
    expected = title_of(line_of(undoubled(cell), CELL_LENGTH), "").main
    assert title_of_cell(cell) == ("" if expected.casefold() in NOTHING else expected)


@pytest.mark.parametrize(
    ("thirteen", "ten", "isbn13", "reason"),
    [
        (DUNE, "0441013597", DUNE, ""),
        (DUNE, "0441013598", DUNE, ""),
        ("", "0441013597", DUNE, ""),
        ("9780441013594", "0441013597", DUNE, "WRONG_CHECK_DIGIT"),
        ("9.78044E+12", "0441013597", DUNE, "ISBN_ROUNDED"),
        ("9.78044101359E+12", "441013597", DUNE, "ISBN_LOST_ZEROS"),
        ("9.78044101359E+12", "441013598", DUNE, "ISBN_ROUNDED"),
        ("978044101359", "", DUNE, "ISBN_WITHOUT_CHECK_DIGIT"),
        ("9780441013594", "0441013598", "", "WRONG_CHECK_DIGIT"),
        ("abc", "", "", "NOT_AN_ISBN"),
        ("", "", "", ""),
    ],
)
def test_the_isbn_of_two_cells(thirteen: str, ten: str, isbn13: str, reason: str) -> None:
    """A wrong or lossy cell is mended by its sibling or by itself, or set aside; what was done is told."""
    found, repair = JUDGE(7, ["Dune", "Frank Herbert", thirteen, ten])
    assert found == Row(7, "Dune", ("Frank Herbert",), isbn13)
    assert (repair.reason if repair else "") == reason
    assert repair is None or (repair.line, bool(repair.hint)) == (7, True)


def test_a_short_row() -> None:
    """A row that ends early has empty cells at its end."""
    assert JUDGE(1, ["Dune"]) == (Row(1, "Dune", (), ""), None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Emma!", "emma", True),
        ("Pre-history", "Prehistory", True),
        ("É\u0301toile", "é\u0301toile", True),
        ("Étoile", "E\u0301toile", True),
        ("\uff24UNE", "dune", True),
        ("Étoile", "Etoile", False),
        ("Dune 1", "Dune 2", False),
    ],
)
def test_folded(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a case of the table
    """Texts are one without regard to case, signs and the form of accents."""
    assert (folded(one) == folded(other)) is same


@given(st.text(max_size=30), st.text(max_size=30))
def test_titles_and_authors_do_not_mix(title: str, author: str) -> None:
    """What stands in the title is no part of the author."""
    key = Row(1, title, (author,), "").text_key
    assert key.count(b"\0") == 1 + title.count("\0") + author.count("\0") or not title.isalnum()


def test_titles_of_signs() -> None:
    """A title without a letter is a title, and not its author alone."""
    assert Row(1, "!!!", ("X",), "").text_key != Row(1, "", ("X",), "").text_key


@pytest.mark.parametrize(
    ("cells", "is_sum"),
    [
        (["Total: 12", "", "", ""], True),
        (["Total", "", "", "", "149.50"], True),
        (["Summe", "", "", "", "12", "3"], True),
        (["Итого 5", "", "", ""], True),
        (["Total", "", "", "", "a fine book"], False),
        (["Total", "", "", ""], False),
        (["Total", "Ann Other", "", "", "12"], False),
        (["Total", "", DUNE, "", "12"], False),
        (["Total Recoil", "", "", "", "12"], False),
    ],
)
def test_sums(cells: list[str], is_sum: bool) -> None:  # noqa: FBT001 - a case of the table
    """A line that counts the others is no book, unless somebody wrote it, it has an ISBN or says more than a number."""
    found, repair = JUDGE(7, cells)
    assert (isinstance(found, Reject), repair) == (is_sum, None)
    if isinstance(found, Reject):
        assert (found.line, found.reason) == (7, "NO_BOOK")


def test_header_again() -> None:
    """A header within a file is refused with its line, and the hint tells that nothing is wrong."""
    found = header_again(9, ["Title", " ", "Author"])
    assert (found.line, found.reason, found.text) == (9, "NO_BOOK", "Title, Author")
    assert "nothing is to be mended" in found.hint


@pytest.mark.parametrize(
    ("title", "authors", "expected"),
    [
        ("Dunes / Frank Herb.", ("Frank Herb",), "Dunes"),
        ("Dunes / by F. Herb, with maps", ("Ann Other", "Frank Herb"), "Dunes"),
        ("Tides / translated by Ann Other", (), "Tides"),
        ("Face / Off", ("Frank Herb",), "Face / Off"),
        ("Dunes / Frank Herb", (), "Dunes / Frank Herb"),
    ],
)
def test_statements(title: str, authors: tuple[str, ...], expected: str) -> None:
    """Who wrote a book is taken off its title where a library has written it there, and nothing else is."""
    assert without_statement(title, authors) == expected
    assert JUDGE(1, [title, "; ".join(authors), "", ""])[0] == Row(1, expected, authors, "")
