"""From a URL of the address book to a store. Opening never fails for a server that is down: stores connect late."""

from pathlib import Path

from mesh.stores.directory_bucket import DirectoryBucket
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.stores.protocol import Bucket, Kv
from mesh.stores.redis_kv import RedisKv


async def open_kv(url: str, namespace: str) -> Kv:
    """A key-value store.

    Args:
        url: redis://, rediss://, unix:// or memory:.
        namespace: what keeps its keys apart from others' on the same server.

    Raises:
        ValueError: no adapter knows the URL's scheme.
    """
    scheme = url.partition(":")[0]
    if scheme in {"redis", "rediss", "unix"}:
        return RedisKv(url, namespace)
    if scheme == "memory":
        return MemoryKv()
    raise ValueError(f"no key-value store is called {scheme}:")


async def open_bucket(url: str, name: str) -> Bucket:
    """An object store.

    Args:
        url: directory:PATH, s3+http://, s3+https:// or memory:.
        name: the bucket's name there.

    Raises:
        ValueError: no adapter knows the URL's scheme.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "directory":
        return DirectoryBucket(Path(rest) / name)
    if scheme == "memory":
        return MemoryBucket()
    if scheme in {"s3+http", "s3+https"}:
        # Its library takes over a second to import, which only those who use it should pay.
        from mesh.stores.s3_bucket import S3Bucket  # noqa: PLC0415

        return S3Bucket(url.removeprefix("s3+"), name)
    raise ValueError(f"no bucket is called {scheme}:")
