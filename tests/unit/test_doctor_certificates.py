"""The doctor on certificates and keys, made for each test and really faulty."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mesh.doctor.certificates import certificate_files, certificates

NOW = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)

DAY = dt.timedelta(days=1)


def made(path: Path, begin: dt.datetime, end: dt.datetime) -> Path:
    """Writes a certificate for a time."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def key_file(path: Path, mode: int) -> Path:
    """Writes a private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form))
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (-100, 100, []),
        (-100, 13, ["warning: expires on 2025-06-14 00:00 UTC."]),
        (-100, 0, ["error: expired on 2025-06-01 00:00 UTC."]),
        (1, 100, ["error: is not valid before 2025-06-02 00:00 UTC."]),
        (-1, 2, []),
        (-3, 1, ["warning: expires on 2025-06-02 00:00 UTC."]),
    ],
)
def test_dates(tmp_path: Path, begin: int, end: int, expected: list[str]) -> None:
    """A certificate that is over, not yet valid, or soon over is told; one for a short time may be young and short."""
    path = made(tmp_path / "c.pem", NOW + begin * DAY, NOW + end * DAY)
    found = certificates([path], NOW.timestamp())
    assert [f"{each.severity.value}: {each.what.removeprefix(f'{path} ')}" for each in found] == expected


def test_every_certificate_of_a_chain(tmp_path: Path) -> None:
    """Each certificate of a file counts."""
    path = made(tmp_path / "c.pem", NOW - DAY, NOW + 100 * DAY)
    path.write_bytes(path.read_bytes() + made(tmp_path / "d.pem", NOW - DAY * 2, NOW - DAY).read_bytes())
    assert ["expired" in each.what for each in certificates([path], NOW.timestamp())] == [True]


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o640, 1), (0o604, 1)])
def test_key_that_others_may_read(tmp_path: Path, mode: int, count: int) -> None:
    """A private key is for its owner alone."""
    path = key_file(tmp_path / "k.key", mode)
    found = [*certificates([path], NOW.timestamp())]
    assert (len(found), all("chmod 600" in each.mend for each in found)) == (count, True)


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\xfe"]
)
def test_file_that_is_none(tmp_path: Path, data: bytes) -> None:
    """A file that holds no certificate, or a broken one, is an error."""
    path = tmp_path / "c.pem"
    path.write_bytes(data)
    assert [each.severity.value for each in certificates([path], NOW.timestamp())] == ["error"]


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is not there, or is a directory, is an error that says why."""
    (tmp_path / "d.pem").mkdir()
    found = [*certificates([tmp_path / "c.pem", tmp_path / "d.pem"], NOW.timestamp())]
    assert [each.what.partition(": ")[2] for each in found] == ["No such file or directory.", "Is a directory."]


def test_files_are_found_by_their_names(tmp_path: Path) -> None:
    """Files of certificates and keys are found wherever they lie below; a directory that is not there has none."""
    (tmp_path / "a").mkdir()
    for name in ("a/x.pem", "y.key", "z.crt", "README"):
        (tmp_path / name).touch()
    names = [path.name for path in certificate_files(tmp_path)]
    assert (names, certificate_files(tmp_path / "no")) == (["x.pem", "y.key", "z.crt"], [])
