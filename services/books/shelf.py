"""The only place that knows the stores behind the cache: how each keeps an entry, and what a copy there is worth."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.stores.protocol import Bucket, Kv
from services.books.entry import Entry, decode, encode
from services.books.guard import Guard
from services.books.windows import Chance, jittered

STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
"""Why a shelf told nothing, in a word of ErrorReason: its store is down or slow."""

UNREADABLE = "UNREADABLE"
"""Why a copy is as good as none: it is torn, or nothing that this version wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What one shelf holds of a key."""

    tier: Tier.ValueType
    """The shelf."""
    byte_count: int = 0
    """Its size as stored; 0 when there is none."""
    entry: Entry | None = None
    """The answer, when there is one that can be read."""
    reason: str = ""
    """STORE_UNAVAILABLE or UNREADABLE; empty when all is well, with a copy or without."""


@dataclass(slots=True)
class Counts:
    """What became of reading."""

    hits: int = 0
    """Fresh or not, there was an answer."""
    misses: int = 0
    """There was none."""
    unreadable: int = 0
    """There was something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """The three things that a shelf does with its store."""

    get: Callable[[str], Awaitable[bytes | None]]
    put: Callable[[str, bytes, float], Awaitable[object]]
    delete: Callable[[str], Awaitable[int]]


class Shelf:
    """One tier of the cache. Nothing that goes wrong with its store is an error here.

    Args:
        tier: which one it is.
        guard: what stands before its store.
        store: its store.
    """

    def __init__(self, tier: Tier.ValueType, guard: Guard, store: _Store) -> None:
        self.tier = tier
        self.counts = Counts()
        self.guard = guard
        self.is_trusted = False
        """The bans that its store keeps are known, so what it holds may be given."""
        self._store = store

    async def read(self, key: str, *, limit_s: float) -> Copy:
        """The copy of a key, after at most this many seconds of the store's; none while it is not trusted."""
        if not self.is_trusted:
            return Copy(tier=self.tier, reason=STORE_UNAVAILABLE)
        said = await self.guard.ask(lambda: self._store.get(key), limit_s=limit_s)
        if said is None:
            return Copy(tier=self.tier, reason=STORE_UNAVAILABLE)
        if said.value is None:
            self.counts.misses += 1
            return Copy(tier=self.tier)
        entry = decode(key, said.value)
        if entry is None:
            self.counts.unreadable += 1
            return Copy(tier=self.tier, byte_count=len(said.value), reason=UNREADABLE)
        self.counts.hits += 1
        return Copy(tier=self.tier, byte_count=len(said.value), entry=entry)

    async def write(self, key: str, entry: Entry, *, left_s: float, limit_s: float) -> None:
        """Keeps an entry for as long as it is worth something, or for as long as the store keeps anything."""
        data = encode(key, entry)
        await self.guard.ask(lambda: self._store.put(key, data, left_s), limit_s=limit_s)

    async def remove(self, key: str, *, limit_s: float) -> int | None:
        """Takes a key out; how many copies there were, or None when the store could not be asked."""
        said = await self.guard.ask(lambda: self._store.delete(key), limit_s=limit_s)
        return None if said is None else int(said.value)


def hot_shelf(kv: Kv, *, ttl_s: float, background: Background, clock: Clock, chance: Chance) -> Shelf:
    """The key-value store, which forgets an entry after its own time to live, or sooner by chance."""
    store = _Store(
        get=kv.get,
        put=lambda key, data, left_s: kv.put(key, data, ttl_s=min(jittered(ttl_s, chance), left_s)),
        delete=kv.delete,
    )
    return Shelf(TIER_HOT, Guard("hot", background, clock=clock), store)


def cold_shelf(bucket: Bucket, *, background: Background, clock: Clock) -> Shelf:
    """The object store, which forgets nothing: only what stands in an entry tells that its time is over."""

    async def get(key: str) -> bytes | None:
        found = await bucket.get(key)
        return None if found is None else found.data

    store = _Store(
        get=get,
        put=lambda key, data, _: bucket.put(key, data),
        delete=bucket.delete,
    )
    return Shelf(TIER_COLD, Guard("cold", background, clock=clock), store)
