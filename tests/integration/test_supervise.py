"""All replicas of a deployment, run by one that minds them."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from mesh import company
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.notify import VARIABLE, ears
from mesh.hosting.patient_loop import PatientLoop
from mesh.hosting.processes import supervise
from mesh.hosting.serve import serve
from tests.alone import ISBNDB_ALONE
from tests.integration.test_serving import made
from tests.tiny_replicas import line, story, until

ROOT = Path(__file__).parents[2]

COMPANY = """
import os, pathlib, sys, time
from mesh.company import joined
company, role = joined(os.environ), sys.argv[1]
while True:
    if role == "books-api-proxy":
        company.meet()
    elif company.is_there:
        pathlib.Path(sys.argv[2], role).touch()
    time.sleep(0.01)
"""


def deployment(folder: Path) -> Deployment:
    """The project's services, the leaf and the books twice; nothing of it is opened."""
    entries = []
    for name, package, count in (
        ("isbndb-biography-worker", "isbndb", 2),
        ("books-api-proxy", "books", 2),
        ("personal-library-cache-warmer", "warmer", 1),
    ):
        entries += [f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"']
        entries += [f"{key} = {['127.0.0.1:0'] * count}" for key in ("default", "admin", "mesh")]
    book = folder / "mesh.toml"
    book.write_text("\n".join([*entries, "[drain]", "settle_s = 0"]))
    return read_deployment(book, None, {"ISBNDB_API_KEY": "canary-key", **ISBNDB_ALONE})


async def test_supervise(tmp_path: Path) -> None:
    """Every replica runs, SIGHUP restarts each in turn, and on SIGTERM those that call end before those they call."""
    found = deployment(tmp_path)

    def fake(_: Deployment, service: str, replica: int) -> list[str]:
        return line(f"{service[0]}{replica}", tmp_path)

    async with ears(1) as (ear,):
        task = asyncio.create_task(supervise(found, {VARIABLE: str(ear.path)}, line=fake))
        await until(ear.ready.is_set)
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: story(tmp_path).count("serves p1") == 2)
        await until(ear.ready.is_set)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            await task
    ends = [each for each in story(tmp_path) if each.startswith("ends")]
    turns = ["ends i1", "ends i2", "ends b1", "ends b2", "ends p1"]
    assert ends == turns + turns[::-1]


async def test_supervise_some(tmp_path: Path) -> None:
    """With --only, the replicas of that service run alone."""
    found = deployment(tmp_path)

    def fake(_: Deployment, service: str, replica: int) -> list[str]:
        return line(f"{service[0]}{replica}", tmp_path)

    async with ears(1) as (ear,):
        task = asyncio.create_task(supervise(found, {VARIABLE: str(ear.path)}, ["books-api-proxy"], fake))
        await until(ear.ready.is_set)
        os.kill(os.getpid(), signal.SIGINT)
        await task
    assert sorted(each for each in story(tmp_path) if each.startswith("serves")) == ["serves b1", "serves b2"]


async def test_what_is_supervised_shares_company(tmp_path: Path) -> None:
    """Calls of people that come to one service are known to all others, in whichever process they run."""
    found = deployment(tmp_path)

    def fake(_: Deployment, service: str, __: int) -> list[str]:
        return [sys.executable, "-c", COMPANY, service, str(tmp_path)]

    task = asyncio.create_task(supervise(found, {"PATH": os.environ["PATH"]}, line=fake))
    others = [tmp_path / name for name in ("isbndb-biography-worker", "personal-library-cache-warmer")]
    await until(lambda: all(path.exists() for path in others))
    os.kill(os.getpid(), signal.SIGTERM)
    await task


def test_what_serves_heeds_company_elsewhere(tmp_path: Path) -> None:
    """The loop of a process that serves lets batch work rest while people call another that shares its memory."""

    async def served(memory: int) -> list[bool]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PatientLoop)
        environ = {company.VARIABLE: str(memory)}
        async with ears(1) as (ear,):
            task = loop.create_task(serve(made(tmp_path), {VARIABLE: str(ear.path), **environ}))
            await until(ear.ready.is_set)
            seen = [loop.company.is_there]
            company.joined(environ).meet()
            seen.append(loop.company.is_there)
            os.kill(os.getpid(), signal.SIGTERM)
            await task
        return seen

    with company.shared() as memory, asyncio.Runner(loop_factory=PatientLoop) as runner:
        assert runner.run(served(memory)) == [False, True]
