"""ISBN cells: what is an ISBN, what was one, and what never was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.warmer.library.check_digits import completed
from services.warmer.library.isbn_cells import Fault, Read, candidates, isbn13_of, read

DUNE = "9780441013593"


@pytest.mark.parametrize(
    "cell",
    [
        DUNE,
        "0441013597",
        '="9780441013593"',
        '="0441013597"',
        "[0441013597]",
        "978-0-441-01359-3",
        "978 0 441 01359 3",
        "978\u20110\u2011441\u201101359\u20113",
        "'9780441013593",
        "9780441013593.0",
        "9780441013593,00",
        "9,780,441,013,593",
        "9.780.441.013.593",
        "ISBN 9780441013593",
        "ISBN-13: 978-0-441-01359-3",
        "ISBN-10: 0441013597",
        "9780441013593 (paperback)",
        "0441013597, 9780441013593",
        "9780441013594; 9780441013593",
        "isbn:9780441013593",
        "9780441013593",
        "urn:isbn:9780441013593",
    ],
)
def test_an_isbn(cell: str) -> None:
    """An ISBN is read in whatever clothes people and programs put it."""
    assert read(cell) == Read(DUNE)


def test_an_x() -> None:
    """The check digit X is one in either case."""
    assert (isbn13_of("220339644x"), isbn13_of("2-203-39644-X")) == ("9782203396449", "9782203396449")


def test_the_new_prefix() -> None:
    """ISBNs of 979 are ISBNs."""
    assert isbn13_of("979-10-323-0569-0") == "9791032305690"


@pytest.mark.parametrize("cell", ["", " ", '=""', "[]", "0", "n/a", "NaN", "null", "-", "B08FHBV4ZX", "OL7353617M"])
def test_nothing(cell: str) -> None:
    """An empty cell, a word for nothing, and the number of a shop or a site are no fault."""
    assert read(cell) == Read()


def test_the_id_of_a_site() -> None:
    """What StoryGraph has for a book without an ISBN is no fault."""
    assert read("3f2504e0-4f89-11d3-9a0c-0305e82c3301") == Read()


@pytest.mark.parametrize(
    ("cell", "fault", "isbn13"),
    [
        ("9780441013594", Fault.WRONG_CHECK_DIGIT, ""),
        ("0441013598", Fault.WRONG_CHECK_DIGIT, ""),
        ("9.78044E+12", Fault.ROUNDED, ""),
        ("9,78044E+12", Fault.ROUNDED, ""),
        ("4.41E+08", Fault.ROUNDED, ""),
        ("441013597", Fault.LOST_ZEROS, DUNE),
        ("441013597.0", Fault.LOST_ZEROS, DUNE),
        ("978044101359", Fault.NO_CHECK_DIGIT, DUNE),
        ("9771234567898", Fault.NO_ISBN, ""),
        ("abc", Fault.NO_ISBN, ""),
        ("12345", Fault.NO_ISBN, ""),
        ("1111111111", Fault.NO_ISBN, ""),
        ("0000000000", Fault.NO_ISBN, ""),
    ],
)
def test_faults(cell: str, fault: Fault, isbn13: str) -> None:
    """What is wrong is told, each kind by its own word, and mended where that is beyond doubt."""
    found = read(cell)
    assert (found.fault, found.isbn13) == (fault, isbn13)


def test_what_was_mended_is_not_beyond_doubt() -> None:
    """Where there is no word to be said of it, a mended ISBN is none."""
    assert isbn13_of("441013597") == ""


@given(st.integers(0, 10**9 - 1).map(lambda nine: completed(f"{nine:09d}")))
def test_a_float_of_twelve_digits(isbn13: str) -> None:
    """A rounded ISBN is among what it may have been; where that is one alone, it is that one, and never another."""
    text = f"{float(isbn13):.11e}"
    digits = text.replace(".", "").partition("e")[0]
    assert isbn13 in candidates(int(digits))
    assert read(text) in {
        Read("", Fault.ROUNDED, rounded=digits),
        Read(isbn13, Fault.ROUNDED, rounded=digits),
    }


@given(st.text(max_size=40))
def test_any_cell(cell: str) -> None:
    """Whatever stands in a cell, what is read is an ISBN-13 or nothing."""
    found = read(cell)
    assert found.isbn13 == "" or isbn13_of(found.isbn13) == found.isbn13
