"""The key of an ISBN: no two books are taken for one."""

from hypothesis import given
from hypothesis import strategies as st

from services.warmer.library.check_digits import completed
from services.warmer.library.first_books import isbn_key


@given(st.lists(st.integers(0, 10**9 - 1), min_size=2, max_size=50, unique=True))
def test_isbns_have_keys_of_their_own(numbers: list[int]) -> None:
    """No two ISBNs share a key: their upper forty bits differ."""
    isbns = [completed(f"{number:09d}") for number in numbers] + ["9791032305690", "9790000000001"]
    assert len({isbn_key(isbn13) >> 24 & 2**40 - 1 for isbn13 in isbns}) == len(isbns)
