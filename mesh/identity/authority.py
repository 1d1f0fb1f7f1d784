"""The development authority: makes a CA and short-lived certificates for every service, so that a laptop has real TLS.

Nobody outside of the machine trusts it, and production does without it.
"""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh.identity.certificate_files import AUTHORITY, AUTHORITY_KEY, bundle_path, replace_file
from mesh.identity.spiffe import Identity
from mesh.problems import ConfigurationError, Problem

AUTHORITY_DAYS = 365
"""Days that the authority lasts; it is made anew with `bookmesh certs --renew`."""

LEAF_DAYS = 30
"""Days that a certificate lasts. A start renews it once a third of that is left, so nobody has to think of it."""

_EARLY = timedelta(minutes=5)
"""A certificate begins this much before it is made, for the clock of another machine may be behind."""

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate as it lies in the directory."""

    identity: Identity
    """Who it is for."""
    path: Path
    """Its file."""
    until: datetime
    """When it ends, in UTC."""
    fresh: bool
    """It was made just now."""


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    fresh: bool


def ensure(folder: Path, identities: Iterable[Identity], now: datetime, *, renew: bool = False) -> list[Issued]:
    """Makes what is missing, and what is about to end; everything else stays as it is.

    Args:
        folder: the directory of the certificates; made when it is not there.
        identities: who shall have one.
        now: the time, in UTC.
        renew: make all of them anew, the authority too.

    Raises:
        ConfigurationError: the authority is not ours: its key is not in the directory, or does not fit.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder):
        authority = _authority(folder, now, renew=renew)
        return [_leaf(folder, identity, authority, now) for identity in identities]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; the system lets go of the lock when the process ends, however it ends."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _authority(folder: Path, now: datetime, *, renew: bool) -> _Authority:
    path, key_path = folder / AUTHORITY, folder / AUTHORITY_KEY
    if path.exists() and not key_path.exists():
        what = f"is an authority without its key, {key_path.name}; its owner has to make the certificates."
        raise ConfigurationError([Problem(str(path), what)])
    if path.exists() and not renew:
        found = _load_authority(path, key_path)
        if not _is_ending(found.certificate, now):
            return found
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookmesh development authority")])
    certificate = (
        _builder(name, name, key.public_key(), now, timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    # The key goes first: an authority without one would be taken for somebody else's.
    replace_file(key_path, _pem(key))
    replace_file(path, certificate.public_bytes(_PEM))
    return _Authority(certificate, key, fresh=True)


def _load_authority(path: Path, key_path: Path) -> _Authority:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except ValueError:
        what = f"or {key_path.name} beside it can't be read. Delete both, and the next start makes them anew."
        raise ConfigurationError([Problem(str(path), what)]) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        what = f"does not belong to {key_path.name} beside it. Delete both, and the next start makes them anew."
        raise ConfigurationError([Problem(str(path), what)])
    return _Authority(certificate, key, fresh=False)


def _leaf(folder: Path, identity: Identity, authority: _Authority, now: datetime) -> Issued:
    path = bundle_path(folder, identity.name)
    found = _load_leaf(path)
    if found is not None and not _is_ending(found, now) and _is_from(found, authority) and _names(found, identity):
        return Issued(identity, path, found.not_valid_after_utc, fresh=False)
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name may have 64 characters (RFC 5280, ub-common-name); a name of ours has at most 63.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.name)])
    alternatives = [
        x509.UniformResourceIdentifier(identity.uri()),
        x509.DNSName(identity.host()),
        x509.DNSName("localhost"),  # for people's tools, which compare what they dialled
    ]
    lifetime = min(timedelta(days=LEAF_DAYS), authority.certificate.not_valid_after_utc - now)
    certificate = (
        _builder(name, authority.certificate.subject, key.public_key(), now, lifetime)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    replace_file(path, certificate.public_bytes(_PEM) + _pem(key))
    return Issued(identity, path, certificate.not_valid_after_utc, fresh=True)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What the key is for (X.509-SVID, section 4.3)."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _load_leaf(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _is_ending(certificate: x509.Certificate, now: datetime) -> bool:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < begin or end - now < (end - begin) / 3


def _is_from(certificate: x509.Certificate, authority: _Authority) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _names(certificate: x509.Certificate, identity: Identity) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.UniformResourceIdentifier) == [identity.uri()]
