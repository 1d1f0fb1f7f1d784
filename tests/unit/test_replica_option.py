"""`bookmesh up --replica`: which replica a process can be, and what is said of one that it can't."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from mesh.cli import app

ROOT = Path(__file__).parents[2]
LEAF, BOOKS = "isbndb-biography-worker", "books-api-proxy"


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """The command sends logs to the stderr that it is given, which is gone after the test."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """An address book with three replicas of the leaf, and one of the books."""
    entries = {LEAF: ("isbndb", 3), BOOKS: ("books", 1)}
    lines = ['data = "data"', '[kv]\ndefault = "memory:"\n[buckets]\ndefault = "memory:"']
    for name, (package, count) in entries.items():
        lines += [f'[services.{name}]\nmanifest = "{ROOT}/services/{package}/service.toml"']
        lines += [f"{key} = {['127.0.0.1:0'] * count}" for key in ("default", "admin", "mesh")]
    path = tmp_path / "mesh.toml"
    path.write_text("\n".join(lines))
    return path


def up(book: Path, *arguments: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(app, ["up", "--book", str(book), *arguments])


@pytest.mark.parametrize("only", [[], ["--only", LEAF, "--only", BOOKS]])
def test_replica_of_what(book: Path, only: list[str]) -> None:
    """A process can't be the second replica of several services, and the message says what to do."""
    ended = up(book, *only, "--replica", "2")
    assert (ended.exit_code, ended.stderr) == (
        64,
        "--replica: says which replica of one service to run. Name that with --only.\n",
    )


@pytest.mark.parametrize(("service", "replica", "count"), [(LEAF, 4, 3), (BOOKS, 2, 1)])
def test_no_such_replica(book: Path, service: str, replica: int, count: int) -> None:
    """One more than the address book has is refused, with how many there are."""
    ended = up(book, "--only", service, "--replica", str(replica))
    assert (ended.exit_code, ended.stderr) == (
        64,
        f"--replica: {service} has no replica {replica}; the address book gives it {count}.\n",
    )


@pytest.mark.parametrize("replica", ["0", "-1", "two"])
def test_no_number(book: Path, replica: str) -> None:
    """Replicas are counted from 1; anything else is bad usage."""
    ended = up(book, "--only", LEAF, "--replica", replica)
    assert (ended.exit_code, "--replica" in ended.stderr) == (2, True)


def test_unknown_service(book: Path) -> None:
    """A service that is not there is named before its replicas are looked at."""
    ended = up(book, "--only", "nobody", "--replica", "2")
    assert (ended.exit_code, ended.stderr) == (64, "--only: no service is called nobody.\n")
