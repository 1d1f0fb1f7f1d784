"""What became of many searches, held in little."""

import random
import tracemalloc

import pytest

from services.warmer.jobs.known import Known
from services.warmer.jobs.outcome import Outcome, Settled
from services.warmer.plan.searches import Search, author_search

OUTCOMES = [None, Settled(Outcome.WARMED), Settled(Outcome.NOT_FOUND), Settled(Outcome.PARKED, "REASON", "why")]


def searches(count: int) -> list[Search]:
    """Different searches."""
    return [author_search(f"Author {number}") for number in range(count)]


def test_each_search_has_its_own_outcome() -> None:
    """What is looked for is what was added, in whichever order."""
    rng = random.Random(5)  # noqa: S311 - a fixed choice, no secret
    expected = {search: rng.choice(OUTCOMES) for search in searches(5_000)}
    known = Known()
    for search, settled in expected.items():
        known.add(search, settled)
    known.seal()
    assert {search: known.look(search) for search in reversed(expected)} == expected


def test_the_last_word_counts() -> None:
    """Of a search that comes twice the last outcome is told."""
    search, *_ = searches(1)
    known = Known()
    for settled in OUTCOMES:
        known.add(search, settled)
    known.seal()
    assert known.look(search) == OUTCOMES[-1]


def test_what_was_not_added() -> None:
    """A search that was not added is told to be none, instead of having another's outcome."""
    known = Known()
    for search in searches(100):
        known.add(search, None)
    known.seal()
    with pytest.raises(KeyError):
        known.look(author_search("Somebody else"))


def test_a_search_takes_little() -> None:
    """Each search takes some twenty bytes, room for growth included."""
    count = 20_000
    known = Known()
    tracemalloc.start()
    for number in range(count):
        known.add(author_search(f"Author {number}"), OUTCOMES[number % 4])
    known.seal()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / count < 25
