"""Stores that can't be reached, or don't do what a store does: each is tried for real, with a probe that is removed."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from mesh.doctor.clocks import apart
from mesh.doctor.finding import Finding, error
from mesh.stores.errors import StoreError
from mesh.stores.open import open_bucket, open_kv
from mesh.stores.protocol import Bucket, Kv
from mesh.stores.redis_kv import RedisKv

LIMIT_S = 10.0
"""Seconds that all the trials of one store may take."""

PROBE = "bookmesh-doctor"
"""Begins the names of probe keys and objects; one that is found was left by a doctor that was killed."""

_MEND = "See that it runs, and that its entry in mesh.toml says where, and as whom."


async def key_value_store(url: str, identity: str, clock: Callable[[], float] = time.time) -> list[Finding]:
    """Tries a key-value store: writes, reads, removes, and compares clocks."""
    name = f"the key-value store {identity}"
    try:
        async with asyncio.timeout(LIMIT_S):
            store = await open_kv(url, identity)
            try:
                return [*await _try_kv(store, name), *await _clock_of(store, name, clock)]
            finally:
                await store.aclose()
    except (StoreError, TimeoutError, ValueError) as failure:
        return [_unreachable(name, failure)]


async def object_store(url: str, bucket: str) -> list[Finding]:
    """Tries a bucket: writes, reads and removes an object."""
    name = f"the bucket {bucket}"
    kind, _, place = url.partition(":")
    if kind == "directory" and not (Path(place) / bucket).exists():
        # It comes to be with its first object; whether it can, is the data directory's to say.
        return []
    try:
        async with asyncio.timeout(LIMIT_S):
            store = await open_bucket(url, bucket)
            try:
                return list(await _try_bucket(store, name))
            finally:
                await store.aclose()
    except (StoreError, TimeoutError, ValueError) as failure:
        return [_unreachable(name, failure)]


async def _try_kv(store: Kv, name: str) -> list[Finding]:
    key, value = f"{PROBE}:{uuid.uuid4().hex}", uuid.uuid4().bytes
    try:
        await store.put(key, value, ttl_s=60)
        read = await store.get(key)
    finally:
        await store.delete(key)
    return list(_same(name, value, read))


async def _try_bucket(store: Bucket, name: str) -> list[Finding]:
    key, value = f"{PROBE}/{uuid.uuid4().hex}", uuid.uuid4().bytes
    try:
        await store.put(key, value)
        found = await store.get(key)
    finally:
        await store.delete(key)
    return list(_same(name, value, None if found is None else found.data))


def _same(name: str, written: bytes, read: bytes | None) -> Iterator[Finding]:
    if read != written:
        word = "nothing" if read is None else "something else"
        yield error("store", f"{name} was written to, and gives {word} back.", "See whether it is a cluster or full.")


async def _clock_of(store: Kv, name: str, clock: Callable[[], float]) -> list[Finding]:
    if not isinstance(store, RedisKv):
        return []
    before = clock()
    theirs = await store.time_s()
    return list(apart(name, theirs, (before + clock()) / 2))


def _unreachable(name: str, failure: Exception) -> Finding:
    # A StoreError's text names no address; of other errors the kind alone is safe to tell.
    why = str(failure) if isinstance(failure, StoreError) else type(failure).__name__
    return error("store", f"{name} can't be used: {why}.", _MEND)
