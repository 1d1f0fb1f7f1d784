"""A service's certificate as gRPC takes it, read anew when its file is replaced; the only maker of credentials."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from mesh.config.problems import ConfigurationError, Problem
from mesh.identity.certificate_files import AUTHORITY, bundle_path, key_in
from mesh.identity.spiffe import parse_identity

_log = structlog.get_logger("mesh.identity")

_PEM = serialization.Encoding.PEM
_Stamp = tuple[tuple[int, int, int], ...]
"""What the file system says of the files; other files have another one. Empty while one is not there."""


@dataclass(frozen=True, slots=True, repr=False)
class _Loaded:
    """What the files hold; without a repr, for one of them is a key."""

    authority: bytes
    chain: bytes
    key: bytes
    stamp: _Stamp


class Credentials:
    """What one service, or one operator, shows for itself and trusts.

    Args:
        folder: the directory of the certificates.
        name: whose certificate it is.

    Raises:
        ConfigurationError: a file is missing, or can't be used.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._authority = folder / AUTHORITY
        self._bundle = bundle_path(folder, name)
        self._name = name
        self._lock = threading.Lock()
        try:
            self._loaded = self._load(self._stamp())
        except (OSError, ValueError) as error:
            at = str(error.filename) if isinstance(error, OSError) else str(self._bundle)
            raise ConfigurationError([Problem(at, f"can't be used as a certificate: {_reason(error)}.")]) from None
        self._failed: _Stamp | None = None

    def current(self) -> int:
        """A number that is another one once the files were replaced by some that can be used."""
        return hash(self._fresh().stamp)

    def server(self, *, ask: bool) -> grpc.ServerCredentials:
        """What a listener shows; each new connection gets what the files hold by then.

        Args:
            ask: whoever connects has to show a certificate, too.
        """
        given = [self._loaded.stamp]

        def fetch() -> Any:
            found = self._fresh()
            if found.stamp == given[0]:
                return None
            given[0] = found.stamp
            return _server_configuration(found)

        return grpc.dynamic_ssl_server_credentials(
            _server_configuration(self._loaded), fetch, require_client_authentication=ask
        )

    def channel(self) -> grpc.ChannelCredentials:
        """What a caller shows, as the files hold it now."""
        found = self._fresh()
        return grpc.ssl_channel_credentials(found.authority, found.key, found.chain)

    def _fresh(self) -> _Loaded:
        """What the files hold, or held before they were replaced by what can't be used."""
        with self._lock:
            stamp = self._stamp()
            if stamp == self._loaded.stamp:
                self._failed = None
            elif stamp != self._failed:
                try:
                    self._loaded = self._load(stamp)
                except (OSError, ValueError) as error:
                    # What was good stays good: half a file must not take a service down.
                    if self._failed is None:
                        _log.error("certificate_not_replaced", file=str(self._bundle), why=_reason(error))
                    self._failed = stamp
                else:
                    self._failed = None
                    _log.info("certificate_replaced", file=str(self._bundle))
            return self._loaded

    def _load(self, stamp: _Stamp) -> _Loaded:
        """Reads what was there at a stamp, or something newer, which the next look then finds to have another stamp."""
        # The authority is read last, for it is written first: it knows every certificate that was there before it.
        bundle, authority = self._bundle.read_bytes(), self._authority.read_bytes()
        chain, trusted = _certificates(bundle), _certificates(authority)
        key = key_in(bundle)
        if key.public_key() != chain[0].public_key():
            raise ValueError("its private key is that of another certificate")
        if not any(_is_from(certificate, issuer) for certificate in chain for issuer in trusted):
            raise ValueError(f"it is from an authority that is not in {self._authority.name}")
        if _name_in(chain[0]) != self._name:
            raise ValueError(f"it does not name {self._name} by a SPIFFE ID")
        return _Loaded(
            authority,
            b"".join(certificate.public_bytes(_PEM) for certificate in chain),
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            stamp,
        )

    def _stamp(self) -> _Stamp:
        try:
            found = [os.stat(path) for path in (self._authority, self._bundle)]  # noqa: PTH116 - asked for each connection
        except OSError:
            return ()
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)


def _certificates(data: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise ValueError("it holds no certificate that can be read") from None


def _is_from(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _name_in(certificate: x509.Certificate) -> str | None:
    """Whom a certificate is for; None where callers could not tell."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    found = parse_identity(uris[0]) if len(uris) == 1 else None
    return None if found is None else found.name


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or "it can't be read" if isinstance(error, OSError) else str(error)


class Trust:
    """What a person trusts who calls with TLS and shows no certificate.

    Args:
        folder: the directory of the certificates.

    Raises:
        ConfigurationError: there is no authority in it.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / AUTHORITY
        try:
            self._authority = path.read_bytes()
        except OSError as error:
            raise ConfigurationError([Problem(str(path), f"can't be trusted: {error.strerror}.")]) from None

    def current(self) -> int:
        """Always the same: a command is over before an authority is replaced."""
        return 0

    def channel(self) -> grpc.ChannelCredentials:
        """Trusts the authority, and shows nothing."""
        return grpc.ssl_channel_credentials(self._authority)


def _server_configuration(loaded: _Loaded) -> Any:
    return grpc.ssl_server_certificate_configuration([(loaded.key, loaded.chain)], loaded.authority)
