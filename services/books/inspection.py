"""What operators may see of the cache: the copies of a key, and the counts of each tier."""

from collections.abc import Iterator, Mapping

from bookmesh.books.v1 import admin_service_pb2 as pb
from bookmesh.mesh.v1.stats_pb2 import Metric
from bookmesh.type.v1.book_pb2 import Tier

from services.books.answering import Answering
from services.books.cache import Cache
from services.books.shelf import Copy


async def inspected(cache: Cache, key: str) -> pb.InspectKeyResponse:
    """What every tier holds of a key, nearest first."""
    return pb.InspectKeyResponse(key=key, copies=[_told(copy) for copy in await cache.copies(key)])


def _told(copy: Copy) -> pb.KeyCopy:
    told = pb.KeyCopy(tier=copy.tier, present=copy.byte_count > 0, byte_count=copy.byte_count, reason=copy.reason)
    if copy.entry is not None:
        told.cache_time.FromMilliseconds(round(copy.entry.cache_time * 1000))
        told.fresh_until_time.FromMilliseconds(round(copy.entry.fresh_until * 1000))
        told.result_count = len(copy.entry.ends)
    return told


def metrics(cache: Cache, answering: Answering) -> Iterator[Metric]:
    """The counts of each tier, cache_memory_hits, cache_hot_misses, cache_cold_unreadable, ..., and of all of them."""
    memory, counts = cache.memory, answering.counts
    tiers: dict[str, Mapping[str, int]] = {
        "memory": {
            "hits": memory.hits,
            "misses": memory.misses,
            "refused": memory.refused,
            "evicted": memory.evicted,
            "bytes": memory.byte_count,
        }
    }
    for shelf in cache.shelves:
        tiers[Tier.Name(shelf.tier).removeprefix("TIER_").lower()] = {
            "hits": shelf.counts.hits,
            "misses": shelf.counts.misses,
            "unreadable": shelf.counts.unreadable,
            "failures": shelf.guard.failure_count,
        }
    for tier, found in tiers.items():
        for name, value in found.items():
            yield Metric(name=f"cache_{tier}_{name}", value=value)
    for name, value in (
        ("banned", cache.banned_count),
        ("stale", counts.stale),
        ("refreshed", counts.refreshed),
        ("led", counts.led),
        ("followed", counts.followed),
    ):
        yield Metric(name=f"cache_{name}", value=value)
