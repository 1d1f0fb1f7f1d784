"""What a service shows for itself: read from files that may be missing, damaged, swapped or replaced."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from structlog.testing import capture_logs

from mesh.config.problems import ConfigurationError
from mesh.identity.authority import ensure
from mesh.identity.certificate_files import replace_file
from mesh.identity.credentials import Credentials, Trust
from mesh.identity.spiffe import Identity

NOW = datetime.now(UTC)

A = Identity("bookmesh.local", "service", "a")
B = Identity("bookmesh.local", "service", "b")

KEY = b"-----BEGIN PRIVATE KEY"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The certificates of two services."""
    ensure(tmp_path / "certs", [A, B], NOW)
    return tmp_path / "certs"


def stranger(folder: Path) -> bytes:
    """A's certificate and key from another authority."""
    return ensure(folder.parent / "others", [A], NOW)[0].path.read_bytes()


def with_password(data: bytes) -> bytes:
    """The same certificate, its key encrypted."""
    key = load_pem_private_key(data[data.index(KEY) :], None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    return data[: data.index(KEY)] + locked


WHY = [
    "no certificate",
    "no private key",
    "private key can't be read",
    "private key has a password",
    "key is that of another certificate",
    "does not name a",
    "an authority that is not in ca.pem",
]
"""Reasons not to use a file; `damaged` has one for each."""


def damaged(folder: Path, why: str) -> bytes:
    """What makes A's file one that can't be used for a reason."""
    own, other = (folder / "a.pem").read_bytes(), (folder / "b.pem").read_bytes()
    certificate = own[: own.index(KEY)]
    return {
        "no certificate": b"",
        "no private key": certificate,
        "private key can't be read": own[:-60],
        "private key has a password": with_password(own),
        "key is that of another certificate": certificate + other[other.index(KEY) :],
        "does not name a": other,
        "an authority that is not in ca.pem": stranger(folder),
    }[why]


@pytest.mark.parametrize("why", WHY)
def test_what_cannot_be_used(folder: Path, why: str) -> None:
    """Half of a pair, a pair that does not fit, and the pair of another are refused at the start, with the reason."""
    path = folder / "a.pem"
    path.write_bytes(damaged(folder, why))
    with pytest.raises(ConfigurationError) as caught:
        Credentials(folder, "a")
    assert (str(path) in str(caught.value), why in str(caught.value)) == (True, True)


@pytest.mark.parametrize("name", ["ca.pem", "a.pem"])
def test_a_file_that_is_not_there(folder: Path, name: str) -> None:
    """A missing file is named."""
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=name):
        Credentials(folder, "a")


def test_key_before_certificate(folder: Path) -> None:
    """Key and certificates may stand in any order, as tools write them."""
    path = folder / "a.pem"
    data = path.read_bytes()
    path.write_bytes(data[data.index(KEY) :] + data[: data.index(KEY)])
    found = Credentials(folder, "a")
    assert (found._loaded.chain, found._loaded.key) == (data[: data.index(KEY)], data[data.index(KEY) :])


def test_nothing_tells_the_key(folder: Path) -> None:
    """No text that is made of credentials has the key in it."""
    found = Credentials(folder, "a")
    assert "PRIVATE" not in f"{found!r} {found} {found._loaded!r} {found._loaded}"


def test_replaced(folder: Path) -> None:
    """Another number tells that the files were replaced; the same files have the same number."""
    found = Credentials(folder, "a")
    before = [found.current(), found.current()]
    with capture_logs() as logs:
        ensure(folder, [A], NOW, renew=True)
        after = [found.current(), found.current()]
    assert (before[0] == before[1], after[0] == after[1], before[0] == after[0]) == (True, True, False)
    assert [entry["event"] for entry in logs] == ["certificate_replaced"]


@pytest.mark.parametrize("why", WHY)
def test_replaced_by_what_cannot_be_used(folder: Path, why: str) -> None:
    """What was good is kept and one line tells the reason, once, until there is something good again."""
    found, path = Credentials(folder, "a"), folder / "a.pem"
    before, good = (found.current(), found._loaded), path.read_bytes()
    with capture_logs() as logs:
        replace_file(path, damaged(folder, why))
        kept = [(found.current(), found._loaded) for _ in range(3)]
        replace_file(path, b"")
        kept.append((found.current(), found._loaded))
        replace_file(path, good)
        after = found.current()
    assert (kept, after != before[0], found._failed) == ([before] * 4, True, None)
    assert [entry["event"] for entry in logs] == ["certificate_not_replaced", "certificate_replaced"]
    assert why in logs[0]["why"]


def test_gone_and_back(folder: Path) -> None:
    """Files that vanish for a while, as when a directory is exchanged, take nothing down."""
    found = Credentials(folder, "a")
    before = found.current()
    with capture_logs() as logs:
        folder.rename(folder.parent / "away")
        gone = [found.current(), found.current()]
        (folder.parent / "away").rename(folder)
        back = found.current()
    assert ([*gone, back], [entry["event"] for entry in logs]) == ([before] * 3, ["certificate_not_replaced"])


def test_replaced_while_it_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was half written when it was read, and whole a moment later, is not taken for the half one."""
    found, path = Credentials(folder, "a"), folder / "a.pem"
    good = ensure(folder, [A], NOW, renew=True)[0].path.read_bytes()
    path.write_bytes(good[:100])
    read = Path.read_bytes

    def finished_after(self: Path) -> bytes:
        data = read(self)
        if self == path:
            path.write_bytes(good)
        return data

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", finished_after)
        found.current()
    found.current()
    assert found._loaded.chain + found._loaded.key == good


def test_authority_replaced_before_the_certificate(folder: Path) -> None:
    """Between the first and the last file of a renewal, each service has an authority in common with the others."""
    old = {path.name: path.read_bytes() for path in folder.glob("*.pem")}
    ensure(folder, [A, B], NOW, renew=True)
    new = {path.name: path.read_bytes() for path in folder.glob("*.pem")}
    for files in ({"a.pem": old["a.pem"]}, {"b.pem": old["b.pem"]}, {"a.pem": old["a.pem"], "b.pem": old["b.pem"]}):
        for name, data in {**new, **files}.items():
            (folder / name).write_bytes(data)
        assert [type(Credentials(folder, name)) for name in ("a", "b")] == [Credentials] * 2


def test_trust(folder: Path) -> None:
    """Somebody who shows nothing needs the authority alone; without it the reason is told."""
    for path in folder.glob("[ab].pem"):
        path.unlink()
    trust: Any = Trust(folder)
    assert (trust.current(), trust.current()) == (0, 0)
    (folder / "ca.pem").unlink()
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        Trust(folder)
