"""Texts and names held in little: what a list and a dict would say, in a tenth of the room."""

import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.warmer.plan.searches import folded
from services.warmer.plan.texts import Names, Texts

# What a decoder of broken files may leave is a text as well.
TEXTS = st.lists(st.text(st.characters(exclude_categories=())))
NAMES = st.lists(st.sampled_from(["Ursula K. Le Guin", "ursula k. le  guin", "Émile Zola", "ÉMILE ZOLA", "Zola", ""]))


@given(TEXTS)
def test_texts_come_out_as_they_went_in(given_texts: list[str]) -> None:
    """Each text lies where it was put, whatever its letters."""
    texts = Texts()
    for text in given_texts:
        texts.append(text)
    assert [texts[at] for at in range(len(texts))] == given_texts


@given(NAMES)
def test_names_like_a_dict(came: list[str]) -> None:
    """A name that is spelled otherwise lies where it came first, and under the spelling that came first."""
    names, expected = Names(), dict[str, int]()
    for name in came:
        assert names.find(name) == expected.get(folded(name))
        assert names.place_of(name) == expected.setdefault(folded(name), len(expected))
    spellings = {folded(name): name for name in reversed(came)}
    assert [names[at] for at in range(len(names))] == [spellings[key] for key in expected]


def test_more_names_than_are_remembered() -> None:
    """A name is known again long after it came."""
    names = Names()
    assert [names.place_of(f"Author {number}") for number in range(50_000)] == list(range(50_000))
    assert (names.place_of("AUTHOR 7"), names.find("author  8"), names.find("Author")) == (7, 8, None)


def test_names_with_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names whose hashes are one stay two: an author who is taken for another would never be asked for."""
    monkeypatch.setattr("services.warmer.plan.texts.hash", lambda _: 5, raising=False)
    names = Names()
    assert [names.place_of(name) for name in ("Zola", "Sand", "ZOLA", "Sand")] == [0, 1, 0, 1]
    assert (names.find("Hugo"), [names[at] for at in range(2)]) == (None, ["Zola", "Sand"])


def test_little_memory() -> None:
    """A name takes some thirty bytes beside its letters; a dict of strings takes five times that."""
    tracemalloc.start()
    try:
        names, before = Names(), tracemalloc.get_traced_memory()[0]
        for number in range(100_000):
            names.place_of(f"{number:08d}")
        remembered = sys.getsizeof(names._recent) + sum(map(sys.getsizeof, names._recent))
        used = tracemalloc.get_traced_memory()[0] - before - remembered
    finally:
        tracemalloc.stop()
    assert used < 100_000 * 45
