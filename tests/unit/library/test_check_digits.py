"""Check digits by tables: what python-stdnum says, in a sixth of the time."""

from hypothesis import given
from hypothesis import strategies as st
from stdnum import isbn
from stdnum.exceptions import ValidationError

from services.warmer.library.check_digits import check_digit_13, completed, isbn13_of_digits

LENGTHS = (10, 13)
NINE = st.integers(0, 10**9 - 1).map("{:09d}".format)


def judged(text: str) -> str:
    """What python-stdnum makes of a bare text."""
    try:
        return str(isbn.validate(text, convert=True)) if len(text) in LENGTHS else ""
    except ValidationError:
        return ""


@given(st.one_of(st.text("0123456789X", min_size=9, max_size=13), st.text(max_size=14)))
def test_any_text(text: str) -> None:
    """What stands where an ISBN may is one exactly when python-stdnum takes it."""
    bare = "".join(text.split()).replace("-", "").upper()
    assert judged(bare) == isbn13_of_digits(bare) or not bare.isascii()


@given(NINE, st.sampled_from("0123456789X"))
def test_every_check_digit_of_ten(nine: str, last: str) -> None:
    """Of the eleven check digits one is right, and gives the same ISBN-13."""
    assert judged(nine + last) == isbn13_of_digits(nine + last)


@given(st.sampled_from(["978", "979", "977", "000"]), NINE, st.sampled_from("0123456789"))
def test_every_check_digit_of_thirteen(prefix: str, nine: str, last: str) -> None:
    """Of the ten check digits one is right, behind the two prefixes of books alone."""
    assert judged(prefix + nine + last) == isbn13_of_digits(prefix + nine + last)


@given(NINE)
def test_completed(nine: str) -> None:
    """Nine digits are completed to an ISBN-13 that is right."""
    whole = completed(nine)
    assert (whole[3:12], judged(whole), check_digit_13(int(whole[:12]))) == (nine, whole, int(whole[12]))


def test_other_digits() -> None:
    """Digits of other scripts are no bare ISBN, though Python takes them for digits."""
    assert isbn13_of_digits("٩٧٨٠٤٤١٠١٣٥٩٣") == ""
