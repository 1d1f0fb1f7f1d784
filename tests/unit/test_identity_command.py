"""`bookmesh certs`, as a person runs it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mesh.cli import app
from mesh.identity.credentials import Credentials

BOOK = """
data = "data"
[services.books]
manifest = "books.toml"
default = "127.0.0.1:0"
[services.leaf]
manifest = "leaf.toml"
default = "127.0.0.1:0"
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """An address book of two services."""
    for name in ("books", "leaf"):
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\nmain = "x"\n')
    path = tmp_path / "mesh.toml"
    path.write_text(BOOK)
    return path


def certs(book: Path, *arguments: str) -> Result:
    """What the command prints, and its status."""
    return CliRunner(env={"BOOKMESH_DATA": ""}).invoke(app, ["certs", "--book", str(book), *arguments])


def told(result: Result) -> list[tuple[str, str]]:
    """Of each line, what became of a certificate and whose it is."""
    rows = [line.split() for line in result.stdout.splitlines()]
    return [(row[0], row[1].removeprefix("spiffe://bookmesh.local/")) for row in rows]


def test_first_and_second(book: Path) -> None:
    """It makes one for each service and for the operator, then tells that it keeps them; --renew makes all anew."""
    names = ["service/books", "service/leaf", "operator/operator"]
    results = [certs(book), certs(book), certs(book, "--renew")]
    assert [told(each) for each in results] == [[(state, name) for name in names] for state in ("made", "kept", "made")]
    assert [each.exit_code for each in results] == [0, 0, 0]
    for name in ("books", "leaf", "operator"):
        Credentials(book.parent / "data" / "certs", name)


def test_each_line(book: Path) -> None:
    """A line has the ID, the end and the file, and never a key."""
    result = certs(book)
    files = [book.parent / "data" / "certs" / f"{name}.pem" for name in ("books", "leaf", "operator")]
    assert [
        (str(path) in line, " until 20" in line) for path, line in zip(files, result.stdout.splitlines(), strict=True)
    ] == [(True, True)] * 3
    keys = {line for path in files for line in path.read_text().split("PRIVATE KEY")[1].splitlines() if line.strip("-")}
    assert [key for key in keys if key in result.output] == []


def test_operators_and_place(book: Path, tmp_path: Path) -> None:
    """Operators go by names of their own, and the files where one says."""
    result = certs(book, "--operator", "ada", "--operator", "bob", "--dir", str(tmp_path / "there"))
    assert [name for _, name in told(result)] == ["service/books", "service/leaf", "operator/ada", "operator/bob"]
    assert (tmp_path / "there" / "ada.pem").is_file()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["books", "ca", "../ada"])
def test_a_name_that_no_operator_can_have(book: Path, name: str) -> None:
    """The name of a service, of the authority or of a place elsewhere is refused with a sentence; nothing is made."""
    result = certs(book, "--operator", name)
    assert (result.exit_code, repr(name) in result.stderr, result.stdout) == (64, True, "")
    assert not (book.parent / "data").exists()


def test_an_authority_of_somebody_else(book: Path) -> None:
    """An authority without its key stays, and a sentence says whose business it is."""
    certs(book)
    folder = book.parent / "data" / "certs"
    (folder / "ca.key").unlink()
    before = (folder / "ca.pem").read_bytes()
    results = [certs(book), certs(book, "--renew")]
    assert [(each.exit_code, "its owner has to make the certificates" in each.stderr) for each in results] == [
        (64, True)
    ] * 2
    assert (folder / "ca.pem").read_bytes() == before
