"""`bookmesh check` refuses every graph that may not be, and draws it all the same."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner, Result

from mesh.cli import app

ROOT = Path(__file__).parents[2]

CODE = """
from dataclasses import dataclass
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub

@dataclass(frozen=True)
class Env:
    {fields}

class Default(IsbndbServiceServicer):
    pass
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory whose modules can be imported while the test runs."""
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith("checked_"):
            del sys.modules[name]


def service(home: Path, name: str, *targets: str, fields: int | None = None, more: str = "") -> None:
    """Writes a service whose Env has a field for each binding, or for fewer; "b:Admin" names an entrypoint."""
    entries = ""
    for index, target in enumerate(targets):
        callee, _, entrypoint = target.partition(":")
        entries += f'[[services]]\nbinding = "B{index}"\nservice = "{callee}"\n'
        entries += f'entrypoint = "{entrypoint}"\n' if entrypoint else ""
    count = len(targets) if fields is None else fields
    module = f"checked_{home.name}_{name}".replace("-", "_")
    (home / f"{name}.toml").write_text(f'name = "{name}"\nmain = "{module}"\n{entries}{more}')
    lines = "; ".join(f"B{index}: IsbndbServiceStub" for index in range(count)) or "pass"
    (home / f"{module}.py").write_text(CODE.format(fields=lines))
    with (home / "mesh.toml").open("a") as book:
        book.write(f'[services.{name}]\nmanifest = "{name}.toml"\ndefault = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\n')


def check(home: Path, *arguments: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(app, ["check", "--book", str(home / "mesh.toml"), *arguments])


def test_whole(home: Path) -> None:
    """A graph that may be is drawn under the matrix, with status 0."""
    service(home, "a", "b")
    service(home, "b", more="[mesh]\nleaf = true")
    ended = check(home)
    assert (ended.exit_code, ended.stderr, ended.stdout) == (
        0,
        "",
        dedent(
            """\
            SERVICE  BINDING  KIND     TARGET  ENTRYPOINT
            a        B0       service  b       Default
            b        (none)   none

            a
            └─ B0 ─> b (leaf)
            """
        ),
    )


def test_circle(home: Path) -> None:
    """Services that bind in a circle are refused, and the circle is drawn."""
    service(home, "a", "b")
    service(home, "b", "a")
    ended = check(home)
    assert (ended.exit_code, "bind in a circle: a -> b -> a." in ended.stderr) == (64, True)
    assert "   └─ B0 ─> a (see above)" in ended.stdout


def test_chain_that_is_too_deep(home: Path) -> None:
    """A fourth service in a chain is refused."""
    for name, targets in {"a": "b", "b": "c", "c": "d"}.items():
        service(home, name, targets)
    service(home, "d")
    ended = check(home)
    assert (ended.exit_code, "a chain of 4 services, where 3 are allowed: a -> b -> c -> d." in ended.stderr) == (
        64,
        True,
    )


def test_leaf_that_binds(home: Path) -> None:
    """A service that is declared a leaf can't bind to another."""
    service(home, "a", "b", more="[mesh]\nleaf = true")
    service(home, "b")
    ended = check(home)
    assert (ended.exit_code, "'a' is declared a leaf, and binds to services: B0." in ended.stderr) == (64, True)


def test_leaf_that_binds_in_an_environment(home: Path) -> None:
    """A leaf can't bind in the environment that is asked for, either."""
    more = '[mesh]\nleaf = true\n[env.production]\nservices = [{ binding = "B0", service = "b" }]\n'
    service(home, "a", fields=0, more=more)
    service(home, "b")
    assert [check(home).exit_code, check(home, "--env", "production").exit_code] == [0, 64]


@pytest.mark.parametrize(
    ("entrypoint", "said"),
    [
        ("Admin", "b has no entrypoint called Admin."),
        ("Batch", "'Batch' is no entrypoint that has an address."),
        ("Defualt", "'Defualt' is no entrypoint that has an address."),
    ],
)
def test_unknown_entrypoint(home: Path, entrypoint: str, said: str) -> None:
    """A binding to an entrypoint that the callee has not is refused, be it in the manifests or in the code."""
    service(home, "a", f"b:{entrypoint}")
    service(home, "b")
    ended = check(home)
    assert (ended.exit_code, said in ended.stderr) == (64, True)


def test_binding_that_env_does_not_use(home: Path) -> None:
    """A binding that is declared and has no field in Env is refused."""
    service(home, "a", "b", fields=0)
    service(home, "b")
    ended = check(home)
    assert (ended.exit_code, "B0: is declared, but" in ended.stderr) == (64, True)


def test_graph_alone(home: Path) -> None:
    """--graph prints Mermaid and nothing else on stdout, also of a graph that is refused."""
    service(home, "a", "b")
    service(home, "b", "a")
    ended = check(home, "--graph")
    assert (ended.exit_code, ended.stdout) == (
        64,
        'flowchart TD\n  n0["a"]\n  n1["b"]\n  n0 -- "B0" --> n1\n  n1 -- "B0" --> n0\n',
    )


def test_graph_as_data(home: Path) -> None:
    """--json has the graph beside the bindings and the problems."""
    service(home, "a", "b")
    service(home, "b")
    report = json.loads(check(home, "--json").stdout)
    assert (report["graph"]["nodes"][0], [edge["target"] for edge in report["graph"]["edges"]]) == (
        {"name": "a", "kind": "service"},
        ["b"],
    )
