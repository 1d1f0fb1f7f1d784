"""The memory of first lines: what a dict would say, in a tenth of the room."""

from hypothesis import given
from hypothesis import strategies as st

from services.warmer.library.check_digits import completed
from services.warmer.library.first_lines import FirstLines, isbn_key

KEYS = st.lists(st.integers(-(2**63), 2**63 - 1).map(lambda key: key & ~0xFFFC00), max_size=300)


@given(KEYS)
def test_like_a_dict(keys: list[int]) -> None:
    """The first line of a key is given whenever it comes again."""
    lines, expected = FirstLines(), dict[int, int]()
    for line, key in enumerate(keys, start=1):
        assert lines.setdefault(key, line) == expected.setdefault(key & 2**64 - 1, line)
    assert len(lines) == len(expected)


def test_a_hundred_thousand() -> None:
    """No key is lost or confused while tables grow."""
    lines = FirstLines()
    keys = [hash(str(number)) for number in range(100_000)]
    assert [lines.setdefault(key, line) for line, key in enumerate(keys, start=1)] == list(range(1, 100_001))
    assert [lines.setdefault(key, 7) for key in keys[::1000]] == list(range(1, 100_001, 1000))
    assert len(lines) == 100_000


def test_lines_beyond_what_is_kept() -> None:
    """A line beyond sixteen million is known to have come, though not which it was."""
    lines = FirstLines()
    assert lines.setdefault(5, 2**30) == 2**30
    assert lines.setdefault(5, 2**30 + 1) == 2**24 - 1


@given(st.lists(st.integers(0, 10**9 - 1), min_size=2, max_size=50, unique=True))
def test_isbns_have_keys_of_their_own(numbers: list[int]) -> None:
    """No two ISBNs share a key: their upper forty bits differ."""
    isbns = [completed(f"{number:09d}") for number in numbers] + ["9791032305690", "9790000000001"]
    assert len({isbn_key(isbn13) >> 24 & 2**40 - 1 for isbn13 in isbns}) == len(isbns)
