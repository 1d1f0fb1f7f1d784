"""Each kind of store on the real thing behind it: a valkey-server, a directory, an S3 server; and the fakes beside."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesh.hosting.embedded import embedded_valkey
from mesh.stores.directory_bucket import DirectoryBucket
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.stores.protocol import Bucket, Kv
from mesh.stores.redis_kv import RedisKv
from mesh.stores.s3_bucket import S3Bucket
from tests.ports import free_ports

CREDENTIALS = ("contract-tests", "contract-tests-secret")


@dataclass(frozen=True)
class S3Server:
    """A running S3 server."""

    endpoint: str
    pid: int


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """SeaweedFS with real signatures, on a temporary directory."""
    weed = Path(sys.executable).with_name("weed")
    with tempfile.TemporaryDirectory() as folder:
        s3, master, volume, filer, admin = free_ports(5)
        ports = {"s3.port": s3, "master.port": master, "volume.port": volume, "filer.port": filer, "admin.port": admin}
        command = [str(weed), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=contract"]
        command += [f"-{name}={port}" for name, port in ports.items()]
        command += ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        environ = {**os.environ, "AWS_ACCESS_KEY_ID": CREDENTIALS[0], "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1]}
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{s3}/healthz")
            yield S3Server(f"http://127.0.0.1:{s3}", process.pid)
        finally:
            process.kill()
            process.wait(10)


def wait_for(url: str) -> None:
    """Waits until a server answers."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - a server of this test, on loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError(url)


@pytest.fixture
async def valkey() -> AsyncIterator[str]:
    """The URL of a valkey-server of this test's own."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url


@pytest.fixture(params=["memory", "valkey"])
async def kv(request: pytest.FixtureRequest) -> AsyncIterator[Kv]:
    """A key-value store of each kind."""
    if request.param == "memory":
        yield MemoryKv()
        return
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            store = RedisKv(url, "contract[*]?")
            yield store
            await store.aclose()


@pytest.fixture(params=["memory", "directory", "s3"])
async def bucket(request: pytest.FixtureRequest) -> AsyncIterator[Bucket]:
    """A bucket of each kind, empty."""
    if request.param == "memory":
        yield MemoryBucket()
    elif request.param == "directory":
        with tempfile.TemporaryDirectory() as folder:
            yield DirectoryBucket(Path(folder) / "bucket")
    else:
        store = S3Bucket(request.getfixturevalue("s3_server").endpoint, "contract", credentials=CREDENTIALS)
        await _ready(store)
        yield store
        for key in [info.key async for info in store.list()]:
            await store.delete(key)
        await store.aclose()


async def _ready(store: S3Bucket) -> None:
    """The server is up before its first bucket is."""
    for _ in range(100):
        try:
            await store.put("first", b"")
            await store.delete("first")
        except Exception:  # noqa: BLE001 - whatever it says, it is not ready
            await asyncio.sleep(0.05)
        else:
            return
    raise TimeoutError("the S3 server has no bucket")
