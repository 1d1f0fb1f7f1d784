"""What every bucket keeps: the fake in memory, a directory and a real S3 server alike."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import botocore.exceptions
import pytest

from mesh.stores.directory_bucket import _TOGETHER, DirectoryBucket
from mesh.stores.errors import StoreError, StoreTimeoutError, StoreUnavailableError
from mesh.stores.open import open_bucket
from mesh.stores.protocol import Bucket
from mesh.stores.s3_bucket import S3Bucket, mapped
from tests.contract.stores.conftest import CREDENTIALS, S3Server
from tests.standstill import standstill

KEYS = ["plain", "a/b/c", "../../escape", "/rooted", "ünïcode 東京", "x" * 200, ".", "a//b/", "100%", "with space?&="]


@pytest.mark.parametrize("key", KEYS)
async def test_put_and_get(bucket: Bucket, key: str) -> None:
    """An object is found under any key, byte for byte, with its metadata."""
    await bucket.put(key, b"\x00\xff data", metadata={"name": "Ünïcode 東京"})
    found = await bucket.get(key)
    assert found is not None
    assert (found.data, found.metadata, abs(found.modified_time - time.time()) < 60) == (
        b"\x00\xff data",
        {"name": "Ünïcode 東京"},
        True,
    )


async def test_missing(bucket: Bucket) -> None:
    """A key without an object gives None, False or KeyError."""
    with pytest.raises(KeyError):
        [_ async for _ in bucket.stream("missing")]
    assert (await bucket.get("missing"), await bucket.delete("missing")) == (None, False)


async def test_many(bucket: Bucket) -> None:
    """Many objects are put and found in one go, under any keys, each with its time; what is not there is None."""
    items = {key: f"data of {key}".encode() for key in KEYS}
    await bucket.put_many(items)
    found = await bucket.get_many([*reversed(KEYS), "missing"])
    assert [each and each.data for each in found] == [*(items[key] for key in reversed(KEYS)), None]
    assert all(each is None or abs(each.modified_time - time.time()) < 60 for each in found)


async def test_very_many(bucket: Bucket) -> None:
    """More objects than go into one file are all put, and found in the order that they are asked for."""
    items = {f"key {number}": str(number).encode() for number in range(200)}
    await bucket.put_many(items)
    found = await bucket.get_many([*reversed(items), "missing"])
    assert [each and each.data for each in found] == [*reversed(items.values()), None]


async def test_many_take_the_place_of_one(bucket: Bucket) -> None:
    """An object that is put with others is as good as one that is put alone, and the last one is there."""
    await bucket.put("key", b"one", metadata={"name": "value"})
    await bucket.put_many({"key": b"two", "other": b""})
    found = await bucket.get("key")
    assert found is not None
    assert (found.data, found.metadata) == (b"two", {})
    assert sorted([info.key async for info in bucket.list()]) == ["key", "other"]
    assert (await bucket.delete("key"), await bucket.get("key")) == (True, None)


async def test_none_at_all(bucket: Bucket) -> None:
    """Putting nothing and getting nothing is allowed."""
    await bucket.put_many({})
    assert await bucket.get_many([]) == []


async def test_overwrite(bucket: Bucket) -> None:
    """The last object that was put under a key is the one that is there."""
    await bucket.put("key", b"one")
    await bucket.put("key", b"two")
    found = await bucket.get("key")
    assert found is not None
    assert found.data == b"two"


async def test_if_absent(bucket: Bucket) -> None:
    """Only one of those who put an absent object succeeds, however many try at once."""
    wins = await asyncio.gather(
        *(bucket.put("key", str(number).encode(), if_absent=True) for number in range(8)), return_exceptions=False
    )
    found = await bucket.get("key")
    assert found is not None
    assert (sum(wins), found.data) == (1, str(wins.index(True)).encode())


async def test_delete(bucket: Bucket) -> None:
    """An object that was removed is gone."""
    await bucket.put("key", b"data")
    assert (await bucket.delete("key"), await bucket.get("key")) == (True, None)


async def test_stream(bucket: Bucket) -> None:
    """An object larger than a part is written and read in pieces, and whole in the end."""
    chunk = os.urandom(1024 * 1024)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield chunk

    size = await bucket.put_stream("large", chunks())
    read = b"".join([part async for part in bucket.stream("large")])
    assert (size, read == chunk * 10) == (10 * 1024 * 1024, True)


async def test_empty_stream(bucket: Bucket) -> None:
    """An object may be empty."""

    async def chunks() -> AsyncIterator[bytes]:
        return
        yield b""

    assert (await bucket.put_stream("empty", chunks()), [part async for part in bucket.stream("empty") if part]) == (
        0,
        [],
    )


async def test_broken_stream_leaves_nothing(bucket: Bucket) -> None:
    """An upload that breaks off leaves neither an object nor a part of one."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        raise ValueError("the sender went away")

    with pytest.raises(ValueError, match="went away"):
        await bucket.put_stream("broken", chunks())
    assert (await bucket.get("broken"), [info.key async for info in bucket.list()]) == (None, [])


async def test_list(bucket: Bucket) -> None:
    """A listing has the objects whose keys begin so, by key, with their sizes."""
    for key in ("b/2", "a/1", "b/1", "c"):
        await bucket.put(key, key.encode())
    assert [(info.key, info.size) async for info in bucket.list("b/")] == [("b/1", 3), ("b/2", 3)]
    assert [info.key async for info in bucket.list(limit=2)] == ["a/1", "b/1"]


async def test_list_gives_keys_back(bucket: Bucket) -> None:
    """A listing gives every key as it was put, whatever is in it."""
    for key in KEYS:
        await bucket.put(key, b"")
    assert sorted([info.key async for info in bucket.list()]) == sorted(KEYS)


async def test_ping(bucket: Bucket) -> None:
    """A bucket that is well says how fast it answered."""
    assert 0 <= await bucket.ping() < 5


async def test_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """A directory that can't be made says so with our error."""
    (tmp_path / "file").write_text("")
    bucket = DirectoryBucket(tmp_path / "file" / "bucket")
    with pytest.raises(StoreUnavailableError):
        await bucket.put("key", b"")


async def test_half_written_object_is_none(tmp_path: Path) -> None:
    """What a writer that died left behind is no object."""
    bucket = DirectoryBucket(tmp_path)
    await bucket.put("key", b"data")
    await asyncio.to_thread(lambda: (next(tmp_path.glob("*/*.object")).parent / "tmp1234").write_bytes(b"torn"))
    assert [info.key async for info in bucket.list()] == ["key"]


@pytest.mark.parametrize("left", [0, 8, -1])
async def test_torn_objects_are_none(tmp_path: Path, left: int) -> None:
    """What a machine that died left of objects that were not synced is none, and hides no other."""
    bucket = DirectoryBucket(tmp_path)
    await bucket.put_many({"one": b"data", "two": b"more"})
    await bucket.put("other", b"whole")
    (torn, *_) = await asyncio.to_thread(
        lambda: [path for path in tmp_path.glob("*/*.object") if b"more" in path.read_bytes()]
    )
    await asyncio.to_thread(lambda: torn.write_bytes(torn.read_bytes()[:left]))
    assert (await bucket.get("two"), (await bucket.get_many(["two", "other"]))[0]) == (None, None)
    assert "other" in [info.key async for info in bucket.list()]


async def test_objects_of_one_file_go_their_own_ways(bucket: Bucket) -> None:
    """Of objects that were put together one may be removed, another put anew, and the rest is as it was."""
    await bucket.put_many({"a": b"1", "b": b"22", "c": b"333", "d": b"4444"})
    await bucket.delete("a")
    await bucket.put("b", b"alone")
    await bucket.put_many({"c": b"anew", "e": b""})
    found = await bucket.get_many(["a", "b", "c", "d", "e"])
    assert [each and each.data for each in found] == [None, b"alone", b"anew", b"4444", b""]
    assert [(info.key, info.size) async for info in bucket.list()] == [("b", 5), ("c", 4), ("d", 4), ("e", 0)]
    assert b"".join([chunk async for chunk in bucket.stream("d")]) == b"4444"


async def test_writing_many_to_a_directory_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    """Whoever is cancelled while it writes many objects leaves whole files, and nothing of those that were to come."""
    bucket = DirectoryBucket(tmp_path)
    writing = asyncio.create_task(bucket.put_many({f"{number:04}": b"data" for number in range(10_000)}))
    async with asyncio.timeout(20):
        while await bucket.get("0000") is None:  # noqa: ASYNC110 - a thread tells nobody that it has written something
            await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await asyncio.get_running_loop().shutdown_default_executor()  # what a thread has begun it ends
    places, begun = (len([*tmp_path.glob(pattern)]) for pattern in ("*/*.object", "new/*"))  # noqa: ASYNC240 - no loop
    assert (0 < places < 10_000, places % _TOGETHER, begun) == (True, 0, 0)


async def test_directory_that_cannot_be_written_to_by_many(tmp_path: Path) -> None:
    """A directory that can't be made says so of many objects as of one."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError):
        await DirectoryBucket(tmp_path / "file" / "bucket").put_many({"key": b""})


async def test_s3_server_that_is_down() -> None:
    """Opening a bucket whose server is down works; using it says so."""
    async with aclosing(S3Bucket("http://127.0.0.1:9", "contract", credentials=CREDENTIALS, timeout_s=1)) as bucket:
        with pytest.raises(StoreUnavailableError):
            await bucket.get("key")


async def test_s3_wrong_credentials(s3_server: S3Server) -> None:
    """A server that refuses our signature is an error, never an absent object."""
    async with aclosing(S3Bucket(s3_server.endpoint, "contract", credentials=("wrong", "wrong"))) as bucket:
        with pytest.raises(StoreUnavailableError):
            await bucket.get("key")


async def test_s3_server_that_hangs(s3_server: S3Server) -> None:
    """A frozen server costs no more than the timeout."""
    async with aclosing(S3Bucket(s3_server.endpoint, "contract", credentials=CREDENTIALS, timeout_s=0.5)) as bucket:
        await bucket.ping()
        with standstill(s3_server.pid):
            started = time.monotonic()
            with pytest.raises(StoreTimeoutError):
                await bucket.get("key")
            assert time.monotonic() - started < 5


async def test_open_by_url(tmp_path: Path) -> None:
    """A URL picks the adapter, and one that nobody knows is refused."""
    assert isinstance(await open_bucket(f"directory:{tmp_path}", "x"), DirectoryBucket)
    assert isinstance(await open_bucket("s3+http://127.0.0.1:9", "x"), S3Bucket)
    with pytest.raises(ValueError, match="ftp"):
        await open_bucket("ftp://x", "x")


def every(base: type[Exception]) -> list[type[Exception]]:
    """A class of errors with all below it."""
    return [base, *(found for below in base.__subclasses__() for found in every(below))]


@pytest.mark.parametrize("foreign", [*every(botocore.exceptions.BotoCoreError), OSError, TimeoutError])
def test_no_foreign_error_comes_through(foreign: type[Exception]) -> None:
    """Every error of the library comes out as one of ours."""
    with pytest.raises(StoreError), mapped():
        raise foreign.__new__(foreign)


def test_refusals_are_mapped() -> None:
    """What the server itself refuses comes out as one of ours, with its code."""
    error = botocore.exceptions.ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")
    with pytest.raises(StoreUnavailableError, match="SlowDown"), mapped():
        raise error
