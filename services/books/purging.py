"""The only place that takes answers out of the cache on somebody's word, in every tier and in every process's memory.

A purge is a ban (`bans.py`). It is kept beside the answers, in both stores, so that a process that starts later has it;
it is announced to the processes that run, which heed it at once; and then what it covers is swept out of the stores, as
far as that goes in a few seconds. What is not swept is not given either, and dies of age. A store that is away when a
ban is made is told of it as soon as it is back.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from bookmesh.type.v1.book_pb2 import Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.stores.protocol import Bucket, Kv
from services.books.bans import Ban, Kind, ban_of, decoded, encoded
from services.books.cache import Cache
from services.books.guard import PATIENT_S, Guard
from services.books.shelf import Shelf
from services.books.sweeping import AT_ONCE, pages, sweep_cold, sweep_hot

TOPIC = "cache-changes"
"""What processes tell each other under."""

_BANS = "ban:"
"""What the keys of kept bans begin with; no answer's key begins so."""

_AGAIN_S = 1.0
"""Seconds until a store that did not tell its bans, or was not told of one, is asked again."""

_LEARN_S = 60.0
"""Seconds that a store has to tell its bans: to find them, all its names are looked through."""

_log = structlog.get_logger("services.books")


class _Renewed(msgspec.Struct, frozen=True):
    """Some keys have later answers: what memories hold of them is old."""

    renewed: list[str]
    time: float


class Purging:
    """Purges, and what other processes tell of theirs.

    Args:
        cache: what is purged.
        kv: the hot tier's store.
        bucket: the cold tier's.
        background: where other processes are told.
        clock: seconds since the epoch.
        again_s: seconds until a store that failed is asked again.
    """

    def __init__(
        self,
        cache: Cache,
        kv: Kv,
        bucket: Bucket,
        background: Background,
        *,
        clock: Clock,
        again_s: float = _AGAIN_S,
    ) -> None:
        self._cache = cache
        self._kv = kv
        self._bucket = bucket
        self._background = background
        self._listening = background
        self._clock = clock
        self._again_s = again_s
        self._life_s = cache.windows.longest_s
        self._hot, self._cold = cache.shelves
        self._sources: Sequence[tuple[Shelf, Callable[[], Awaitable[list[bytes]]]]] = (
            (self._hot, self._hot_bans),
            (self._cold, self._cold_bans),
        )

    async def open(self, listening: Background) -> None:
        """Learns the bans that are kept, and listens from then on. A store is not trusted until it has told its own.

        Args:
            listening: where other processes are listened to, for as long as the service lives; what is tried again
                until a store is back is tried there, too.
        """
        self._listening = listening
        listening.spawn(self._listen(), name="cache changes", vital=True)
        tries = [listening.spawn(self._learn(shelf, bans), name="bans") for shelf, bans in self._sources]
        await asyncio.wait(tries, timeout=PATIENT_S)
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
        self._cache.ban(ban)
        count = self._cache.sweep(ban)
        await self._keep(ban)
        swept = await asyncio.gather(self._sweep_hot(ban), self._sweep_cold(ban))
        unreached = [shelf.tier for shelf, found in zip((self._hot, self._cold), swept, strict=True) if found is None]
        return count + sum(found or 0 for found in swept), unreached

    def tell_renewed(self, keys: Sequence[str], cache_time: float) -> None:
        """Tells the other processes that keys have later answers, once those lie where they look for them."""
        self._background.spawn(self._tell_renewed(keys, cache_time), name="renewed")

    async def _tell_renewed(self, keys: Sequence[str], cache_time: float) -> None:
        await self._cache.all_hot(keys)
        message = msgspec.json.encode(_Renewed(list(keys), cache_time))
        await self._told(self._hot.guard, lambda: self._announced(message))

    async def _keep(self, ban: Ban) -> None:
        """Keeps a ban in both stores and announces it; what fails is done as soon as it can be."""
        data, name = encoded(ban), _kept_as(ban)
        await asyncio.gather(
            self._do(self._hot.guard, ban, lambda: self._kv.put(name, data, ttl_s=self._life_s)),
            self._do(self._hot.guard, ban, lambda: self._announced(data)),
            self._do(self._cold.guard, ban, lambda: self._bucket.put(name, data)),
        )

    async def _do(self, guard: Guard, ban: Ban, telling: Callable[[], Awaitable[object]]) -> None:
        if not await self._told(guard, telling):
            self._listening.spawn(self._tell_late(guard, ban, telling), name="ban told late")

    async def _tell_late(self, guard: Guard, ban: Ban, telling: Callable[[], Awaitable[object]]) -> None:
        """Tells a store of a ban again and again, for as long as there can be what it covers.

        The store may know a later ban of the same thing by then, in whose place this one would be kept.
        """
        while True:
            await asyncio.sleep(self._again_s)
            if self._clock() >= ban.time + self._life_s or self._cache.knows_later(ban):
                return
            if await self._told(guard, telling):
                _log.info("ban_told_late", tier=guard.name)
                return

    @staticmethod
    async def _told(guard: Guard, telling: Callable[[], Awaitable[object]]) -> bool:
        return await guard.ask(telling, limit_s=PATIENT_S) is not None

    async def _announced(self, message: bytes) -> None:
        await self._kv.announce(TOPIC, message)

    async def _listen(self) -> None:
        async with self._kv.listening(TOPIC) as heard:
            # What was purged before this process heard anything is kept beside the answers.
            self._listening.spawn(self._learn_all(), name="bans")
            async for message in heard:
                if message is None:
                    # Something may have been missed.
                    self._listening.spawn(self._learn_all(), name="bans")
                elif (ban := decoded(message)) is not None:
                    self._cache.ban(ban)
                elif (renewed := _renewed(message)) is not None:
                    for key in renewed.renewed:
                        self._cache.forget_older(key, renewed.time)

    async def _learn_all(self) -> None:
        await asyncio.gather(*(self._learn(shelf, bans) for shelf, bans in self._sources))

    async def _learn(self, shelf: Shelf, bans: Callable[[], Awaitable[list[bytes]]]) -> None:
        """Takes in the bans that a store keeps; from then on it is trusted."""
        try:
            async with asyncio.timeout(_LEARN_S):
                found = await bans()
        except Exception:  # noqa: BLE001 - a store that fails tells nothing, whatever it raises
            return
        oldest = self._clock() - self._life_s
        for data in found:
            ban = decoded(data)
            if ban is not None and ban.time > oldest:
                self._cache.ban(ban)
        shelf.is_trusted = True

    async def _learn_late(self, shelf: Shelf, bans: Callable[[], Awaitable[list[bytes]]]) -> None:
        while not shelf.is_trusted:
            await asyncio.sleep(self._again_s)
            await self._learn(shelf, bans)
        _log.info("bans_learned", tier=shelf.guard.name)

    async def _hot_bans(self) -> list[bytes]:
        found: list[bytes] = []
        async for names in pages(self._kv.scan(_BANS)):
            found += [data for data in await self._kv.get_many(names) if data is not None]
        return found

    async def _cold_bans(self) -> list[bytes]:
        oldest, places = self._clock() - self._life_s, asyncio.Semaphore(AT_ONCE)

        async def read(name: str) -> bytes:
            async with places:
                kept = await self._bucket.get(name)
                return b"" if kept is None else kept.data

        names = []
        async for info in self._bucket.list(_BANS):
            if info.modified_time < oldest:
                await self._bucket.delete(info.key)
            else:
                names.append(info.key)
        return await asyncio.gather(*map(read, names))

    async def _sweep_hot(self, ban: Ban) -> int | None:
        if ban.kind == "key":
            return await self._hot.remove(ban.value, limit_s=PATIENT_S)
        return await sweep_hot(self._kv, ban)

    async def _sweep_cold(self, ban: Ban) -> int | None:
        if ban.kind == "key":
            return await self._cold.remove(ban.value, limit_s=PATIENT_S)
        return await sweep_cold(self._bucket, ban)


def _renewed(message: bytes) -> _Renewed | None:
    """What a message tells of a later answer; None where it tells of none."""
    try:
        return msgspec.json.decode(message, type=_Renewed)
    except (ValueError, RecursionError):  # as of a ban
        return None


def _kept_as(ban: Ban) -> str:
    """The key that a ban is kept under: of a length that any store takes, whatever is banned."""
    return _BANS + hashlib.blake2b(ban.name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
