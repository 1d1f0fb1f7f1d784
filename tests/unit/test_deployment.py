"""What is read before anything is opened: stand-ins, vars, and every problem at once."""

from pathlib import Path

import pytest

from mesh.config.problems import ConfigurationError
from mesh.hosting.deployment import Deployment, read_deployment
from mesh.hosting.up import providers

ROOT = Path(__file__).parents[2]

BOOK = ROOT / "mesh.toml"


def test_without_a_key_the_sandbox_stands_in() -> None:
    """While the key is unset its stand-in is in force, gives the secret and the vars, and is told."""
    deployment = read_deployment(BOOK, None, {})
    secret = deployment.secrets.get("ISBNDB_API_KEY")
    assert ([stand_in.module for stand_in in deployment.stand_ins], deployment.variables["ISBNDB_PLAN"]) == (
        ["sandbox"],
        "enterprise",
    )
    assert secret is not None
    assert providers(deployment)["stand_ins"] == ["ISBNDB_API_KEY"]


def test_with_a_key_nothing_stands_in() -> None:
    """With the key set no stand-in runs, and the environment's own vars hold."""
    deployment = read_deployment(BOOK, None, {"ISBNDB_API_KEY": "canary", "ISBNDB_PLAN": "premium"})
    assert (deployment.stand_ins, deployment.variables, providers(deployment)["real"]) == (
        (),
        {"ISBNDB_PLAN": "premium"},
        ["ISBNDB_API_KEY"],
    )


@pytest.mark.parametrize(("live", "count"), [("1", 0), ("0", 1), ("", 1)])
def test_live_does_without_stand_ins(live: str, count: int) -> None:
    """LIVE lets nothing take a provider's place: what has no key is done without."""
    deployment = read_deployment(BOOK, None, {"LIVE": live})
    assert len(deployment.stand_ins) == count
    assert (deployment.secrets.get("ISBNDB_API_KEY") is None) == (not count)


def test_production_knows_no_stand_ins() -> None:
    """In production nothing stands in, key or not, and the leaf goes by its name there."""
    deployment = read_deployment(BOOK, "production", {})
    assert (deployment.stand_ins, "isbndb-biography-worker-production" in deployment.workers) == ((), True)


def test_the_leaf_starts_first() -> None:
    """Services start leaves first, so that a binding finds its target running."""
    names = [worker.manifest.name for worker in read_deployment(BOOK, None, {}).start_order()]
    assert names == ["isbndb-biography-worker", "books-api-proxy", "personal-library-cache-warmer"]


def deployment_of(folder: Path, ledger: str) -> Deployment:
    """The leaf alone, which has no store, with such a ledger."""
    book = folder / "mesh.toml"
    entry = f'[services.isbndb-biography-worker]\nmanifest = "{ROOT}/services/isbndb/service.toml"\n'
    book.write_text(f'{entry}default = "127.0.0.1:0"\n{ledger}')
    return read_deployment(book, None, {"BOOKMESH_EMBEDDED_KV": "unix:///there.sock"})


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        ("", ("", False)),
        ('[ledger]\nkv = "embedded"', ("unix:///there.sock", True)),
        ('[ledger]\nkv = "redis://h/0"', ("redis://h/0", False)),
    ],
)
def test_ledger(tmp_path: Path, ledger: str, expected: tuple[str, bool]) -> None:
    """The embedded server runs for the ledger too, though no manifest names a store."""
    deployment = deployment_of(tmp_path, ledger)
    assert expected == (deployment.ledger_url(), deployment.needs_embedded_kv())


def test_no_secret_in_what_is_told() -> None:
    """Neither the deployment nor what a start says of it tells a secret."""
    deployment = read_deployment(BOOK, None, {"ISBNDB_API_KEY": "canary-4711"})
    assert "canary-4711" not in f"{deployment!r} {providers(deployment)}"


def test_every_problem_at_once(tmp_path: Path) -> None:
    """Faults of the address book and of a manifest are told together."""
    manifest = tmp_path / "service.toml"
    manifest.write_text('name = "x"\nmain = "nowhere.to.be.found"\nservcies = []\n')
    book = tmp_path / "mesh.toml"
    book.write_text('[services.x]\nmanifest = "service.toml"\ndefault = "nonsense"\namdin = "127.0.0.1:1"\n')
    with pytest.raises(ConfigurationError) as caught:
        read_deployment(book, None, {})
    said = str(caught.value)
    assert ["servcies" in said, "amdin" in said, "nonsense" in said] == [True, True, True]


def test_module_that_is_not_there(tmp_path: Path) -> None:
    """A manifest whose module can't be found is a problem, and no stack."""
    manifest = tmp_path / "service.toml"
    manifest.write_text('name = "x"\nmain = "nowhere.to.be.found"\n')
    book = tmp_path / "mesh.toml"
    book.write_text('[services.x]\nmanifest = "service.toml"\ndefault = "127.0.0.1:0"\n[kv]\ndefault = "memory:"\n')
    with pytest.raises(ConfigurationError, match="there is no module"):
        read_deployment(book, None, {})
