"""How often a key was asked for, told in little room."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.books.sketch import Sketch


@given(st.lists(st.sampled_from("abcdefgh"), max_size=200), st.integers(0, 64))
def test_never_too_few(keys: list[str], counter_count: int) -> None:
    """A key is never told less popular than it is, however small the sketch."""
    sketch = Sketch(counter_count)
    for key in keys:
        sketch.add(key)
    assert [key for key, count in Counter(keys).items() if sketch.count(key) < count] == []


def test_exact_with_room() -> None:
    """With many more counters than keys nearly all counts are right."""
    sketch = Sketch(1 << 16)
    for number in range(1000):
        for _ in range(number % 7):
            sketch.add(str(number))
    assert sum(sketch.count(str(number)) == number % 7 for number in range(1000)) > 990


def test_halves() -> None:
    """Ageing halves every count, so that one request is forgotten."""
    sketch = Sketch(1 << 10)
    sketch.raise_to("many", 9)
    sketch.add("once")
    sketch.halve()
    assert (sketch.count("many"), sketch.count("once")) == (4, 0)


def test_raising_lowers_nothing() -> None:
    """A count that is told again and smaller stays."""
    sketch = Sketch(1 << 10)
    sketch.raise_to("key", 9)
    sketch.raise_to("key", 3)
    assert sketch.count("key") == 9


def test_full_counter() -> None:
    """A key that is asked for without end stays the most popular, and does not begin anew."""
    sketch = Sketch(1 << 10)
    for _ in range(1000):
        sketch.add("key")
    sketch.raise_to("other", 1000)
    assert (sketch.count("key"), sketch.count("other")) == (255, 255)


def test_bytes() -> None:
    """It takes a byte for each counter, at least as many as it was asked for and less than twice as many."""
    empty = Sketch(1).byte_count - 1
    assert [Sketch(count).byte_count - empty for count in (0, 1, 2, 3, 1000, 2**30)] == [1, 1, 2, 4, 1024, 2**21]
