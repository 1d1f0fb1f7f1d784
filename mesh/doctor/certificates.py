"""Certificates, keys and tokens that are unreadable, expired, expiring or open to others.

What they certify, and who trusts whom, is for those who use them.
"""

import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from mesh.config.problems import ConfigurationError
from mesh.doctor.finding import Finding, error, warning
from mesh.identity.operator_token import find_token

SOON = timedelta(days=14)
"""Before its end a certificate should be replaced by then; one for a short time when a third of it is left."""

_KEY = b"PRIVATE KEY-----"

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"

_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".key"})


def certificate_files(directory: Path) -> list[Path]:
    """The files below a directory whose names are those of certificates and keys."""
    return sorted(path for path in directory.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def certificates(paths: Iterable[Path], now: float) -> Iterator[Finding]:
    """What is wrong with PEM files of certificates and keys.

    Args:
        paths: the files; each must be there.
        now: seconds since the epoch.
    """
    moment = datetime.fromtimestamp(now, UTC)
    for path in paths:
        try:
            data, mode = path.read_bytes(), path.stat().st_mode
        except OSError as failure:
            yield error(
                "certificate", f"{path} can't be read: {failure.strerror}.", "Make it readable, or make it anew."
            )
            continue
        if _KEY in data and mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield error("certificate", f"{path} is a private key that others may read.", f"Run: chmod 600 {path}")
        if _CERTIFICATE in data:
            yield from _dates(path, data, moment)
        elif _KEY not in data:
            yield error("certificate", f"{path} holds neither a certificate nor a key.", "Make it anew.")


def operator_token(data: Path) -> Iterator[Finding]:
    """What is wrong with the operator's token, which opens every entrypoint to whoever can read it.

    Args:
        data: the deployment's data directory.
    """
    try:
        find_token(data, {})
    except ConfigurationError as failure:
        for problem in failure.problems:
            yield error("token", f"{problem.where} {problem.what}", "Nothing starts until that is done.")


def _dates(path: Path, data: bytes, now: datetime) -> Iterator[Finding]:
    mend = "Replace it; `bookmesh certs` makes one for development."
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        yield error("certificate", f"{path} holds a certificate that can't be read.", mend)
        return
    for certificate in found:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now >= end:
            yield error("certificate", f"{path} expired on {end:%Y-%m-%d %H:%M} UTC.", mend)
        elif now < begin:
            what = f"{path} is not valid before {begin:%Y-%m-%d %H:%M} UTC."
            yield error("certificate", what, "Set the clock of this machine, or wait.")
        elif end - now < min(SOON, (end - begin) / 3):
            yield warning("certificate", f"{path} expires on {end:%Y-%m-%d %H:%M} UTC.", mend)
