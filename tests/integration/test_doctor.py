"""The doctor over real stores, real listeners and a whole address book, each broken for real."""

import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli import app
from mesh.doctor.examine import examine
from mesh.doctor.finding import Finding
from mesh.doctor.stores import _try_bucket, _try_kv, key_value_store, object_store
from mesh.hosting.deployment import read_deployment
from mesh.hosting.embedded import embedded_valkey, running_on
from mesh.hosting.health import NOT_SERVING
from mesh.hosting.serve import serving
from mesh.stores.memory import MemoryBucket, MemoryKv
from mesh.stores.protocol import Object
from mesh.stores.redis_kv import RedisKv
from tests.ports import free_ports

ROOT = Path(__file__).parents[2]

KEYS = {"ISBNDB_API_KEY": "canary-1", "GOOGLE_BOOKS_API_KEY": "x", "GOOGLE_BOOKS_IOSKEY": "x", "ISBN_SEARCH_KEY": "x"}
"""Every secret of the project, so that none is a finding."""


def lines(findings: list[Finding]) -> list[str]:
    """Findings as tests compare them."""
    return [f"{each.severity.value} {each.check}" for each in findings]


@pytest.fixture
async def valkey() -> AsyncIterator[tuple[Path, str]]:
    """A valkey-server of this test's own: its directory and its URL."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield Path(folder), url


async def test_key_value_store_that_is_well(valkey: tuple[Path, str]) -> None:
    """A store that is well has no finding, and keeps nothing of the trial."""
    _, url = valkey
    found = await key_value_store(url, "doctor")
    store = RedisKv(url, "doctor")
    left = [key async for key in store.scan("")]
    await store.aclose()
    assert (found, left) == ([], [])


async def test_key_value_store_with_another_clock(valkey: tuple[Path, str]) -> None:
    """A server whose clock is not ours is told."""
    (found,) = await key_value_store(valkey[1], "doctor", lambda: time.time() + 30)
    assert (found.severity.value, found.check, "behind" in found.what) == ("warning", "clock", True)


@pytest.mark.parametrize(
    "url",
    ["redis://user:canary-2@127.0.0.1:{port}/0", "unix:///nowhere/canary-2.sock", "redis://:canary-2@256.0.0.1:1/0"],
)
async def test_key_value_store_that_is_not_there(url: str) -> None:
    """A store that can't be reached is an error, which tells nothing of its URL."""
    (found,) = await key_value_store(url.format(port=free_ports(1)[0]), "doctor")
    assert (found.severity.value, found.check, "canary" in found.line()) == ("error", "store", False)


async def test_key_value_store_that_wants_a_password(valkey: tuple[Path, str]) -> None:
    """A store that refuses us is an error."""
    store = RedisKv(valkey[1], "x")
    await store.raw.config_set("requirepass", "canary-3")
    await store.aclose()
    (found,) = await key_value_store(valkey[1], "doctor")
    begin = "the key-value store doctor can't be used: the key-value store failed: "
    assert (found.what.startswith(begin), "canary" in found.line()) == (True, False)


async def test_embedded_server_is_found_while_it_runs(valkey: tuple[Path, str]) -> None:
    """The embedded server's URL is known while it runs, and no other time; looking makes nothing."""
    folder, url = valkey
    with tempfile.TemporaryDirectory() as empty:
        assert (running_on(folder), running_on(Path(empty)), os.listdir(empty)) == (url, None, [])  # noqa: PTH208 - the names alone


async def test_embedded_server_that_has_ended(tmp_path: Path) -> None:
    """A server that has ended is not found, though its lock file is still there."""
    async with embedded_valkey(tmp_path):
        pass
    assert ((tmp_path / "lock").exists(), running_on(tmp_path)) == (True, None)


async def test_directory_bucket(tmp_path: Path) -> None:
    """A bucket in a directory is tried and left as it was; one that is not there yet is not made."""
    (tmp_path / "cold").mkdir()
    url = f"directory:{tmp_path}"
    found = [*await object_store(url, "cold"), *await object_store(url, "later")]
    left = [name for _, _, names in os.walk(tmp_path) for name in names]
    assert (found, left, sorted(os.listdir(tmp_path))) == ([], [], ["cold"])  # noqa: PTH208 - the names alone


async def test_directory_bucket_that_is_a_file(tmp_path: Path) -> None:
    """A file in the place of a bucket is an error."""
    (tmp_path / "cold").touch()
    assert lines(await object_store(f"directory:{tmp_path}", "cold")) == ["error store"]


async def test_object_store_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """An S3 server that can't be reached is an error, which tells no key."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-4")
    (found,) = await object_store(f"s3+http://127.0.0.1:{free_ports(1)[0]}", "cold")
    assert (found.severity.value, "canary" in found.line()) == ("error", False)


async def test_store_that_forgets() -> None:
    """A store that does not give back what was written is an error."""

    class Forgetful(MemoryKv):
        async def get(self, key: str) -> bytes | None:
            return None

    class Mixed(MemoryBucket):
        async def get(self, key: str) -> Object | None:
            await self.put(key, b"another's")
            return await super().get(key)

    found = [*await _try_kv(Forgetful(), "it"), *await _try_bucket(Mixed(), "it")]
    assert [each.what for each in found] == [
        "it was written to, and gives nothing back.",
        "it was written to, and gives something else back.",
    ]


def book(folder: Path, *ports: int, more: str = "") -> Path:
    """An address book of the project's services on these ports."""
    path = folder / "mesh.toml"
    entries = [
        f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"\n'
        f'default = "127.0.0.1:{ports[index]}"\nadmin = "127.0.0.1:{ports[index + 1]}"\n'
        for index, (name, package) in zip(
            (0, 2, 4),
            (
                ("isbndb-biography-worker", "isbndb"),
                ("books-api-proxy", "books"),
                ("personal-library-cache-warmer", "warmer"),
            ),
            strict=True,
        )
    ]
    stores = '[kv]\ndefault = "memory:"\n[buckets]\ndefault = "memory:"\n'
    path.write_text("\n".join([*entries, stores, more]))
    return path


async def test_house_that_is_not_up(tmp_path: Path) -> None:
    """A deployment that could start as it stands has nothing wrong, running or not."""
    path, environ = book(tmp_path, *free_ports(6)), KEYS
    before = await examine(path, None, environ)
    async with serving(read_deployment(path, None, environ)):
        during = await examine(path, None, environ)
    assert ([each for each in before if each.check != "version"], lines(during)[-1]) == ([], "note running")
    assert [each for each in during if each.check in {"port", "health"}] == []


async def test_house_that_is_half_up(tmp_path: Path) -> None:
    """An entrypoint that says NOT_SERVING, and one that is silent, are errors while others serve."""
    path = book(tmp_path, *free_ports(6))
    async with serving(read_deployment(path, None, KEYS)) as house:
        house.endpoints["books-api-proxy", "Default"].health.set_all(NOT_SERVING)
        await house.listeners["isbndb-biography-worker", "Admin"].stop(0)
        found = [each.what for each in await examine(path, None, KEYS) if each.check == "health"]
    assert [("isbndb-biography-worker:Admin" in what, "NOT_SERVING" in what) for what in found] == [
        (True, False),
        (False, True),
    ]


async def test_everything_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A house with many faults has a finding for each, the worst first, and no secret in any."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stores = 'warming = "redis://:canary-5@127.0.0.1:1/0"\n'
        path = book(tmp_path, taken.getsockname()[1], *free_ports(5))
        ledger = '[ledger]\nkv = "redis://:canary-7@127.0.0.1:1/0"\n'
        path.write_text(path.read_text().replace("[buckets]", f"{stores}{ledger}[buckets]"))
        data = tmp_path / "data"
        (data / "certs").mkdir(parents=True)
        (data / "certs" / "ca.pem").write_text("nonsense")
        (data / "old.pid").write_text("x")
        environ = {"BOOKMESH_DATA": str(data), "BOOKMESH_DTA": "x", "TZ": "Nowhere", "ISBNDB_API_KEY": "canary-6"}
        future = time.time() + 7200
        os.utime(path, (future, future))
        found = await examine(path, None, environ)
    assert {each for each in lines(found) if each != "error version"} == {
        "error port",
        "error certificate",
        "error store",
        "error clock",
        "warning environment",
        "warning clock",
        "warning secret",
        "warning pid-file",
    }
    assert sum("the key-value store ledger" in each.what for each in found) == 1
    assert lines(found) == sorted(lines(found), key=lambda line: ["error", "warning", "note"].index(line.split()[0]))
    assert "canary" not in "".join(each.line() for each in found)


async def test_configuration_that_is_wrong(tmp_path: Path) -> None:
    """Faults of the configuration are errors, and the rest is looked at all the same."""
    path = book(tmp_path, *free_ports(6), more="[stand_ins.NOPE]\n")
    found = lines(await examine(path, None, {"BOOKMESH_DTA": "x"}))
    assert ("error configuration" in found, "warning environment" in found) == (True, True)


async def test_book_that_is_not_there(tmp_path: Path) -> None:
    """Without an address book the doctor says so, and still looks at what needs none."""
    found = await examine(tmp_path / "mesh.toml", None, {"BOOKMESH_DTA": "x"})
    assert [each for each in lines(found) if each != "error version"] == [
        "error configuration",
        "warning environment",
    ]


async def test_check_that_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that breaks is a finding, and keeps no other from being made."""

    def broken(_: object) -> list[Finding]:
        raise ZeroDivisionError("canary-7")

    monkeypatch.setattr("mesh.doctor.settings.unknown_variables", broken)
    found = await examine(book(tmp_path, *free_ports(6)), None, {"TZ": "Nowhere"})
    assert {"error doctor", "warning clock", "warning secret"} <= set(lines(found))
    assert "canary" not in "".join(each.line() for each in found)


@contextmanager
def environment(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> Iterator[None]:
    """The environment of a command, for a while."""
    with monkeypatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BOOKMESH_")]:
            patch.delenv(name)
        for name, value in values.items():
            patch.setenv(name, value)
        yield


@pytest.mark.parametrize(("more", "status"), [("", 0), ("[stand_ins.NOPE]\n", 1)])
def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, status: int) -> None:
    """The command ends with 1 where something is an error, and prints a line for each finding, or JSON alone."""
    path = book(tmp_path, *free_ports(6), more=more)
    with environment(monkeypatch, {"BOOKMESH_DTA": "x"}):
        monkeypatch.setattr("mesh.doctor.first_aid.pins", list)
        said = CliRunner().invoke(app, ["doctor", "--book", str(path)])
        data = CliRunner().invoke(app, ["doctor", "--book", str(path), "--json"])
    findings = json.loads(data.stdout)["findings"]
    line = "warning  environment   BOOKMESH_DTA is set, and nothing reads it. Did you mean 'BOOKMESH_DATA'?"
    assert (said.exit_code, data.exit_code, line in said.stdout.splitlines()) == (status, status, True)
    assert (len(findings), data.stderr) == (len(said.stdout.splitlines()), "")
    assert "warning" in said.stderr


def test_low_limit_of_open_files(tmp_path: Path) -> None:
    """A process that may open few files is told so, by a limit that is really low."""
    path = book(tmp_path, *free_ports(6))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    ended = subprocess.run(
        [sys.executable, "-m", "mesh.cli", "doctor", "--book", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard)),
    )
    assert "a process may open 200 files here" in ended.stdout


async def test_trials_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that never answers is an error when its time is over."""
    monkeypatch.setattr("mesh.doctor.stores.LIMIT_S", 0.1)

    async def hang(*_: object) -> MemoryKv:
        await asyncio.sleep(30)
        return MemoryKv()

    monkeypatch.setattr("mesh.doctor.stores.open_kv", hang)
    assert lines(await key_value_store("redis://x", "doctor")) == ["error store"]
