"""Answers that say "nothing found": people believe them for minutes, and warming, which comes back, for a day."""

import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.type.v1.book_pb2 import TIER_HOT, TIER_MEMORY, TIER_ORIGIN

from mesh.status import NotFoundError
from mesh.trace import CLASS_KEY
from tests.unit.books_house import UNKNOWN, FakeLeaf, House, open_house, work

BATCH = ((CLASS_KEY, "batch"),)
MINUTES_S, DAY_S = 601, 86_401
"""A little more than CACHE_NEGATIVE_TTL and CACHE_WARMED_NEGATIVE_TTL."""

NAME = "Nobody Known"
NEW = work("At Last", NAME, isbns=[UNKNOWN])


CACHED = pb.CacheControl(only_if_cached=True)


async def warm(it: House, q: str, *, only_if_cached: bool = False) -> pb.BatchSearchAutoResponse:
    """What a batch makes of a search for which nobody waits."""
    kind = pb.QUERY_KIND_ISBN if q == UNKNOWN else pb.QUERY_KIND_AUTHOR
    query = pb.SearchAutoRequest(q=q, kind=kind, cache_control=CACHED if only_if_cached else None)
    request = pb.BatchSearchAutoRequest(queries=[query])
    (answer,) = [each async for each in it.stub.BatchSearchAuto(request, metadata=BATCH)]
    return answer


@pytest.mark.parametrize("q", [UNKNOWN, NAME])
async def test_warming_believes_it_for_a_day(q: str) -> None:
    """What warming found nothing for is cached for a day to whoever asks the cache alone, and costs no other call."""
    async with open_house(FakeLeaf()) as it:
        await warm(it, q)
        calls = it.leaf.calls.total()
        it.clock.advance(MINUTES_S)
        alone, again = await it.search(q, cache_control=CACHED), await warm(it, q)
        assert (list(alone.results), alone.provenance.stale) == ([], False)
        assert (again.WhichOneof("outcome"), list(again.response.results)) == ("response", [])
        assert it.leaf.calls.total() == calls
        it.clock.advance(DAY_S)
        assert (await warm(it, q, only_if_cached=True)).error.reason == "NOT_CACHED"
        with pytest.raises(NotFoundError):
            await it.search(q, cache_control=CACHED)


@pytest.mark.parametrize("q", [UNKNOWN, NAME])
@pytest.mark.parametrize("tier", [TIER_MEMORY, TIER_HOT])
async def test_people_believe_it_for_minutes(q: str, tier: int) -> None:
    """Who searches after some minutes has the providers asked, whoever found nothing; and that answer is all's then."""
    async with open_house(FakeLeaf()) as it:
        await warm(it, q)
        assert list((await it.search(q)).results) == []
        it.clock.advance(MINUTES_S)
        if tier == TIER_HOT:
            it.state.cache.memory.clear()
        it.leaf.works = [NEW]
        found = await it.search(q)
        assert ([each.title for each in found.results], found.provenance.tier) == (["At Last"], TIER_ORIGIN)
        assert [each.title for each in (await warm(it, q)).response.results] == ["At Last"]


async def test_people_ask_many_at_once() -> None:
    """The same holds for people who ask for many searches in one call."""
    async with open_house(FakeLeaf()) as it:
        await warm(it, UNKNOWN)
        it.clock.advance(MINUTES_S)
        it.leaf.works = [NEW]
        (answer,) = await it.batch(UNKNOWN)
        assert [each.title for each in answer.response.results] == ["At Last"]


async def test_what_people_found_is_theirs() -> None:
    """What a person's own search found nothing for is over after some minutes for all: nobody promised to come back."""
    async with open_house(FakeLeaf()) as it:
        await it.search(NAME)
        it.clock.advance(MINUTES_S)
        with pytest.raises(NotFoundError):
            await it.search(NAME, cache_control=CACHED)
