"""The development authority: what it makes, keeps, renews, and refuses."""

import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh.config.problems import ConfigurationError
from mesh.identity.authority import AUTHORITY_DAYS, LEAF_DAYS, Issued, ensure
from mesh.identity.credentials import Credentials
from mesh.identity.spiffe import Identity

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

A = Identity("bookmesh.local", "service", "a")
B = Identity("bookmesh.local", "service", "b")
ADA = Identity("bookmesh.local", "operator", "ada")


def leaf(issued: Issued) -> x509.Certificate:
    """The certificate in a file."""
    return x509.load_pem_x509_certificate(issued.path.read_bytes())


def authorities(folder: Path) -> list[x509.Certificate]:
    """Those that are trusted."""
    return x509.load_pem_x509_certificates((folder / "ca.pem").read_bytes())


def fresh(issued: list[Issued]) -> list[str]:
    """The names of what was made just now."""
    return [each.identity.name for each in issued if each.fresh]


def extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> tuple[bool, x509.ExtensionType]:
    """Whether it is critical, and its value."""
    found = certificate.extensions.get_extension_for_class(kind)
    return found.critical, found.value


def test_a_service(tmp_path: Path) -> None:
    """A service's certificate has its SPIFFE ID as its one URI, its host, both purposes, and no more rights."""
    (issued,) = ensure(tmp_path, [A], NOW)
    made = leaf(issued)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://bookmesh.local/service/a"]
    assert names.get_values_for_type(x509.DNSName) == ["a.bookmesh.local", "localhost"]
    assert extension(made, x509.BasicConstraints) == (True, x509.BasicConstraints(ca=False, path_length=None))
    assert set(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)


def test_an_operator(tmp_path: Path) -> None:
    """An operator's certificate can call, and can't answer: it has no host, and not the purpose of a server."""
    (issued,) = ensure(tmp_path, [ADA], NOW)
    made = leaf(issued)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier("spiffe://bookmesh.local/operator/ada")]
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_authority(tmp_path: Path) -> None:
    """The authority signs certificates and no further authorities; its key identifier is in what it signs."""
    (issued,) = ensure(tmp_path, [A], NOW)
    (authority,) = authorities(tmp_path)
    assert extension(authority, x509.BasicConstraints) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = leaf(issued).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert named.key_identifier == own.digest
    leaf(issued).verify_directly_issued_by(authority)


def test_times(tmp_path: Path) -> None:
    """A certificate begins a little early, for clocks differ, and ends when it was said to."""
    (issued,) = ensure(tmp_path, [A], NOW)
    made, (authority,) = leaf(issued), authorities(tmp_path)
    assert [each.not_valid_before_utc for each in (made, authority)] == [NOW - timedelta(minutes=5)] * 2
    assert made.not_valid_after_utc == issued.until == NOW + LEAF_DAYS * DAY
    assert authority.not_valid_after_utc == NOW + AUTHORITY_DAYS * DAY


def test_files(tmp_path: Path) -> None:
    """Keys are for their owner alone, a certificate and its key are one file, and nothing else is left lying about."""
    ensure(tmp_path / "certs", [A], NOW)
    files = sorted((tmp_path / "certs").iterdir())
    assert [path.name for path in files] == [".lock", "a.pem", "ca.key", "ca.pem"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files[1:3]] == [0o600, 0o600]
    data = files[1].read_bytes()
    key = load_pem_private_key(data[data.index(b"-----BEGIN PRIVATE KEY") :], None)
    assert key.public_key() == x509.load_pem_x509_certificate(data).public_key()
    assert b"PRIVATE" not in files[3].read_bytes()


def test_a_second_time(tmp_path: Path) -> None:
    """What is valid stays, byte for byte; who is new gets a certificate beside it."""
    ensure(tmp_path, [A], NOW)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    issued = ensure(tmp_path, [A, B], NOW + 19 * DAY)
    assert (fresh(issued), {path: path.read_bytes() for path in before}) == (["b"], before)


@pytest.mark.parametrize(("days", "expected"), [(-1, ["a"]), (19, []), (21, ["a"]), (40, ["a"])])
def test_what_is_about_to_end(tmp_path: Path, days: int, expected: list[str]) -> None:
    """With less than a third of its time left, or before its time, a certificate is made anew."""
    ensure(tmp_path, [A], NOW)
    issued = ensure(tmp_path, [A], NOW + days * DAY)
    assert (fresh(issued), issued[0].until > NOW + (days + 9) * DAY) == (expected, True)


@pytest.mark.parametrize("damage", ["empty", "half", "no key", "no certificate", "nonsense"])
def test_a_damaged_file(tmp_path: Path, damage: str) -> None:
    """A certificate without its key, or half of one, is made anew."""
    (issued,) = ensure(tmp_path, [A], NOW)
    data = issued.path.read_bytes()
    key = data.index(b"-----BEGIN PRIVATE")
    left = {"empty": b"", "half": data[:400], "no key": data[:key], "no certificate": data[key:], "nonsense": b"\xff\n"}
    issued.path.write_bytes(left[damage])
    assert fresh(ensure(tmp_path, [A], NOW)) == ["a"]
    Credentials(tmp_path, "a")


def test_the_certificate_of_another(tmp_path: Path) -> None:
    """A file that names somebody else, of another kind or trust domain, is made anew."""
    (_, b) = ensure(tmp_path, [A, B], NOW)
    (tmp_path / "a.pem").write_bytes(b.path.read_bytes())
    others = [A._replace(kind="operator"), A._replace(trust_domain="other.local"), A]
    assert [fresh(ensure(tmp_path, [each], NOW)) for each in (A, *others)] == [["a"]] * 4


def test_renewing(tmp_path: Path) -> None:
    """Asked to, it makes everything anew, and what the old authority signed is trusted until it has ended."""
    ensure(tmp_path, [A, B], NOW)
    (old,) = authorities(tmp_path)
    issued = ensure(tmp_path, [A], NOW + DAY, renew=True)
    new, kept = authorities(tmp_path)
    leaf(issued[0]).verify_directly_issued_by(new)
    assert (fresh(issued), kept, new != old) == (["a"], old, True)
    # b was not asked for, and calls with what it has.
    Credentials(tmp_path, "b")
    ensure(tmp_path, [A], NOW + 29 * DAY)
    assert authorities(tmp_path) == [new, old]
    ensure(tmp_path, [A], NOW + 31 * DAY)
    assert authorities(tmp_path) == [new]


def test_an_authority_about_to_end(tmp_path: Path) -> None:
    """The authority gets a successor while its certificates still have time, so nobody is ever without."""
    ensure(tmp_path, [A], NOW)
    then = NOW + 250 * DAY
    issued = ensure(tmp_path, [A], then)
    assert (len(authorities(tmp_path)), fresh(issued), issued[0].until) == (2, ["a"], then + LEAF_DAYS * DAY)


@pytest.mark.parametrize("made", ["ca.pem", "ca.key"])
def test_death_while_renewing(tmp_path: Path, made: str) -> None:
    """If only the first of the authority's two files was replaced, the next start goes on with what fits together."""
    ensure(tmp_path, [A], NOW)
    before = {name: (tmp_path / name).read_bytes() for name in ("ca.pem", "ca.key")}
    ensure(tmp_path, [], NOW, renew=True)
    other = "ca.key" if made == "ca.pem" else "ca.pem"
    if made == "ca.pem":
        (tmp_path / other).write_bytes(before[other])
        assert (fresh(ensure(tmp_path, [A], NOW)), len(authorities(tmp_path))) == ([], 2)
    else:
        (tmp_path / other).unlink()  # the first authority of all: its key is written first
        assert (fresh(ensure(tmp_path, [A], NOW)), len(authorities(tmp_path))) == (["a"], 1)
    Credentials(tmp_path, "a")


def test_trust_that_a_person_added(tmp_path: Path) -> None:
    """An authority that somebody put beside ours stays trusted, whatever is renewed."""
    ensure(tmp_path, [A], NOW)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another")])
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + 999 * DAY)
    other = builder.sign(key, hashes.SHA256())
    with (tmp_path / "ca.pem").open("ab") as file:
        file.write(other.public_bytes(Encoding.PEM))
    ensure(tmp_path, [A], NOW + 200 * DAY)
    ensure(tmp_path, [A], NOW + 300 * DAY)
    assert other in authorities(tmp_path)


@pytest.mark.parametrize("renew", [False, True])
@pytest.mark.parametrize("key", ["missing", "of another", "nonsense", "with a password"])
def test_an_authority_that_is_not_ours(tmp_path: Path, key: str, *, renew: bool) -> None:
    """An authority whose key we have not is never touched, not even when asked to renew; the reason is a sentence."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        ensure(folder, [A], NOW)
    (ours / "ca.pem").write_bytes((theirs / "ca.pem").read_bytes())
    if key == "missing":
        (ours / "ca.key").unlink()
    elif key != "of another":
        (ours / "ca.key").write_bytes(b"nonsense" if key == "nonsense" else ENCRYPTED)
    before = {path: path.read_bytes() for path in ours.iterdir()}
    with pytest.raises(ConfigurationError) as caught:
        ensure(ours, [A], NOW, renew=renew)
    assert {path: path.read_bytes() for path in ours.iterdir()} == before
    mend = "its owner has to make" if key == "missing" else "Delete both"
    assert (mend in str(caught.value), "PRIVATE" in str(caught.value)) == (True, False)


ENCRYPTED = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBCWd4gbLoNEJsJRkpC
-----END ENCRYPTED PRIVATE KEY-----
"""


@pytest.mark.parametrize("name", ["ca", "CA", "../a", "a/b", "", ".", "..", "a b", "ä", "a\n", "n" * 64])
@pytest.mark.parametrize("kind", ["service", "operator"])
def test_a_name_that_can_have_none(tmp_path: Path, kind: str, name: str) -> None:
    """A name that leads out of the directory, to the authority or to no valid ID is refused before anything is made."""
    identity = A._replace(kind=kind, name=name)  # type: ignore[arg-type]  # a str here, one of the two all the same
    with pytest.raises(ConfigurationError, match=kind):
        ensure(tmp_path / "certs", [A, identity], NOW)
    assert list(tmp_path.iterdir()) == []


def test_many_at_once(tmp_path: Path) -> None:
    """Of several that begin at the same time one makes each file, and all go on with the same authority."""
    found: list[list[Issued]] = []
    threads = [threading.Thread(target=lambda: found.append(ensure(tmp_path, [A, B], NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(map(len, map(fresh, found))), len(authorities(tmp_path))) == ([0] * 7 + [2], 1)
