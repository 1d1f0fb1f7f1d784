"""The directory of a deployment's certificates: the only place that knows its files, and that writes one.

    ca.pem       the authorities that are trusted: one, and its predecessor for a while
    ca.key       the key of the development authority; a real one keeps its key elsewhere
    NAME.pem     a service's or an operator's certificate, the chain below it, and its private key

Certificate and key are one file, so that replacing it replaces both in the same moment.
"""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

AUTHORITY = "ca.pem"
AUTHORITY_KEY = "ca.key"


_KEY_BEGIN = b"-----BEGIN "
_KEY_END = b"PRIVATE KEY-----"


def bundle_path(folder: Path, name: str) -> Path:
    """Where the certificate of a service or an operator lies, and its key."""
    return folder / f"{name}.pem"


def key_in(bundle: bytes) -> PrivateKeyTypes:
    """The first private key in a PEM file that may hold certificates as well.

    Raises:
        ValueError: there is none, or it can't be read; the text tells nothing of it.
    """
    # A PEM reader of keys does not look past certificates.
    start = bundle.find(_KEY_BEGIN)
    while start >= 0 and not bundle[start : bundle.find(b"\n", start)].rstrip().endswith(_KEY_END):
        start = bundle.find(_KEY_BEGIN, start + 1)
    if start < 0:
        raise ValueError("it has no private key")
    try:
        return serialization.load_pem_private_key(bundle[start:], password=None)
    except TypeError:
        raise ValueError("its private key has a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("its private key can't be read") from None


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file that its owner alone can read; whoever reads it finds the old one or the new one whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
