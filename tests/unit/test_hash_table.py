"""The hash table: what a dict would say, in a tenth of the room."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.hash_table import HashTable

KEYS = st.lists(st.integers(-(2**63), 2**63 - 1).map(lambda key: key & ~0xFFFC00), max_size=300)


@given(KEYS)
def test_like_a_dict(keys: list[int]) -> None:
    """The first number of a key is given whenever it comes again."""
    table, expected = HashTable(), dict[int, int]()
    for number, key in enumerate(keys, start=1):
        assert table.setdefault(key, number) == expected.setdefault(key & 2**64 - 1, number)
    assert len(table) == len(expected)


def test_a_hundred_thousand() -> None:
    """No key is lost or confused while tables grow."""
    table = HashTable()
    keys = [hash(str(number)) for number in range(100_000)]
    assert [table.setdefault(key, number) for number, key in enumerate(keys, start=1)] == list(range(1, 100_001))
    assert [table.setdefault(key, 7) for key in keys[::1000]] == list(range(1, 100_001, 1000))
    assert len(table) == 100_000


def test_numbers_beyond_what_is_kept() -> None:
    """A number beyond sixteen million is known to have come, though not which it was."""
    table = HashTable()
    assert table.setdefault(5, 2**30) == 2**30
    assert table.setdefault(5, 2**30 + 1) == 2**24 - 1
