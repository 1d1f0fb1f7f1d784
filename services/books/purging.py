"""The only place that takes answers out of the cache on somebody's word, in every tier and in every process's memory.

A purge is a ban (`bans.py`). It is kept beside the answers, in both stores, so that a process that starts later has it;
it is announced to the processes that run, which heed it at once; and then what it covers is swept out of the stores, as
far as that goes in a few seconds. What is not swept is not given either, and dies of age.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec
import structlog
from bookmesh.type.v1.book_pb2 import Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.stores.protocol import Bucket, Kv
from services.books.bans import Ban, Kind, ban_of, decoded, encoded
from services.books.cache import PATIENT_S, Cache
from services.books.entry import label
from services.books.shelf import Shelf

TOPIC = "cache-changes"
"""What processes tell each other under."""

SWEEP_S = 5.0
"""Seconds that a purge sweeps one store at most."""

_BANS = "ban:"
"""What the keys of kept bans begin with; no answer's key begins so."""

_AT_ONCE = 16
"""Objects that are read at a time while the cold store is swept."""

_PAGE = 200
"""Values that are read at a time while the hot store is swept."""

_AGAIN_S = 1.0
"""Seconds until a store that did not tell its bans is asked again."""

_log = structlog.get_logger("services.books")


class _Renewed(msgspec.Struct, frozen=True):
    """A key has a later answer: what memories hold of it is old."""

    renewed: str
    time: float


class Purging:
    """Purges, and what other processes tell of theirs.

    Args:
        cache: what is purged.
        kv: the hot tier's store.
        bucket: the cold tier's.
        background: where other processes are told.
        clock: seconds since the epoch.
    """

    def __init__(self, cache: Cache, kv: Kv, bucket: Bucket, background: Background, *, clock: Clock) -> None:
        self._cache = cache
        self._kv = kv
        self._bucket = bucket
        self._background = background
        self._clock = clock
        self._life_s = cache.windows.longest_s
        self._hot, self._cold = cache.shelves
        self._sources: Sequence[tuple[Shelf, Callable[[], Awaitable[list[bytes]]]]] = (
            (self._hot, self._hot_bans),
            (self._cold, self._cold_bans),
        )

    async def open(self, listening: Background) -> None:
        """Learns the bans that are kept, and listens from then on. A store is not trusted until it has told its own.

        Args:
            listening: where other processes are listened to, for as long as the service lives.
        """
        listening.spawn(self._listen(), name="cache changes", vital=True)
        await asyncio.gather(*(self._learn(shelf, bans) for shelf, bans in self._sources))
        for shelf, bans in self._sources:
            if not shelf.is_trusted:
                listening.spawn(self._learn_late(shelf, bans), name="bans")

    async def purge(self, kind: Kind, text: str) -> tuple[int, Sequence[Tier.ValueType]]:
        """Takes answers out; how many copies were found, and the tiers that could not be reached.

        Args:
            kind: what the text names.
            text: a key, a prefix, an author or an ISBN.

        Raises:
            ValueError: the text names nothing.
        """
        ban = ban_of(kind, text, self._clock())
        if kind == "key":
            await self._cache.settled(text)
        count = self._cache.ban(ban)
        await self._keep(ban)
        swept = await asyncio.gather(self._sweep_hot(ban), self._sweep_cold(ban))
        unreached = [shelf.tier for shelf, found in zip((self._hot, self._cold), swept, strict=True) if found is None]
        return count + sum(found or 0 for found in swept), unreached

    def tell_renewed(self, key: str, cache_time: float) -> None:
        """Tells the other processes that a key has a later answer."""
        message = msgspec.json.encode(_Renewed(key, cache_time))
        self._background.spawn(self._announce(message), name="renewed")

    async def _keep(self, ban: Ban) -> None:
        data, name = encoded(ban), _kept_as(ban)
        await asyncio.gather(
            self._hot.guard.ask(lambda: self._kv.put(name, data, ttl_s=self._life_s), limit_s=PATIENT_S),
            self._cold.guard.ask(lambda: self._bucket.put(name, data), limit_s=PATIENT_S),
            self._announce(data),
        )

    async def _announce(self, message: bytes) -> None:
        await self._hot.guard.ask(lambda: self._kv.announce(TOPIC, message), limit_s=PATIENT_S)

    async def _listen(self) -> None:
        async with self._kv.listening(TOPIC) as heard:
            async for message in heard:
                if message is None:
                    # Something may have been missed; what was purged meanwhile is kept beside the answers.
                    await asyncio.gather(*(self._learn(shelf, bans) for shelf, bans in self._sources))
                    continue
                ban = decoded(message)
                if ban is not None:
                    self._cache.ban(ban)
                    continue
                with contextlib.suppress(msgspec.DecodeError):
                    renewed = msgspec.json.decode(message, type=_Renewed)
                    self._cache.forget_older(renewed.renewed, renewed.time)

    async def _learn(self, shelf: Shelf, bans: Callable[[], Awaitable[list[bytes]]]) -> None:
        """Takes in the bans that a store keeps; from then on it is trusted."""
        said = await shelf.guard.ask(bans, limit_s=PATIENT_S)
        if said is None:
            return
        oldest = self._clock() - self._life_s
        for data in said.value:
            ban = decoded(data)
            if ban is not None and ban.time > oldest:
                self._cache.ban(ban)
        shelf.is_trusted = True

    async def _learn_late(self, shelf: Shelf, bans: Callable[[], Awaitable[list[bytes]]]) -> None:
        while not shelf.is_trusted:
            await asyncio.sleep(_AGAIN_S)
            await self._learn(shelf, bans)
        _log.info("bans_learned", tier=shelf.guard.name)

    async def _hot_bans(self) -> list[bytes]:
        names = [name async for name in self._kv.scan(_BANS)]
        return [data for data in await self._kv.get_many(names) if data is not None]

    async def _cold_bans(self) -> list[bytes]:
        found, oldest = [], self._clock() - self._life_s
        async for info in self._bucket.list(_BANS):
            if info.modified_time < oldest:
                await self._bucket.delete(info.key)
            elif (kept := await self._bucket.get(info.key)) is not None:
                found.append(kept.data)
        return found

    async def _sweep_hot(self, ban: Ban) -> int | None:
        """Takes what a ban covers out of the hot store; how many there were, or None when it could not be asked."""
        if ban.kind == "key":
            return await self._hot.remove(ban.value, limit_s=PATIENT_S)
        count = 0
        try:
            async with asyncio.timeout(SWEEP_S):
                async for names in _pages(self._kv.scan(ban.value if ban.kind == "prefix" else "")):
                    values = await self._kv.get_many(names)
                    covered = [
                        name for name, data in zip(names, values, strict=True) if data and _covers(ban, name, data)
                    ]
                    count += await self._kv.delete(*covered)
        except TimeoutError:
            _log.info("sweep_cut_short", tier="hot", ban=ban.kind)
        except Exception:  # noqa: BLE001 - a store that fails is one that is not reached, whatever it raises
            return None
        return count

    async def _sweep_cold(self, ban: Ban) -> int | None:
        """The same for the cold store."""
        if ban.kind == "key":
            return await self._cold.remove(ban.value, limit_s=PATIENT_S)
        count, places = 0, asyncio.Semaphore(_AT_ONCE)

        async def sweep(name: str) -> bool:
            async with places:
                kept = await self._bucket.get(name)
                return kept is not None and _covers(ban, name, kept.data) and await self._bucket.delete(name)

        try:
            async with asyncio.timeout(SWEEP_S):
                infos = self._bucket.list(ban.value if ban.kind == "prefix" else "")
                async for names in _pages(info.key async for info in infos):
                    count += sum(await asyncio.gather(*map(sweep, names)))
        except TimeoutError:
            _log.info("sweep_cut_short", tier="cold", ban=ban.kind)
        except Exception:  # noqa: BLE001 - as above
            return None
        return count


def _covers(ban: Ban, name: str, data: bytes) -> bool:
    known = label(name, data)
    return known is not None and ban.covers(name, known.cache_time, known.tags)


def _kept_as(ban: Ban) -> str:
    """The key that a ban is kept under: of a length that any store takes, whatever is banned."""
    return _BANS + hashlib.blake2b(ban.name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


async def _pages(names: AsyncIterator[str]) -> AsyncIterator[list[str]]:
    """Some names at a time."""
    page: list[str] = []
    async for name in names:
        page.append(name)
        if len(page) >= _PAGE:
            yield page
            page = []
    if page:
        yield page
