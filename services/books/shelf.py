"""The only place that knows the stores behind the cache: how each keeps an entry, and what a copy there is worth."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, Tier

from mesh.background import Background
from mesh.call import Clock
from mesh.stores.protocol import Bucket, Kv
from mesh.turns import Turns
from services.books.entry import Entry, decode
from services.books.guard import PATIENT_S, Guard
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

    get_many: Callable[[Sequence[str]], Awaitable[Sequence[bytes | None]]]
    put_many: Callable[[Mapping[str, bytes], Mapping[str, float]], Awaitable[object]]
    """Puts values, each of which is worth something for so many seconds."""
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
        self._none = Copy(tier=tier)

    async def read(self, key: str, *, limit_s: float) -> Copy:
        """The copy of a key, after at most this many seconds of the store's; none while it is not trusted."""
        found = await self._stored([key], limit_s)
        return Copy(tier=self.tier, reason=STORE_UNAVAILABLE) if found is None else self._copy(key, found[0])

    async def read_many(self, keys: Sequence[str], turns: Turns) -> Sequence[Copy]:
        """The copies of many keys, in their order, for which nobody waits."""
        found = await self._stored(keys, PATIENT_S)
        if found is None:
            return [Copy(tier=self.tier, reason=STORE_UNAVAILABLE)] * len(keys)
        copies = []
        async with turns.turn() as turn:
            for key, data in zip(keys, found, strict=True):
                await turn.breathe()
                copies.append(self._copy(key, data))
        return copies

    async def _stored(self, keys: Sequence[str], limit_s: float) -> Sequence[bytes | None] | None:
        """What the store has of some keys; None where it can't be asked, or is not trusted."""
        if not self.is_trusted:
            return None
        said = await self.guard.ask(lambda: self._store.get_many(keys), limit_s=limit_s)
        return None if said is None else said.value

    def _copy(self, key: str, data: bytes | None) -> Copy:
        if data is None:
            self.counts.misses += 1
            return self._none
        entry = decode(key, data)
        if entry is None:
            self.counts.unreadable += 1
            return Copy(tier=self.tier, byte_count=len(data), reason=UNREADABLE)
        self.counts.hits += 1
        return Copy(tier=self.tier, byte_count=len(data), entry=entry)

    async def write(self, items: Mapping[str, bytes], left_s: Mapping[str, float], *, limit_s: float) -> None:
        """Keeps entries for as long as each is worth something, or for as long as the store keeps anything.

        Args:
            items: the entries as they are stored, by their keys.
            left_s: seconds that each is worth something yet.
            limit_s: seconds to wait for the store.
        """
        await self.guard.ask(lambda: self._store.put_many(items, left_s), limit_s=limit_s)

    async def remove(self, key: str, *, limit_s: float) -> int | None:
        """Takes a key out; how many copies there were, or None when the store could not be asked."""
        said = await self.guard.ask(lambda: self._store.delete(key), limit_s=limit_s)
        return None if said is None else int(said.value)


def hot_shelf(kv: Kv, *, ttl_s: float, background: Background, clock: Clock, chance: Chance) -> Shelf:
    """The key-value store, which forgets an entry after its own time to live, or sooner by chance."""

    async def put_many(items: Mapping[str, bytes], left_s: Mapping[str, float]) -> None:
        # What is put together may end together here, for it does not end at the same time behind here.
        longest_s = jittered(ttl_s, chance)
        await kv.put_many({key: data for key, data in items.items() if left_s[key] >= longest_s}, ttl_s=longest_s)
        for key, data in items.items():
            if left_s[key] < longest_s:
                await kv.put(key, data, ttl_s=left_s[key])

    store = _Store(get_many=kv.get_many, put_many=put_many, delete=kv.delete)
    return Shelf(TIER_HOT, Guard("hot", background, clock=clock), store)


def cold_shelf(bucket: Bucket, *, background: Background, clock: Clock) -> Shelf:
    """The object store, which forgets nothing: only what stands in an entry tells that its time is over."""

    async def get_many(keys: Sequence[str]) -> Sequence[bytes | None]:
        return [None if found is None else found.data for found in await bucket.get_many(keys)]

    # Not synced to the disk: what the machine's death takes is a miss, and what it tears tells so by its checksum.
    store = _Store(get_many=get_many, put_many=lambda items, _: bucket.put_many(items), delete=bucket.delete)
    return Shelf(TIER_COLD, Guard("cold", background, clock=clock), store)
