"""`bookmesh up --separate`: three services in processes of their own, over the wire, as grpcurl and people see them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bookmesh.books.v1 import admin_service_pb2 as books_admin
from bookmesh.books.v1 import books_service_pb2 as books
from bookmesh.isbndb.v1 import admin_service_pb2 as isbndb_admin
from bookmesh.isbndb.v1 import isbndb_service_pb2 as isbndb
from bookmesh.warmer.v1 import admin_service_pb2 as warmer_admin
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer

from tests.e2e.conftest import Deployment, alive, children, command_of, eventually

GRPCURL = Path(sys.executable).with_name("grpcurl")

CONTRACTS = {
    "7410": isbndb.DESCRIPTOR.services_by_name["IsbndbService"],
    "7411": isbndb_admin.DESCRIPTOR.services_by_name["AdminService"],
    "7420": books.DESCRIPTOR.services_by_name["BooksService"],
    "7421": books_admin.DESCRIPTOR.services_by_name["AdminService"],
    "7430": warmer.DESCRIPTOR.services_by_name["WarmerService"],
    "7431": warmer_admin.DESCRIPTOR.services_by_name["AdminService"],
}

STANDARD = re.compile(r"^  Code: (\w+)$", re.MULTILINE)


@pytest.fixture
def running(deployment: Deployment) -> Iterator[tuple[Deployment, int]]:
    """The deployment, and the process that minds it."""
    with deployment.up("--separate") as process:
        yield deployment, process.pid


def grpcurl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs grpcurl to its end."""
    return subprocess.run(
        [GRPCURL, "-plaintext", "-max-time", "20", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_everything_by_grpcurl(running: tuple[Deployment, int]) -> None:
    """Grpcurl lists, describes and calls every method by reflection; each answers with a standard status."""
    deployment, _ = running
    codes, unproven = {}, set()
    shown = ("-H", f"authorization: Bearer {(deployment.data / 'operator.token').read_text().strip()}")
    for port, contract in CONTRACTS.items():
        address = deployment.address(port)
        listed = grpcurl(address, "list").stdout.split()
        assert {contract.full_name, "grpc.health.v1.Health"} <= set(listed)
        methods = grpcurl(address, "list", contract.full_name).stdout.split()
        assert methods == sorted(f"{contract.full_name}.{method.name}" for method in contract.methods)
        for method in methods:
            assert "rpc" in grpcurl(address, "describe", method).stdout
            called = grpcurl(*shown, "-d", "{}", address, method)
            if contract.name == "AdminService":
                unproven.add(STANDARD.search(grpcurl("-d", "{}", address, method).stderr)[1])  # type: ignore[index]  # see below
            codes[method] = "OK" if called.returncode == 0 else STANDARD.search(called.stderr)[1]  # type: ignore[index]  # a failure without a code is a failure of this test
    assert unproven == {"Unauthenticated"}
    assert set(codes.values()) <= {"OK", "InvalidArgument", "NotFound", "Unimplemented"}


def test_search_and_provenance(running: tuple[Deployment, int]) -> None:
    """A search over three processes is answered from the provider first, and from the cache after."""
    deployment, _ = running
    tiers = []
    for _ in range(2):
        ended = deployment.run("search", first_isbn(), "--json")
        assert ended.returncode == 0, ended.stderr
        tiers.append(json.loads(ended.stdout)["provenance"]["tier"])
    assert tiers == ["TIER_ORIGIN", "TIER_MEMORY"]


def test_dead_provider(running: tuple[Deployment, int]) -> None:
    """With the provider gone, what was searched before is answered, and all else is UNAVAILABLE."""
    deployment, pid = running
    assert deployment.run("search", first_isbn()).returncode == 0
    sandbox = next(child for child in children(pid) if "-m sandbox" in command_of(child))
    os.kill(sandbox, signal.SIGKILL)
    assert eventually(lambda: not alive(sandbox), 5)
    warm, cold = deployment.run("search", first_isbn()), deployment.run("search", "a title nobody asked for")
    assert (warm.returncode, cold.returncode, cold.stderr.split()[0]) == (0, 1, "UNAVAILABLE")


def test_a_killed_service_comes_back(running: tuple[Deployment, int]) -> None:
    """A service that is killed is started again, and answers."""
    deployment, pid = running
    books = next(child for child in children(pid) if "--only books-api-proxy" in command_of(child))
    os.kill(books, signal.SIGKILL)
    assert eventually(lambda: deployment.run("search", first_isbn()).returncode == 0, 30)


def test_nothing_is_left_behind(deployment: Deployment) -> None:
    """After a SIGTERM no process of the deployment is left."""
    with deployment.up("--separate") as process:
        started = children(process.pid)
        assert len([pid for pid in started if "--only" in command_of(pid)]) == 3
    assert eventually(lambda: not any(alive(pid) for pid in started), 5)


def first_isbn() -> str:
    """An ISBN of the sandbox's catalogue."""
    text = (Path(__file__).parents[2] / "sandbox/catalog/loc.csv").read_text()
    return str(re.findall(r"\b978\d{10}\b", text)[0])
