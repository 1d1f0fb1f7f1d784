"""The development authority: what it makes, what it keeps, and when it makes anew."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from mesh.identity.authority import AUTHORITY_DAYS, LEAF_DAYS, ensure
from mesh.identity.credentials import Credentials
from mesh.identity.spiffe import Identity
from mesh.problems import ConfigurationError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BOOKS = Identity("bookmesh.local", "service", "books")
ANN = Identity("bookmesh.local", "operator", "ann")


def leaf(folder: Path) -> x509.Certificate:
    """The certificate of the books."""
    return x509.load_pem_x509_certificate((folder / "books.pem").read_bytes())


def test_what_a_certificate_says(tmp_path: Path) -> None:
    """It names its holder once, for both sides of TLS, and is signed by an authority that can sign nothing deeper."""
    ensure(tmp_path, [BOOKS], NOW)
    found, authority = leaf(tmp_path), x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = set(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    depth = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    found.verify_directly_issued_by(authority)
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [BOOKS.uri()]
    assert BOOKS.host() in names.get_values_for_type(x509.DNSName)
    assert usage == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert (depth.critical, depth.value.ca, depth.value.path_length) == (True, True, 0)
    assert found.not_valid_before_utc < NOW < found.not_valid_after_utc == NOW + timedelta(days=LEAF_DAYS)


def test_files_are_their_owners(tmp_path: Path) -> None:
    """Nobody else can read a key."""
    ensure(tmp_path / "certs", [BOOKS], NOW)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "certs").glob("*.*") if path.suffix}
    assert modes == {"ca.pem": 0o600, "ca.key": 0o600, "books.pem": 0o600}


@pytest.mark.parametrize(
    ("days", "fresh"),
    [(0, 0), (LEAF_DAYS * 2 / 3 - 1, 0), (LEAF_DAYS * 2 / 3 + 1, 1), (LEAF_DAYS + 1, 1), (-1, 1)],
)
def test_kept_and_renewed(tmp_path: Path, days: float, fresh: int) -> None:
    """What is good is kept; what has less than a third of its time left, or lies in the future, is made anew."""
    ensure(tmp_path, [BOOKS], NOW)
    before = leaf(tmp_path)
    (issued,) = ensure(tmp_path, [BOOKS], NOW + timedelta(days=days))
    assert (issued.fresh, leaf(tmp_path) != before) == (fresh, fresh)


def test_authority_that_ends(tmp_path: Path) -> None:
    """With an authority that is about to end everything is made anew."""
    ensure(tmp_path, [BOOKS], NOW)
    later = NOW + timedelta(days=AUTHORITY_DAYS - 10)
    ensure(tmp_path, [BOOKS], later)
    assert leaf(tmp_path).not_valid_after_utc == later + timedelta(days=LEAF_DAYS)


def test_made_anew_when_asked(tmp_path: Path) -> None:
    """`--renew` replaces the authority, and with it every certificate."""
    ensure(tmp_path, [BOOKS, ANN], NOW)
    assert [each.fresh for each in ensure(tmp_path, [BOOKS, ANN], NOW, renew=True)] == [True, True]


def test_name_of_somebody_else(tmp_path: Path) -> None:
    """A certificate that is for another trust domain, or another kind, is replaced."""
    ensure(tmp_path, [BOOKS], NOW)
    (issued,) = ensure(tmp_path, [Identity("elsewhere.example", "service", "books")], NOW)
    assert issued.fresh


def test_foreign_authority(tmp_path: Path) -> None:
    """An authority whose key is not there is somebody's; nothing is made with it, nor in its place."""
    ensure(tmp_path, [BOOKS], NOW)
    (tmp_path / "ca.key").unlink()
    before = (tmp_path / "ca.pem").read_bytes()
    for renew in (False, True):
        with pytest.raises(ConfigurationError, match=r"without its key, ca\.key"):
            ensure(tmp_path, [BOOKS], NOW, renew=renew)
    assert (tmp_path / "ca.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_broken_authority(tmp_path: Path, name: str) -> None:
    """One that can't be read, or does not fit its key, is told with what to do."""
    ensure(tmp_path, [BOOKS], NOW)
    ensure(tmp_path / "other", [BOOKS], NOW)
    for content in (b"", b"no PEM", (tmp_path / "other" / name).read_bytes()):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match="Delete both"):
            ensure(tmp_path, [BOOKS], NOW)


def test_made_at_once(tmp_path: Path) -> None:
    """Starts at the same moment end with certificates that fit together."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ensure(tmp_path, [BOOKS, ANN], NOW), range(4)))
    Credentials(tmp_path, "books")
    leaf(tmp_path).verify_directly_issued_by(x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes()))


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"]
)
def test_unusable_bundles(tmp_path: Path, content: bytes) -> None:
    """A file that can't be used is told by its name, and nothing of what is in it."""
    ensure(tmp_path, [BOOKS], NOW)
    (tmp_path / "books.pem").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"books\.pem: can't be used as a certificate"):
        Credentials(tmp_path, "books")


def test_key_of_another(tmp_path: Path) -> None:
    """A certificate with the key of another one is refused."""
    ensure(tmp_path, [BOOKS, ANN], NOW)
    books, ann = ((tmp_path / f"{name}.pem").read_bytes() for name in ("books", "ann"))
    cut = b"-----BEGIN PRIVATE KEY-----"
    (tmp_path / "books.pem").write_bytes(books.partition(cut)[0] + cut + ann.partition(cut)[2])
    with pytest.raises(ConfigurationError, match="that of another certificate"):
        Credentials(tmp_path, "books")
    (tmp_path / "books.pem").write_bytes(books.partition(cut)[0])
    with pytest.raises(ConfigurationError, match="no private key"):
        Credentials(tmp_path, "books")
