import pytest
from bookmesh.books.v1 import admin_service_pb2 as pb
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, TIER_ORIGIN

from mesh.status import InvalidArgumentError
from tests.unit.books_house import DUNE, DUNE_10, EMMA, open_house

KEY = f"v2:isbn:{DUNE}"


@pytest.mark.parametrize("request_", [pb.InspectKeyRequest(key=KEY), pb.InspectKeyRequest(q=DUNE_10)])
async def test_inspect(request_: pb.InspectKeyRequest) -> None:
    """Operators see what lies under a key, named by itself or by a query, in every tier."""
    async with open_house() as it:
        await it.search(DUNE)
        found = await it.admin.InspectKey(request_)
        assert (found.key, [(copy.tier, copy.present, copy.result_count) for copy in found.copies]) == (
            KEY,
            [(TIER_MEMORY, True, 1), (TIER_HOT, True, 1), (TIER_COLD, True, 1)],
        )


async def test_inspect_tells_times_and_size() -> None:
    """A copy has its size as stored and its times."""
    async with open_house() as it:
        await it.search(DUNE)
        copy = (await it.admin.InspectKey(pb.InspectKeyRequest(key=KEY))).copies[1]
        assert (copy.byte_count, copy.cache_time.seconds, copy.fresh_until_time.seconds) == (
            len(await it.hot.get(KEY) or b""),
            1_000_000,
            1_604_800,
        )


async def test_inspect_nothing() -> None:
    """A key without an answer is present nowhere, and that is no error."""
    async with open_house() as it:
        found = await it.admin.InspectKey(pb.InspectKeyRequest(q="dune"))
        assert [(copy.present, copy.reason) for copy in found.copies] == [(False, "")] * 3


async def test_inspect_tells_what_is_wrong() -> None:
    """A torn copy and a tier that is down are told as such."""
    async with open_house() as it:
        await it.hot.put(KEY, b"torn")
        it.cold.down = True
        found = await it.admin.InspectKey(pb.InspectKeyRequest(key=KEY))
        assert [copy.reason for copy in found.copies] == ["", "UNREADABLE", "STORE_UNAVAILABLE"]


async def test_purge() -> None:
    """A purged answer is asked for anew."""
    async with open_house() as it:
        await it.search(DUNE)
        purged = await it.admin.PurgeCache(pb.PurgeCacheRequest(key=KEY))
        tier = (await it.search(DUNE)).provenance.tier
        assert (purged.key_count, list(purged.unreached_tiers), tier) == (3, [], TIER_ORIGIN)


async def test_purge_names_unreached_tiers() -> None:
    """A tier that could not be reached is named."""
    async with open_house() as it:
        it.hot.down = True
        purged = await it.admin.PurgeCache(pb.PurgeCacheRequest(key=KEY))
        assert (purged.key_count, list(purged.unreached_tiers)) == (0, [TIER_HOT])


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        (pb.PurgeCacheRequest(author="Herbert, Frank"), 6),
        (pb.PurgeCacheRequest(isbn=DUNE_10), 6),
        (pb.PurgeCacheRequest(isbn=EMMA), 0),
        (pb.PurgeCacheRequest(prefix="v2:isbn:"), 3),
    ],
)
async def test_purge_by_what_answers_hold(request_: pb.PurgeCacheRequest, count: int) -> None:
    """An author, an ISBN of either length or a prefix takes out every answer that it fits, and no other."""
    async with open_house() as it:
        for q in (DUNE, "dune"):
            await it.search(q)
        purged = await it.admin.PurgeCache(request_)
        assert (purged.key_count, list(purged.unreached_tiers)) == (count, [])


async def test_purge_outlives_a_store_that_was_away() -> None:
    """What a store holds that could not be reached is not given when it is back."""
    async with open_house() as it:
        await it.search(DUNE)
        it.hot.down = True
        await it.admin.PurgeCache(pb.PurgeCacheRequest(isbn=DUNE))
        it.hot.down = False
        it.clock.advance(10)
        assert (await it.search(DUNE)).provenance.tier == TIER_ORIGIN


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.PurgeCacheRequest(isbn="9780441013590"), "INVALID_ISBN"),
        (pb.PurgeCacheRequest(author=""), "INVALID_FIELD"),
        (pb.PurgeCacheRequest(prefix=""), "INVALID_FIELD"),
    ],
)
async def test_purge_of_nothing_is_refused(request_: pb.PurgeCacheRequest, reason: str) -> None:
    """A text that names nothing purges nothing, for an empty prefix would fit every answer."""
    async with open_house() as it:
        with pytest.raises(InvalidArgumentError) as caught:
            await it.admin.PurgeCache(request_)
        assert caught.value.reason == reason


async def test_nothing_named_is_refused() -> None:
    """Without a key there is nothing to inspect or purge."""
    async with open_house() as it:
        with pytest.raises(InvalidArgumentError):
            await it.admin.PurgeCache(pb.PurgeCacheRequest())
        with pytest.raises(InvalidArgumentError):
            await it.admin.InspectKey(pb.InspectKeyRequest())


async def test_stats_count_the_tiers() -> None:
    """Hits, misses, torn values and failures of each tier stand among the metrics."""
    async with open_house() as it:
        await it.search(DUNE)
        await it.search(DUNE)
        stats = (await it.admin.GetStats(pb.GetStatsRequest())).stats
        counted = {metric.name: metric.value for metric in stats.metrics if metric.value}
        assert {name: value for name, value in counted.items() if name.startswith("cache_")} == {
            "cache_memory_hits": 1,
            "cache_memory_misses": 1,
            "cache_memory_bytes": it.state.cache.memory.byte_count,
            "cache_hot_misses": 2,  # one look before the lease is taken, and one after
            "cache_cold_misses": 1,
            "cache_led": 1,
        }
