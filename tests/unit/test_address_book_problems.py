"""What is wrong with an address book is said all at once, by key, and is never anything but a ConfigurationError."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.address_book import AddressBook, load_address_book, parse_address_book
from mesh.config.problems import ConfigurationError, Problem

PATH = Path("mesh.toml")
HERE = Path(__file__).name
"""A file that is there, for entries that need a manifest; relative to the directory of the tests."""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address book lies beside this file."""
    monkeypatch.chdir(Path(__file__).parent)


def problems(text: str, env: str | None = None) -> list[str]:
    """What a faulty address book is told."""
    with pytest.raises(ConfigurationError) as caught:
        parse_address_book(dedent(text).encode(), PATH, env)
    return str(caught.value).splitlines()


def problem(text: str) -> str:
    """The one thing that is wrong with an address book."""
    (line,) = problems(text)
    return line


def service(name: str, default: str, *rest: str) -> str:
    """An entry whose manifest there is."""
    return "\n".join([f"[services.{name}]", f'manifest = "{HERE}"', f'default = "{default}"', *rest, ""])


def test_all_at_once() -> None:
    """Every problem of a file stands in one message, a line each."""
    assert problems(
        """
        date = "x"
        [services.a]
        manifest = "no/service.toml"
        default = "7420"
        adnim = "127.0.0.1:1"
        [services.b]
        [kv]
        default = 3
        [buckets]
        default = "s3"
        [secrets]
        sources = ["vault"]
        """
    ) == [
        "mesh.toml:date: is not a known key. Did you mean 'data'?",
        "mesh.toml:services.a.adnim: is not a known key. Did you mean 'admin'?",
        "mesh.toml:services.a.manifest: names 'no/service.toml', and there is no such file.",
        "mesh.toml:services.a.default: '7420' is no address. Write HOST:PORT, such as 127.0.0.1:7420, or unix:PATH.",
        "mesh.toml:services.b.manifest: is missing. It is the path of the service's service.toml.",
        "mesh.toml:services.b.default: is missing. It is where the service listens: HOST:PORT, or unix:PATH.",
        "mesh.toml:kv.default: must be text, and is a whole number. Put it in quotes.",
        "mesh.toml:buckets.default: is no place of buckets. Write directory:PATH, s3+http://... or s3+https://...",
        "mesh.toml:secrets.sources: holds what is no source of secrets. Write environment or directory:PATH.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[service.a]", "service: is not a known key. Did you mean 'services'?"),
        ("[secrets]\nsource = []", "secrets.source: is not a known key. Did you mean 'sources'?"),
        ("[env.p.env]", "env.p.env: is not a known key."),
        ("services = 1", "services: must be a table, and is a whole number."),
        ("services.a = 1", "services.a: must be a table, and is a whole number."),
        ("data = 1", "data: must be text, and is a whole number. Put it in quotes."),
        ('kv.default = "http://h"', "kv.default: is no place of a key-value store. Write embedded, redis://..."),
        ('buckets.cold = "directory:"', "buckets.cold: is no place of buckets."),
        ('secrets.sources = ["directory:"]', "secrets.sources: holds what is no source of secrets."),
        ('ledger = "embedded"', "ledger: must be a table, and is text."),
        ('ledger.kvs = "embedded"', "ledger.kvs: is not a known key. Did you mean 'kv'?"),
        ("ledger.kv = 1", "ledger.kv: must be text, and is a whole number. Put it in quotes."),
        ('ledger.kv = "s3://h"', "ledger.kv: is no place of a key-value store. Write embedded, redis://..."),
        ("[env.p.kv]\nhot = 1", "env.p.kv.hot: must be text, and is a whole number. Put it in quotes."),
    ],
)
def test_faulty_key(text: str, expected: str) -> None:
    """A key that is unknown, or has a value that can't be, is named."""
    assert problem(text).startswith(f"mesh.toml:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", "'127.0.0.1' is no address."),
        (":7420", "':7420' is no address."),
        ("http://127.0.0.1:7420", "'http://127.0.0.1:7420' is no address."),
        ("127.0.0.1:x", "'127.0.0.1:x' is no address."),
        ("127.0.0.1:-1", "'127.0.0.1:-1' is no address."),
        ("127.0.0.1:65536", "'127.0.0.1:65536' has a port above 65535."),
        ("127.0.0.300:1", "'127.0.0.300:1' has no host."),
        ("[::g]:1", "'[::g]:1' is no address."),
        ("[1:2]:1", "'[1:2]:1' has no host."),
        ("unix:", "'unix:' names no socket."),
        ("unix:a\\u0000b", "'unix:' names no socket."),
        (f"unix:/{'a' * 107}", f"the socket '/{'a' * 107}' has a path of 108 bytes, where the system takes 107."),
        (f"unix:/{'é' * 54}", f"the socket '/{'é' * 54}' has a path of 109 bytes, where the system takes 107."),
    ],
)
def test_faulty_address(text: str, expected: str) -> None:
    """An address that can't be listened on is told why."""
    assert problem(service("a", text)).startswith(f"mesh.toml:services.a.default: {expected}")


@pytest.mark.parametrize(
    "text",
    ["localhost:0", "books.internal:80", "[::1]:65535", "0.0.0.0:7420", f"unix:/{'a' * 106}"],
)
def test_whole_address(text: str) -> None:
    """An address that can be listened on is kept as gRPC writes it, which is as it was written."""
    assert parse_address_book(service("a", text).encode(), PATH).services["a"].default.target == text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("127.0.0.1:1", "127.0.0.1:1"),
        ("127.0.0.1:1", "localhost:1"),
        ("0.0.0.0:1", "[::1]:1"),
        ("127.0.0.1:1", "127.0.0.1:0001"),
        ("unix:a.sock", "unix:./b/../a.sock"),
    ],
)
def test_same_address_twice(first: str, second: str) -> None:
    """Two that would have to listen on one address are both named."""
    line = problem(service("a", first, f'admin = "{second}"'))
    assert line.startswith("mesh.toml:services.a.admin: ")
    assert "is the address of mesh.toml:services.a.default too." in line


@pytest.mark.parametrize(("first", "second"), [("127.0.0.1:0", "127.0.0.1:0"), ("h1:80", "h2:80"), ("h:80", "h:81")])
def test_addresses_that_do_not_clash(first: str, second: str) -> None:
    """Port 0 is another port each time, and two machines may use the same port."""
    book = parse_address_book(service("a", first, f'admin = "{second}"').encode(), PATH)
    assert book.services["a"].admin is not None


STAND_IN = '[stand_ins.KEY]\nmodule = "sandbox"\naddress = "127.0.0.1:1"\nsecret = "s"\n'


def test_stand_in_on_the_port_of_a_service() -> None:
    """A stand-in listens too, so its address is looked at with the rest."""
    assert problem(service("a", "127.0.0.1:1") + STAND_IN).startswith(
        "mesh.toml:stand_ins.KEY.address: 127.0.0.1:1 is the address of mesh.toml:services.a.default too."
    )


def test_stand_in_in_production() -> None:
    """A stand-in in production is refused, whatever environment is asked for."""
    assert problem(STAND_IN.replace("[", "[env.production.")) == (
        "mesh.toml:env.production.stand_ins.KEY: stands in for a provider, which nothing may do in production. "
        "Set the secret instead."
    )


def test_incomplete_stand_in() -> None:
    """A stand-in says what runs, where, and what the secret is meanwhile."""
    assert problems("[stand_ins.KEY]") == [
        "mesh.toml:stand_ins.KEY.module: is missing. It is what `python -m` runs.",
        "mesh.toml:stand_ins.KEY.secret: is missing. It is what the secret resolves to while the stand-in runs.",
        "mesh.toml:stand_ins.KEY.address: is missing. It is where the stand-in listens: HOST:PORT.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"sandbox"', '"sand box"', "module: 'sand box' is no name of a Python module."),
        ('"127.0.0.1:1"', '"unix:s"', "address: is a socket, where a stand-in speaks HTTP over TCP. Write HOST:PORT."),
        ('"s"', '""', "secret: is empty. Give it a value, or leave the key out."),
        ("secret", "arguments = [1]\nsecret", "arguments: must be a list of texts, and holds a whole number."),
        ("secret", "vars.A = nan\nsecret", "vars.A: can't hold a number that is not finite."),
        ("secret", "port = 1\nsecret", "port: is not a known key."),
    ],
)
def test_faulty_stand_in(old: str, new: str, expected: str) -> None:
    """What is wrong with a stand-in is named by its key."""
    assert problem(STAND_IN.replace(old, new)).startswith(f"mesh.toml:stand_ins.KEY.{expected}")


def test_one_manifest_twice() -> None:
    """One manifest is one service, so two entries of one scope can't share it."""
    assert problem(service("a", "127.0.0.1:1") + service("b", "127.0.0.1:2")) == (
        "mesh.toml:services.b: has the manifest of 'a'. Keep one of the two."
    )


def test_fault_in_another_environment() -> None:
    """A fault in an environment that nobody asked for shows too, before the day it is needed."""
    assert problem('[env.staging.kv]\nhot = "x"').startswith("mesh.toml:env.staging.kv.hot: ")


def test_password_stays_unsaid() -> None:
    """No problem repeats the URL of a store or a secret, since it may have a password."""
    stores = '[kv]\na = "redos://:hunter2@h"\n[buckets]\nb = "s3:hunter2"\n[ledger]\nkv = "redos://hunter2"\n'
    text = f'{stores}[secrets]\nsources = ["vault:hunter2"]'
    assert "hunter2" not in "\n".join(problems(text))


def test_problems_of_many_files(tmp_path: Path) -> None:
    """Who reads many files gets what could be understood, and each problem once, beside those of other files."""
    (tmp_path / "mesh.toml").write_text('data = 3\nkv = { hot = "embedded" }\n[env.staging]')
    found: list[Problem] = []
    book = load_address_book(tmp_path / "mesh.toml", None, found)
    assert book is not None
    assert (dict(book.kv), len(found)) == ({"default": "embedded", "hot": "embedded"}, 1)


KEYS = st.sampled_from(
    [
        *(
            "data",
            "services",
            "kv",
            "buckets",
            "ledger",
            "secrets",
            "stand_ins",
            "env",
            "production",
            "default",
            "admin",
        ),
        *("manifest", "sources", "module", "address", "arguments", "secret", "vars", "a"),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", HERE, "127.0.0.1:1", "unix:a", "unix:\ud800", "directory:x", "\0", "x" * 5_000])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from([None, "production"]))
def test_any_document(document: dict[str, object], env: str | None) -> None:
    """Whatever stands under the known keys, a reading ends in a book or in a ConfigurationError with problems."""
    try:
        found: object = parse_address_book(json.dumps(document).encode(), Path("mesh.json"), env)
    except ConfigurationError as error:
        found = error.problems
    assert isinstance(found, AddressBook) or found
