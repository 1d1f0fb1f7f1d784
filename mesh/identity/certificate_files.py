"""The directory of a deployment's certificates: the only place that knows its files, and that writes one.

    ca.pem       the certificates that are trusted
    ca.key       the key of the development authority; a real one keeps its key elsewhere
    NAME.pem     a service's or an operator's certificate, the chain below it, and its private key

Certificate and key are one file, so that replacing it replaces both in the same moment.
"""

import os
import stat
from pathlib import Path

AUTHORITY = "ca.pem"
AUTHORITY_KEY = "ca.key"


def bundle_path(folder: Path, name: str) -> Path:
    """Where the certificate of a service or an operator lies, and its key."""
    return folder / f"{name}.pem"


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
