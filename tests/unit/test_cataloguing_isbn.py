import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isbn as stdnum_isbn

from services.cataloguing.isbn import is_isbn13, isbn10_of, isbn13_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9780441013593", "9780441013593"),
        ("0441013597", "9780441013593"),
        ("978-0-441-01359-3", "9780441013593"),
        (" 978 0441 013593 ", "9780441013593"),
        ("043942089x", "9780439420891"),
        ("ISBN 0441013597", "9780441013593"),
        ("ISBN: 978-0441013593", "9780441013593"),
        ("9791032305690", "9791032305690"),
        ("\uff19\uff17\uff18\uff10\uff14\uff14\uff11\uff10\uff11\uff13\uff15\uff19\uff13", "9780441013593"),
        ("978\u20110441013593", "9780441013593"),
    ],
)
def test_reads_isbns(text: str, expected: str) -> None:
    """An ISBN is read in every form that people and catalogues write it in."""
    assert expected == isbn13_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9780441013594",
        "0441013598",
        "978044101359",
        "441013597",
        "4006381333931",
        "X",
        "978044101359X",
        "dune",
        "1" * 99,
    ],
)
def test_refuses_what_is_no_isbn(text: str) -> None:
    """A wrong check digit, a wrong length or another EAN is no ISBN."""
    assert isbn13_of(text) == ""


@pytest.mark.parametrize(
    ("isbn13", "expected"),
    [("9780441013593", "0441013597"), ("9780439420891", "043942089X"), ("9791032305690", ""), ("", "")],
)
def test_isbn10(isbn13: str, expected: str) -> None:
    """Those of 978 have an ISBN-10, those of 979 have none."""
    assert expected == isbn10_of(isbn13)


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever comes in, what goes out is thirteen digits or nothing, and is the same when it is read again."""
    isbn13 = isbn13_of(text)
    assert isbn13 == "" or (len(isbn13) == 13 and isbn13_of(isbn13) == isbn13)


@given(st.from_regex(r"97[0-9][0-9]{10}|[0-9]{12,14}|97[89][0-9]{9}[xX\u0661]", fullmatch=True))
def test_told_at_a_glance(text: str) -> None:
    """What is seen without the library to be an ISBN-13 is what the library says, and so is its ISBN-10."""
    assert is_isbn13(text) == (len(text) == 13 and text.isascii() and stdnum_isbn.is_valid(text))
    if is_isbn13(text):
        assert isbn10_of(text) == (stdnum_isbn.to_isbn10(text) if text.startswith("978") else "")


@given(st.from_regex(r"97[89][0-9]{9}", fullmatch=True))
def test_right_check_digit_is_seen(twelve: str) -> None:
    """Of the ten last digits that twelve may have one makes an ISBN, with the same ISBN-10 as the library's."""
    (isbn13,) = [text for digit in range(10) if is_isbn13(text := f"{twelve}{digit}")]
    assert stdnum_isbn.is_valid(isbn13)
    assert isbn10_of(isbn13) == (stdnum_isbn.to_isbn10(isbn13) if isbn13.startswith("978") else "")
