from bookmesh.type.v1.book_pb2 import Work

from mesh.testing import FakeClock
from services.isbndb.cache import FOUND_S, NOTHING_S, AnswerCache, Found

DUNE = Found(works=[Work(title="Dune")], edition_count=1)


def test_answer_is_kept() -> None:
    """An answer is there until its time is over."""
    clock = FakeClock()
    cache = AnswerCache(clock)
    cache.put("k", DUNE)
    clock.advance(FOUND_S - 1)
    assert cache.get("k") is DUNE


def test_answer_ends() -> None:
    """After its time an answer is gone."""
    clock = FakeClock()
    cache = AnswerCache(clock)
    cache.put("k", DUNE)
    clock.advance(FOUND_S)
    assert cache.get("k") is None


def test_nothing_is_kept_shorter() -> None:
    """That there is nothing is an answer too, for a shorter time."""
    clock = FakeClock()
    cache = AnswerCache(clock)
    cache.put("k", Found())
    clock.advance(NOTHING_S - 1)
    before = cache.get("k")
    clock.advance(1)
    assert (before, cache.get("k")) == (Found(), None)


def test_memory_is_bounded() -> None:
    """However many answers are kept, they stay within the limit, and those used last stay."""
    cache = AnswerCache(FakeClock(), limit_bytes=10_000)
    cache.put("mine", DUNE)
    for number in range(200):
        cache.put(number, DUNE)
        cache.get("mine")
    assert (cache.size_bytes <= 10_000, cache.get("mine"), cache.get(0), cache.get(199)) == (True, DUNE, None, DUNE)


def test_answer_larger_than_memory() -> None:
    """An answer that is larger than all memory is not kept, and drops nothing that is."""
    cache = AnswerCache(FakeClock(), limit_bytes=2_000)
    cache.put("k", DUNE)
    cache.put("huge", Found(works=[Work(synopsis="x" * 3_000)]))
    assert (cache.get("huge"), cache.get("k")) == (None, DUNE)
