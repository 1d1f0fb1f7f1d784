"""The only place that goes through whole stores for what a ban covers, and takes it out.

It is done for tidiness, and so that an operator is told how much there was: a ban holds whether it was swept or not.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog

from mesh.stores.protocol import Bucket, Kv
from services.books.bans import Ban
from services.books.entry import label

SWEEP_S = 5.0
"""Seconds that a purge sweeps one store at most."""

AT_ONCE = 16
"""Objects of the cold store that are read at a time."""

PAGE = 200
"""Names that are looked at together."""

_log = structlog.get_logger("services.books")


async def sweep_hot(kv: Kv, ban: Ban) -> int | None:
    """Takes what a ban covers out of the hot store; how many there were, or None when it could not be asked."""
    count = 0
    try:
        async with asyncio.timeout(SWEEP_S):
            async for names in pages(kv.scan(ban.value if ban.kind == "prefix" else "")):
                values = await kv.get_many(names)
                covered = [name for name, data in zip(names, values, strict=True) if data and _covers(ban, name, data)]
                count += await kv.delete(*covered)
    except TimeoutError:
        _log.info("sweep_cut_short", tier="hot", ban=ban.kind)
    except Exception:  # noqa: BLE001 - a store that fails is one that is not reached, whatever it raises
        return None
    return count


async def sweep_cold(bucket: Bucket, ban: Ban) -> int | None:
    """The same for the cold store."""
    count, places = 0, asyncio.Semaphore(AT_ONCE)

    async def sweep(name: str) -> bool:
        async with places:
            kept = await bucket.get(name)
            return kept is not None and _covers(ban, name, kept.data) and await bucket.delete(name)

    try:
        async with asyncio.timeout(SWEEP_S):
            infos = bucket.list(ban.value if ban.kind == "prefix" else "")
            async for names in pages(info.key async for info in infos):
                count += sum(await asyncio.gather(*map(sweep, names)))
    except TimeoutError:
        _log.info("sweep_cut_short", tier="cold", ban=ban.kind)
    except Exception:  # noqa: BLE001 - as above
        return None
    return count


async def pages(names: AsyncIterator[str]) -> AsyncIterator[Sequence[str]]:
    """Some names at a time."""
    page: list[str] = []
    async for name in names:
        page.append(name)
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


def _covers(ban: Ban, name: str, data: bytes) -> bool:
    known = label(name, data)
    return known is not None and ban.covers(name, known.cache_time, known.tags)
