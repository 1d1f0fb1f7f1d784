"""[tls] and `mesh` in an address book, and what must not be served in plain text or called where nobody is."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from mesh.config.address import is_here
from mesh.config.address_book import AddressBook, parse_address_book
from mesh.config.manifest import Manifest, parse_manifest
from mesh.config.problems import ConfigurationError
from mesh.config.topology import check, unreachable

Parse = Callable[..., AddressBook]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    """Reads an address book in a directory with two manifests."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("")

    def read(text: str, env: str | None = None) -> AddressBook:
        return parse_address_book(dedent(text).encode(), tmp_path / "mesh.toml", env)

    return read


def service(name: str, *lines: str) -> str:
    """An entry of an address book."""
    return "\n".join([f"[services.{name}]", f'manifest = "{name}.toml"', *lines, ""])


def manifest(name: str, *targets: str) -> Manifest:
    """A manifest that binds to others."""
    entries = [f'[[services]]\nbinding = "B{number}"\nservice = "{target}"' for number, target in enumerate(targets)]
    return parse_manifest("\n".join([f'name = "{name}"', 'main = "m"', *entries]).encode(), Path(f"{name}.toml"))


def faults(read: Callable[[], AddressBook]) -> list[str]:
    """What is wrong, without where the file lies."""
    with pytest.raises(ConfigurationError) as caught:
        read()
    return [f"{problem.where.rpartition('/')[2]}: {problem.what}" for problem in caught.value.problems]


def test_defaults(parse: Parse) -> None:
    """Who says nothing has certificates made below `data`, and people are served in plain text; production differs."""
    found, production = parse("").tls, parse("[env.production]", "production").tls
    assert (found.certificates.parts[-2:], found.trust_domain) == ((".bookmesh", "certs"), "bookmesh.local")
    assert (found.made_here, found.people) == (True, False)
    assert (production.made_here, production.people) == (False, True)


def test_said(parse: Parse) -> None:
    """A directory of one's own is used as it is, and nothing is made in it."""
    found = parse('[tls]\ncertificates = "/etc/certs"\ntrust_domain = "books.example.org"\npeople = true').tls
    assert (found.certificates, found.trust_domain, found.made_here, found.people) == (
        Path("/etc/certs"),
        "books.example.org",
        False,
        True,
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[tls]\ntrust_domain = "A/b"', "mesh.toml:tls.trust_domain: 'A/b' is no trust domain."),
        ("[tls]\npeople = 1", "mesh.toml:tls.people: "),
        ("[tls]\ncertificate = 1", "mesh.toml:tls.certificate: "),
        ("[env.production.tls]\npeople = false", "mesh.toml:env.production.tls.people: can't be false in production"),
    ],
)
def test_faults(parse: Parse, text: str, fault: str) -> None:
    """What makes no sense is told where it stands."""
    found = faults(lambda: parse(text, "production" if "production" in text else None))
    assert [line.startswith(fault) for line in found] == [True], found


def test_mesh_addresses(parse: Parse) -> None:
    """`mesh` is one address, or one for each replica; another number is told, and so is one that is taken."""
    one = parse(service("a", 'default = "127.0.0.1:1"', 'mesh = "127.0.0.1:2"')).services["a"]
    two = parse(service("a", 'default = ["127.0.0.1:1", "127.0.0.1:3"]', 'mesh = ["127.0.0.1:2", "unix:s"]'))
    assert [[address.kind for address in each.mesh_addresses()] for each in (one, two.services["a"])] == [
        ["tcp"],
        ["tcp", "unix"],
    ]
    few = faults(lambda: parse(service("a", 'default = ["127.0.0.1:1", "127.0.0.1:3"]', 'mesh = "127.0.0.1:2"')))
    same = faults(lambda: parse(service("a", 'default = "127.0.0.1:1"', 'mesh = "127.0.0.1:1"')))
    assert few == ["mesh.toml:services.a.mesh: has 1 where `default` has 2. Give each replica one of both."]
    assert [line.startswith("mesh.toml:services.a.mesh: 127.0.0.1:1 is the address of ") for line in same] == [True], (
        same
    )


@pytest.mark.parametrize(
    ("target", "here"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/s", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.0.2.1:1", False),
        ("localhost.example.org:1", False),
        ("127.0.0.1.example.org:1", False),
    ],
)
def test_what_is_here(target: str, here: object) -> None:
    """Only what no other machine can reach is here."""
    assert is_here(target) is here


def test_plain_text_stays_on_the_machine(parse: Parse) -> None:
    """An address that others can reach is refused in plain text, and taken with TLS; `mesh` may always be one."""
    text = service("a", 'default = "0.0.0.0:1"', 'admin = "192.0.2.1:2"', 'mesh = "0.0.0.0:3"')
    told = check([manifest("a")], parse(text), None)
    assert [problem.where.rpartition(".")[2] for problem in told] == ["default", "admin"]
    assert check([manifest("a")], parse(text + "[tls]\npeople = true"), None) == []


def test_unreachable(parse: Parse) -> None:
    """Who is called from another process needs an address for it; who is called in process does not."""
    book = parse(service("a", 'default = "127.0.0.1:1"') + service("b", 'default = "127.0.0.1:2"'))
    both = [manifest("a", "b"), manifest("b")]
    told = [f"{problem.where.rpartition('/')[2]}: {problem.what}" for problem in unreachable(both, book, {"a"})]
    assert told == [
        "mesh.toml:services.b.mesh: is missing. a calls it there, from another process: HOST:PORT, or unix:PATH."
    ]
    assert ([*unreachable(both, book, {"a", "b"})], [*unreachable(both, book, {"b"})]) == ([], [])
