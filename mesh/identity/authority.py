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
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh.config.problems import ConfigurationError, Problem
from mesh.identity.certificate_files import AUTHORITY, AUTHORITY_KEY, bundle_path, key_in, replace_file
from mesh.identity.spiffe import Identity, parse_identity

AUTHORITY_DAYS = 365
"""Days that the authority lasts; it is made anew like a certificate, or with `bookmesh certs --renew`."""

LEAF_DAYS = 30
"""Days that a certificate lasts. A start renews it once a third of that is left, so nobody has to think of it."""

_OLD = timedelta(days=LEAF_DAYS)
"""An authority is trusted for this long after it got a successor: until the last certificate of it has ended."""

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


def ensure(folder: Path, identities: Iterable[Identity], now: datetime, *, renew: bool = False) -> list[Issued]:
    """Makes what is missing, and what is about to end; everything else stays as it is.

    An authority that is replaced stays trusted until its last certificate has ended, so that nobody who runs is cut
    off. If its key is in wrong hands, delete the directory instead.

    Args:
        folder: the directory of the certificates; made when it is not there.
        identities: who shall have one.
        now: the time, in UTC.
        renew: make all of them anew, the authority too.

    Raises:
        ConfigurationError: the authority is not ours: its key is not in the directory, or does not fit; or a name can't
            be that of a certificate.
    """
    identities = tuple(identities)
    problems = [problem for identity in identities for problem in _unfit(identity)]
    if problems:
        raise ConfigurationError(problems)
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


def _unfit(identity: Identity) -> Iterator[Problem]:
    where = f"{identity.kind} {identity.name!r}"
    if parse_identity(identity.uri()) != identity:
        yield Problem(where, "can't be in a certificate. Use a name of at most 63 letters, digits, '.', '_' and '-'.")
    elif bundle_path(Path(), identity.name).name.casefold() == AUTHORITY:  # some file systems don't tell case apart
        yield Problem(where, f"can't have a certificate: {AUTHORITY} is the authority's. Use another name.")


def _authority(folder: Path, now: datetime, *, renew: bool) -> _Authority:
    """The authority, made when there is none, or when it is about to end.

    Whoever was signed for by its predecessor stays trusted until everybody has something newer: while files are
    replaced one by one, and read one by one, nobody must be without an authority in common with the others.
    """
    path, key_path = folder / AUTHORITY, folder / AUTHORITY_KEY
    found, trusted = _load_authority(path, key_path)
    if found is None or renew or _is_ending(found.certificate, now):
        key = ec.generate_private_key(ec.SECP256R1())
        made = _Authority(_signed_by_itself(key, now), key)
        # Whatever dies between the two, one of those that are trusted has its key here. Of the first, the key is first.
        if found is None:
            replace_file(key_path, _pem(key))
            _trust(path, made, trusted, now)
        else:
            _trust(path, made, trusted, now)
            replace_file(key_path, _pem(key))
        return made
    _trust(path, found, trusted, now)
    return found


def _load_authority(path: Path, key_path: Path) -> tuple[_Authority | None, list[x509.Certificate]]:
    """The authority whose key is here, if there is one, and all that are trusted."""
    if not path.exists():
        return None, []
    if not key_path.exists():
        what = f"is an authority without its key, {key_path.name}; its owner has to make the certificates."
        raise ConfigurationError([Problem(str(path), what)])
    try:
        trusted = x509.load_pem_x509_certificates(path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        what = f"or {key_path.name} beside it can't be read. Delete both, and the next start makes them anew."
        raise ConfigurationError([Problem(str(path), what)]) from None
    own = [certificate for certificate in trusted if certificate.public_key() == key.public_key()]
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not own:
        what = (
            f"does not belong to {key_path.name} beside it. If it is somebody else's, they have to make the "
            "certificates. Delete both if it is nobody's, and the next start makes them anew."
        )
        raise ConfigurationError([Problem(str(path), what)])
    return _Authority(own[0], key), trusted


def _signed_by_itself(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookmesh development authority")])
    return (
        _builder(name, name, key.public_key(), now, timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _trust(path: Path, authority: _Authority, before: list[x509.Certificate], now: datetime) -> None:
    """Lets an authority be trusted, and those before it for as long as there may be certificates of theirs."""
    current = authority.certificate
    replaced_at = current.not_valid_before_utc + _EARLY
    needed = now < replaced_at + _OLD
    # What somebody else has put there is not ours to take away.
    kept = [each for each in before if each != current and (needed or each.subject != current.subject)]
    if [current, *kept] != before:
        replace_file(path, b"".join(each.public_bytes(_PEM) for each in (current, *kept)))


def _leaf(folder: Path, identity: Identity, authority: _Authority, now: datetime) -> Issued:
    path = bundle_path(folder, identity.name)
    found = _load_leaf(path)
    if found is not None and not _is_ending(found, now) and _is_from(found, authority) and _names(found, identity):
        return Issued(identity, path, found.not_valid_after_utc, fresh=False)
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name may have 64 characters (RFC 5280, ub-common-name); a name of ours has at most 63.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.name)])
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity.uri())]
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if identity.kind == "service":
        # An operator is called by nobody, so an operator's certificate can't stand for a service.
        names.append(x509.DNSName(identity.host()))
        names.append(x509.DNSName("localhost"))  # for people's tools, which compare what they dialled
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    lifetime = min(timedelta(days=LEAF_DAYS), authority.certificate.not_valid_after_utc - now)
    certificate = (
        _builder(name, authority.certificate.subject, key.public_key(), now, lifetime)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
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
    """The certificate in a file, if its key is there too."""
    try:
        data = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(data)
        fits = key_in(data).public_key() == certificate.public_key()
    except (FileNotFoundError, ValueError):
        return None
    return certificate if fits else None


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
