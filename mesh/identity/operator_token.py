"""The operator's token: whoever shows it may call every entrypoint. Only this module makes, reads and compares it."""

import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mesh.config.problems import ConfigurationError, Problem

TOKEN_VARIABLE = "BOOKMESH_OPERATOR_TOKEN"  # noqa: S105 - the name of a variable, which holds the secret
"""Where a client finds the token when it can't read the file."""

_BYTES = 32
"""Random bytes of a token: as many as a 256-bit key has."""

_PLAIN_LEAST = 16
"""Characters below which a token that somebody chose is refused."""


class OperatorToken:
    """A token that no log and no error can show.

    Args:
        value: the token itself.
    """

    __slots__ = ("_header",)

    def __init__(self, value: str) -> None:
        self._header = f"Bearer {value}".encode()

    def __repr__(self) -> str:
        return "OperatorToken(hidden)"

    def matches(self, header: str) -> bool:
        """Whether the value of an `authorization` key is this token, in a time that does not tell how much of it is.

        Args:
            header: "Bearer TOKEN", RFC 6750, section 2.1.
        """
        return hmac.compare_digest(header.encode(errors="surrogateescape"), self._header)

    def header(self) -> str:
        """What to send as `authorization`."""
        return self._header.decode()


def token_path(data: Path) -> Path:
    """Where a deployment's token lies."""
    return data / "operator.token"


def ensure_token(data: Path) -> OperatorToken:
    """The token of a deployment; made when there is none.

    Args:
        data: the deployment's data directory.

    Raises:
        ConfigurationError: others can read the file, or it holds no token.
    """
    path = token_path(data)
    data.mkdir(parents=True, exist_ok=True)
    # A file of a name that nobody else has, O_EXCL and for its owner alone.
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=data)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link is made or is there already: of several processes that begin at once one wins, and all read the same.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(fresh)  # noqa: PTH108 - mkstemp gives a name, not a Path
    return _read(path)


def find_token(data: Path, environ: Mapping[str, str]) -> OperatorToken | None:
    """The token as a client finds it: in the environment, or in a file that it may read; None when in neither.

    Raises:
        ConfigurationError: others can read the file, or it holds no token.
    """
    said = environ.get(TOKEN_VARIABLE, "").strip()
    if said:
        return OperatorToken(said)
    try:
        return _read(token_path(data))
    except (FileNotFoundError, PermissionError):
        return None


def _read(path: Path) -> OperatorToken:
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            [Problem(str(path), "can be read by others. Run `chmod 600` on it, or delete it and start again.")]
        )
    value = path.read_bytes().decode("ascii", errors="replace").strip()
    if len(value) < _PLAIN_LEAST or not value.isascii():
        fault = f"holds no token of at least {_PLAIN_LEAST} characters. Delete it, and the next start makes one."
        raise ConfigurationError([Problem(str(path), fault)])
    return OperatorToken(value)
