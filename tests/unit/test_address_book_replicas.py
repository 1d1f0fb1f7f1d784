"""Services of several replicas, and the steps of an ending, as the address book tells of them."""

from pathlib import Path

import pytest

from mesh.config.address import Address
from mesh.config.address_book import AddressBook, parse_address_book
from mesh.config.book_entries import Replica
from mesh.config.drain_settings import DrainSettings
from mesh.config.problems import ConfigurationError

PATH = Path(__file__).with_name("mesh.toml")
ENTRY = f'[services.a]\nmanifest = "{Path(__file__).name}"\n'


def parse(text: str) -> AddressBook:
    """An address book beside this file."""
    return parse_address_book(text.encode(), PATH)


def problem(text: str) -> str:
    """The one thing that is wrong with it."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    (found,) = caught.value.problems
    return f"{found.where.partition(':')[2]}: {found.what}"


def tcp(port: int) -> Address:
    """An address."""
    return Address("tcp", f"127.0.0.1:{port}")


def test_replicas() -> None:
    """A list of addresses is one replica each, the Admin of each at the same place of its own list."""
    service = parse(
        f'{ENTRY}default = ["127.0.0.1:1", "127.0.0.1:2"]\nadmin = ["127.0.0.1:3", "127.0.0.1:4"]'
    ).services["a"]
    assert service.replicas == (Replica(tcp(1), tcp(3)), Replica(tcp(2), tcp(4)))
    assert (service.addresses("Default"), service.addresses("Admin")) == ((tcp(1), tcp(2)), (tcp(3), tcp(4)))


def test_replicas_without_admin() -> None:
    """Replicas need no Admin."""
    service = parse(f'{ENTRY}default = ["127.0.0.1:1", "127.0.0.1:2"]').services["a"]
    assert (service.replicas, service.addresses("Admin")) == ((Replica(tcp(1), None), Replica(tcp(2), None)), ())


def test_one_replica() -> None:
    """One address, written plainly or as a list, is one replica."""
    plain, listed = (parse(f"{ENTRY}default = {text}").services["a"] for text in ('"127.0.0.1:1"', '["127.0.0.1:1"]'))
    assert plain.replicas == listed.replicas == (Replica(tcp(1), None),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default = []", "services.a.default: must hold an address for each replica."),
        ('default = ["127.0.0.1:1", ""]', "services.a.default: must hold an address for each replica."),
        ('default = ["127.0.0.1:1", 2]', "services.a.default: must be a list of texts, and holds a whole number."),
        ('default = ["127.0.0.1:1", "2"]', "services.a.default: '2' is no address."),
        (
            'default = ["127.0.0.1:1", "127.0.0.1:2"]\nadmin = "127.0.0.1:3"',
            "services.a.admin: has 1 where `default` has 2. Give each replica one of both.",
        ),
        (
            'default = ["127.0.0.1:1", "localhost:1"]',
            "services.a.default: localhost:1 is the address of another replica too.",
        ),
        (
            'default = ["127.0.0.1:1", "127.0.0.1:2"]\nadmin = ["127.0.0.1:3", "127.0.0.1:2"]',
            f"services.a.admin: 127.0.0.1:2 is the address of {PATH}:services.a.default too.",
        ),
    ],
)
def test_faulty_replicas(text: str, expected: str) -> None:
    """Replicas that can't all be reached are told why."""
    assert problem(ENTRY + text).startswith(expected)


def test_drain_settings() -> None:
    """The steps of an ending have defaults, and are set one by one."""
    assert parse("").drain == DrainSettings(lame_duck_s=0.5, grace_s=10.0, settle_s=2.0)
    assert parse("[drain]\nlame_duck_s = 0\ngrace_s = 2.5").drain == DrainSettings(lame_duck_s=0.0, grace_s=2.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lame_duck_s = -1", "drain.lame_duck_s: must be from 0 to 3600."),
        ('grace_s = "1"', "drain.grace_s: must be a number"),
        ("grace = 1", "drain.grace: is not a known key."),
    ],
)
def test_faulty_drain_settings(text: str, expected: str) -> None:
    """A setting that makes no sense is told why."""
    assert problem(f"[drain]\n{text}").startswith(expected)
