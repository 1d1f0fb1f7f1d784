"""The address book says where services, stores and secrets are, for each environment."""

from pathlib import Path
from textwrap import dedent

import pytest

from mesh.config.address import Address
from mesh.config.address_book import AddressBook, ServiceAddress, StandIn, parse_address_book, read_address_book

BOTH = """
    [services.a]
    manifest = "a/service.toml"
    default = "127.0.0.1:1001"
    admin = "127.0.0.1:1002"

    [services.b]
    manifest = "b/service.toml"
    default = "unix:.bookmesh/b.sock"
    """


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with two manifests."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "service.toml").touch()
    return tmp_path


def parse(home: Path, text: str, env: str | None = None, *, data: Path | None = None) -> AddressBook:
    """An address book in a directory with two manifests."""
    return parse_address_book(dedent(text).encode(), home / "mesh.toml", env, data=data)


def test_services(home: Path) -> None:
    """Each service has its manifest and the addresses of its entrypoints, a socket with an absolute path."""
    assert parse(home, BOTH).services == {
        "a": ServiceAddress(
            name="a",
            manifest=home / "a/service.toml",
            default=Address("tcp", "127.0.0.1:1001"),
            admin=Address("tcp", "127.0.0.1:1002"),
            public=False,
            where=f"{home}/mesh.toml:services.a",
        ),
        "b": ServiceAddress(
            name="b",
            manifest=home / "b/service.toml",
            default=Address("unix", f"unix:{home}/.bookmesh/b.sock"),
            admin=None,
            public=False,
            where=f"{home}/mesh.toml:services.b",
        ),
    }


def test_empty_book(home: Path) -> None:
    """A book that says nothing has embedded stores and the environment's secrets."""
    book = parse(home, "")
    assert (book.data, book.kv_url("any"), book.bucket_url("any"), book.secret_sources, book.stand_ins) == (
        home / ".bookmesh",
        "embedded",
        f"directory:{home}/.bookmesh/buckets",
        ("environment",),
        (),
    )


def test_read(home: Path) -> None:
    """A file is read like its bytes are."""
    (home / "mesh.toml").write_text(dedent(BOTH))
    assert read_address_book(home / "mesh.toml") == parse(home, BOTH)


def test_relative_manifests_stay_relative(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest is named as people would name it from where they are, since problems name it."""
    monkeypatch.chdir(home)
    book = parse_address_book(dedent(BOTH).encode(), Path("mesh.toml"))
    assert str(book.services["a"].manifest) == "a/service.toml"


@pytest.mark.parametrize(
    ("identity", "url"), [("hot", "redis://127.0.0.1:6379/0"), ("other", "unix:///run/valkey.sock")]
)
def test_kv_url(home: Path, identity: str, url: str) -> None:
    """A store that is named is where it says; any other is where the default is."""
    book = parse(home, '[kv]\nhot = "redis://127.0.0.1:6379/0"\ndefault = "unix:///run/valkey.sock"')
    assert book.kv_url(identity) == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("[ledger]", ""),
        ('[ledger]\nkv = "embedded"', "embedded"),
        ('ledger.kv = "redis://:p@h/0"', "redis://:p@h/0"),
        ('[ledger]\nkv = "embedded"\n[env.staging.ledger]\nkv = "redis://s/0"', "redis://s/0"),
        ('[ledger]\nkv = "embedded"\n[env.staging.ledger]', "embedded"),
    ],
)
def test_ledger(home: Path, text: str, url: str) -> None:
    """All processes count where the book says, an environment's word before the top's; else each for itself."""
    assert parse(home, text, "staging").ledger == url


@pytest.mark.parametrize(("name", "url"), [("cold", "s3+http://127.0.0.1:8333"), ("other", "directory:/var/buckets")])
def test_bucket_url(home: Path, name: str, url: str) -> None:
    """A bucket that is named is where it says; any other is where the default is."""
    book = parse(home, '[buckets]\ncold = "s3+http://127.0.0.1:8333"\ndefault = "directory:/var/buckets"')
    assert book.bucket_url(name) == url


@pytest.mark.parametrize("url", ["embedded", "memory:", "redis://:p@h/0", "rediss://h:1/2", "unix:///a.sock?db=1"])
def test_kv_kinds(home: Path, url: str) -> None:
    """Each kind of key-value store that there is an adapter for is kept as it was written."""
    assert parse(home, f'kv.default = "{url}"').kv_url("any") == url


@pytest.mark.parametrize("url", ["memory:", "s3+http://127.0.0.1:8333", "s3+https://h", "directory:/var/buckets"])
def test_bucket_kinds(home: Path, url: str) -> None:
    """Each kind of object store that there is an adapter for is kept as it was written."""
    assert parse(home, f'buckets.default = "{url}"').bucket_url("any") == url


def test_secret_sources(home: Path) -> None:
    """Secrets are looked for in the order that is written, a directory by its absolute path."""
    book = parse(home, '[secrets]\nsources = ["directory:secrets", "environment"]')
    assert book.secret_sources == (f"directory:{home}/secrets", "environment")


def test_data_elsewhere(home: Path) -> None:
    """Data that is put elsewhere takes along what the file puts below it, and nothing else."""
    text = 'buckets = { default = "directory:.bookmesh/buckets", cold = "directory:cold" }\n' + dedent(BOTH)
    book = parse(home, text, data=Path("/elsewhere"))
    assert (book.data, book.bucket_url("hot"), book.bucket_url("cold"), book.services["b"].default.target) == (
        Path("/elsewhere"),
        "directory:/elsewhere/buckets",
        f"directory:{home}/cold",
        "unix:/elsewhere/b.sock",
    )


STAND_IN = """
    [stand_ins.KEY]
    module = "sandbox.server"
    address = "127.0.0.1:7490"
    arguments = ["--plan", "basic"]
    secret = "canary"
    vars = { URL = "http://127.0.0.1:7490", LIMIT = 3 }
    """


def test_stand_in(home: Path) -> None:
    """A stand-in says what runs, where, and what the secret and the vars are meanwhile."""
    assert parse(home, STAND_IN).stand_ins == (
        StandIn(
            secret_name="KEY",
            module="sandbox.server",
            address=Address("tcp", "127.0.0.1:7490"),
            arguments=("--plan", "basic"),
            secret="canary",
            vars={"URL": "http://127.0.0.1:7490", "LIMIT": 3},
            where=f"{home}/mesh.toml:stand_ins.KEY",
        ),
    )


@pytest.mark.parametrize(("env", "count"), [(None, 1), ("staging", 1), ("production", 0)])
def test_no_stand_in_in_production(home: Path, env: str | None, count: int) -> None:
    """Stand-ins of the top hold in every environment but production."""
    text = f"{dedent(STAND_IN)}[env.staging]\n[env.production]\n"
    assert len(parse(home, text, env).stand_ins) == count


def test_no_stand_in_in_production_that_the_book_has_not(home: Path) -> None:
    """Production has no stand-ins, even where only the manifests know of production."""
    assert parse(home, STAND_IN, "production").stand_ins == ()


def test_environment_overrides_key_by_key(home: Path) -> None:
    """What an environment says of a service goes before what the top says; the rest stays."""
    text = dedent(BOTH) + '[env.staging.services.a]\ndefault = "10.0.0.1:80"'
    service = parse(home, text, "staging").services["a"]
    assert (service.default.target, service.admin, service.manifest) == (
        "10.0.0.1:80",
        Address("tcp", "127.0.0.1:1002"),
        home / "a/service.toml",
    )


def test_environment_overrides_the_rest(home: Path) -> None:
    """Stores go by name; data, sources and a stand-in's keys go one by one."""
    text = f"""
        data = "here"
        kv = {{ hot = "redis://h/0", cold = "redis://c/0" }}
        secrets = {{ sources = ["environment"] }}
        {STAND_IN}
        [env.staging]
        data = "there"
        kv = {{ hot = "redis://s/0" }}
        secrets = {{ sources = [] }}
        stand_ins = {{ KEY = {{ secret = "other", vars = {{ LIMIT = 9 }} }} }}
        """
    book = parse(home, text, "staging")
    (stand_in,) = book.stand_ins
    assert (book.data, book.kv_url("hot"), book.kv_url("cold"), book.secret_sources, stand_in.secret) == (
        home / "there",
        "redis://s/0",
        "redis://c/0",
        (),
        "other",
    )
    assert stand_in.vars == {"URL": "http://127.0.0.1:7490", "LIMIT": 9}


def test_environment_renames_a_service(home: Path) -> None:
    """An environment's entry for a manifest takes the place of the top's entry of another name, its port too."""
    text = dedent(BOTH) + '[env.production.services.a-prod]\nmanifest = "./a/service.toml"\ndefault = "127.0.0.1:1001"'
    assert set(parse(home, text, "production").services) == {"a-prod", "b"}


def test_environment_that_is_not_there(home: Path) -> None:
    """A book without the environment asked for is read as it stands, and says so."""
    book = parse(home, BOTH + '[env.staging]\ndata = "there"', "test")
    assert (book.environment, book.environments, book.data) == (None, ("staging",), home / ".bookmesh")


def test_silent_repr(home: Path) -> None:
    """What may be secret in a book is not in its repr: passwords of stores, and what a stand-in's secret is."""
    stores = 'kv = { hot = "redis://:hunter2@h/0" }\nbuckets = { b = "s3+http://hunter2.h" }\n'
    text = f'ledger.kv = "redis://:hunter2@l/0"\n{stores}{dedent(STAND_IN)}'
    shown = repr(parse(home, text))
    assert [word for word in ("hunter2", "canary") if word in shown] == []
