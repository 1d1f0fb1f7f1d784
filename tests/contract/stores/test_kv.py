"""What every key-value store keeps: the fake in memory and a real valkey-server alike."""

import asyncio
import os
import signal
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import pytest
import redis.exceptions

from mesh.hosting.embedded import EmbeddedError, embedded_valkey
from mesh.stores.errors import StoreError, StoreTimeoutError, StoreUnavailableError
from mesh.stores.memory import MemoryKv
from mesh.stores.open import open_kv
from mesh.stores.protocol import Kv
from mesh.stores.redis_errors import mapped
from mesh.stores.redis_kv import RedisKv
from mesh.testing import FakeClock
from tests.chaos.programs import valkey as tcp_valkey
from tests.standstill import standstill

KEYS = ["plain", "with space", "ünïcode 東京", "a:b/c", "*?[]^\\", ""]


@pytest.mark.parametrize("key", KEYS)
async def test_put_and_get(kv: Kv, key: str) -> None:
    """A value is found under any key of text, byte for byte."""
    await kv.put(key, b"\x00\xff value")
    assert await kv.get(key) == b"\x00\xff value"


async def test_missing(kv: Kv) -> None:
    """A key without a value gives None."""
    assert await kv.get("missing") is None


async def test_many(kv: Kv) -> None:
    """Many keys are answered in their order, missing ones with None."""
    await kv.put_many({"a": b"1", "b": b"2"})
    assert await kv.get_many(["b", "missing", "a"]) == [b"2", None, b"1"]


async def test_none_at_all(kv: Kv) -> None:
    """Asking for nothing, setting nothing and removing nothing is allowed."""
    await kv.put_many({})
    assert (await kv.get_many([]), await kv.delete()) == ([], 0)


async def test_time_to_live(kv: Kv) -> None:
    """A value with a time to live says what is left; one without lives for good."""
    await kv.put("short", b"1", ttl_s=100)
    await kv.put("long", b"1")
    left = await kv.ttl_s("short")
    assert (left is not None and 90 < left <= 100, await kv.ttl_s("long"), await kv.ttl_s("missing")) == (
        True,
        None,
        None,
    )


async def test_put_if_absent(kv: Kv) -> None:
    """Only the first of those who set an absent key succeeds, however many try at once."""
    wins = await asyncio.gather(*(kv.put_if_absent("lock", str(number).encode()) for number in range(20)))
    assert (sum(wins), await kv.get("lock")) == (1, str(wins.index(True)).encode())


async def test_delete(kv: Kv) -> None:
    """Removing keys says how many there were."""
    await kv.put_many({"a": b"1", "b": b"2"})
    assert (await kv.delete("a", "b", "missing"), await kv.get("a")) == (2, None)


@pytest.mark.parametrize("key", KEYS)
async def test_delete_if(kv: Kv, key: str) -> None:
    """A key is removed by who knows its value, and by nobody else."""
    await kv.put(key, b"\x00\xff holder", ttl_s=100)
    assert (await kv.delete_if(key, b"another"), await kv.get(key)) == (False, b"\x00\xff holder")
    assert (await kv.delete_if(key, b"\x00\xff holder"), await kv.get(key)) == (True, None)


async def test_delete_if_missing(kv: Kv) -> None:
    """A key that is not there has no value, not even an empty one."""
    assert [await kv.delete_if("missing", value) for value in (b"", b"value")] == [False, False]


async def test_delete_if_of_many(kv: Kv) -> None:
    """Of many who let go of one lease at once, one did."""
    await kv.put("lease", b"holder")
    assert sum(await asyncio.gather(*(kv.delete_if("lease", b"holder") for _ in range(20)))) == 1


async def test_extend_if(kv: Kv) -> None:
    """A key gets its time anew from who knows its value, and keeps what it has for all others."""
    await kv.put("lease", b"holder", ttl_s=100)
    assert await kv.extend_if("lease", b"another", ttl_s=1000) is False
    assert 90 < (await kv.ttl_s("lease") or 0) <= 100
    assert await kv.extend_if("lease", b"holder", ttl_s=1000) is True
    assert 990 < (await kv.ttl_s("lease") or 0) <= 1000
    assert await kv.get("lease") == b"holder"


async def test_extend_if_missing(kv: Kv) -> None:
    """A lease whose time is over can't be extended, and none comes of it."""
    assert (await kv.extend_if("missing", b"holder", ttl_s=10), await kv.get("missing")) == (False, None)


@pytest.mark.parametrize("key", KEYS)
async def test_replace_if(kv: Kv, key: str) -> None:
    """A value is changed by who knows it, and by nobody else."""
    await kv.put(key, b"\x00\xff old")
    assert (await kv.replace_if(key, b"another", b"new"), await kv.get(key)) == (False, b"\x00\xff old")
    assert (await kv.replace_if(key, b"\x00\xff old", b"\x00\xff new"), await kv.get(key)) == (True, b"\x00\xff new")


async def test_replace_if_missing(kv: Kv) -> None:
    """A key that is not there has no value to be changed, and none comes of it."""
    assert [await kv.replace_if("missing", value, b"new") for value in (b"", b"value")] == [False, False]
    assert await kv.get("missing") is None


async def test_replace_if_of_many(kv: Kv) -> None:
    """Of many who change one value at once, one did, and the value is that one's."""
    await kv.put("shared", b"old")
    wins = await asyncio.gather(*(kv.replace_if("shared", b"old", str(number).encode()) for number in range(20)))
    assert (sum(wins), await kv.get("shared")) == (1, str(wins.index(True)).encode())


async def test_replace_if_lives_for_good(kv: Kv) -> None:
    """What a key is given so has no end, whatever the value before had."""
    await kv.put("short", b"old", ttl_s=100)
    assert (await kv.replace_if("short", b"old", b"new"), await kv.ttl_s("short")) == (True, None)


async def test_scripts_after_a_restart(valkey: str) -> None:
    """A server that has forgotten its scripts is told them again."""
    async with aclosing(RedisKv(valkey, "x")) as kv:
        for _ in range(2):
            await kv.put("lease", b"holder")
            assert await kv.extend_if("lease", b"holder", ttl_s=10)
            assert await kv.replace_if("lease", b"holder", b"next")
            assert await kv.delete_if("lease", b"next")
            await kv.raw.script_flush()


async def test_scan(kv: Kv) -> None:
    """A scan gives each key that begins so, once, pattern characters taken as they are."""
    await kv.put_many({f"job*:{number}": b"" for number in range(1200)})
    await kv.put_many({"jobless": b"", "other": b""})
    found = [key async for key in kv.scan("job*:")]
    assert sorted(found) == sorted(f"job*:{number}" for number in range(1200))


async def test_scan_limit(kv: Kv) -> None:
    """A scan with a limit gives no more than that."""
    await kv.put_many({str(number): b"" for number in range(50)})
    assert len([key async for key in kv.scan("", limit=7)]) == 7


async def test_ping(kv: Kv) -> None:
    """A store that is well says how fast it answered."""
    assert 0 <= await kv.ping() < 5


def test_memory_forgets_on_time() -> None:
    """The fake forgets a value when its clock says so."""
    clock = FakeClock()
    kv = MemoryKv(clock)

    async def check() -> tuple[bytes | None, bytes | None]:
        await kv.put("a", b"1", ttl_s=10)
        clock.advance(9.9)
        before = await kv.get("a")
        clock.advance(0.1)
        return before, await kv.get("a")

    assert asyncio.run(check()) == (b"1", None)


async def test_valkey_forgets_on_time(valkey: str) -> None:
    """The real server forgets a value when its time is over."""
    kv = await open_kv(valkey, "x")
    await kv.put("a", b"1", ttl_s=0.02)
    await asyncio.sleep(0.1)
    assert await kv.get("a") is None
    await kv.aclose()


async def test_namespaces_are_apart(valkey: str) -> None:
    """Two namespaces on one server do not see each other."""
    one, two = await open_kv(valkey, "one"), await open_kv(valkey, "two")
    await one.put("key", b"1")
    assert (await two.get("key"), [key async for key in two.scan("")]) == (None, [])
    await one.aclose()
    await two.aclose()


async def test_server_that_is_down() -> None:
    """Opening a store whose server is down works; using it says so at once."""
    async with aclosing(await open_kv("unix:///nonexistent/valkey.sock", "x")) as kv:
        started = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            await kv.get("key")
        assert time.monotonic() - started < 1


async def test_server_that_hangs(valkey: str) -> None:
    """A frozen server costs no more than the timeout, and says what it was."""
    async with aclosing(RedisKv(valkey, "x", timeout_s=0.2)) as kv:
        await kv.ping()
        with standstill(int((await kv.raw.info("server"))["process_id"])):
            started = time.monotonic()
            with pytest.raises(StoreTimeoutError):
                await kv.get("key")
            assert time.monotonic() - started < 2
        assert await kv.get("key") is None


async def test_restarted_server(tmp_path: Path) -> None:
    """A server that was killed and runs again is asked over new connections: the first call goes well already."""
    server = tcp_valkey(tmp_path / "valkey")
    await server.start()
    kv = RedisKv(f"redis://127.0.0.1:{server.port}", "x")
    try:
        await asyncio.gather(*(kv.put(str(number), b"value") for number in range(5)))
        server.kill()
        await server.start()
        assert await asyncio.gather(*(kv.get(str(number)) for number in range(5))) == [b"value"] * 5
    finally:
        server.kill()
        await kv.aclose()


async def test_killed_server_keeps_its_data() -> None:
    """What was written a moment before the server was killed is there when it is started again."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            kv = RedisKv(url, "x")
            await kv.put_many({str(number): b"value" for number in range(500)})
            os.kill(int((await kv.raw.info("server"))["process_id"]), signal.SIGKILL)
            await kv.aclose()
        async with embedded_valkey(Path(folder)) as url:
            kv = RedisKv(url, "x")
            assert len([key async for key in kv.scan("")]) == 500
            await kv.aclose()


async def test_one_server_on_one_directory() -> None:
    """A second server on the same data is refused with a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)):
            with pytest.raises(EmbeddedError, match="already runs"):
                async with embedded_valkey(Path(folder)):
                    raise AssertionError("two servers on one directory")


async def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """A data directory that can't be made is refused with a sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="can't write"):
        async with embedded_valkey(tmp_path / "file" / "data"):
            raise AssertionError("a server without data")


async def test_long_path_of_the_socket(tmp_path: Path) -> None:
    """A data directory whose socket would have too long a name for the kernel works all the same."""
    async with embedded_valkey(tmp_path / ("x" * 120)) as url:
        kv = RedisKv(url, "x")
        assert await kv.ping() > 0
        await kv.aclose()


def every(base: type[Exception]) -> list[type[Exception]]:
    """A class of errors with all below it."""
    return [base, *(found for below in base.__subclasses__() for found in every(below))]


@pytest.mark.parametrize("foreign", [*every(redis.exceptions.RedisError), ConnectionResetError, TimeoutError, OSError])
async def test_no_foreign_error_comes_through(foreign: type[Exception]) -> None:
    """Every error of the library and of the socket below it comes out as one of ours."""
    error = foreign.__new__(foreign)
    with pytest.raises(StoreError), mapped():
        raise error
