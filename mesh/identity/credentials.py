"""A service's certificate as gRPC takes it, read anew when its file is replaced; the only maker of credentials."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mesh.identity.certificate_files import AUTHORITY, bundle_path
from mesh.problems import ConfigurationError, Problem

_log = structlog.get_logger("mesh.identity")

_PEM = serialization.Encoding.PEM
_KEY_BEGIN = b"-----BEGIN "
_KEY_END = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True, repr=False)
class _Loaded:
    """What the files hold; without a repr, for one of them is a key."""

    authority: bytes
    chain: bytes
    key: bytes
    stamp: tuple[tuple[int, int, int], ...]


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
        self._lock = threading.Lock()
        try:
            self._loaded = self._load()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            at = str(error.filename) if isinstance(error, OSError) else str(self._bundle)
            raise ConfigurationError([Problem(at, f"can't be used as a certificate: {why}.")]) from None
        self._failed_stamp: object = None

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
            try:
                stamp = self._stamp()
                if stamp not in (self._loaded.stamp, self._failed_stamp):
                    self._loaded = self._load()
                    _log.info("certificate_replaced", file=str(self._bundle))
            except (OSError, ValueError) as error:
                # What was good stays good: half a file must not take a service down.
                if self._failed_stamp is None:
                    _log.error("certificate_not_replaced", file=str(self._bundle), why=type(error).__name__)
                self._failed_stamp = self._stamp_or_none()
            else:
                self._failed_stamp = None if stamp == self._loaded.stamp else self._failed_stamp
            return self._loaded

    def _load(self) -> _Loaded:
        stamp = self._stamp()
        authority, bundle = self._authority.read_bytes(), self._bundle.read_bytes()
        x509.load_pem_x509_certificates(authority)
        chain = x509.load_pem_x509_certificates(bundle)
        # The key is somewhere in the file; a PEM reader of keys does not look past certificates.
        start = bundle.find(_KEY_BEGIN, 0)
        while start >= 0 and not bundle[start : bundle.find(b"\n", start)].rstrip().endswith(_KEY_END):
            start = bundle.find(_KEY_BEGIN, start + 1)
        if start < 0:
            raise ValueError("it has no private key")
        key = serialization.load_pem_private_key(bundle[start:], password=None)
        if key.public_key() != chain[0].public_key():
            raise ValueError("its private key is that of another certificate")
        return _Loaded(
            authority,
            b"".join(certificate.public_bytes(_PEM) for certificate in chain),
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            stamp,
        )

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        found = (os.stat(path) for path in (self._authority, self._bundle))  # noqa: PTH116 - asked for each connection
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)

    def _stamp_or_none(self) -> object:
        try:
            return self._stamp()
        except OSError:
            return "gone"


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
