"""Secrets: held so that they can't be printed, and found by name in the environment or in a directory of files."""

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, Protocol


class Secret:
    """A value that no repr, format, log line or pickle tells.

    Args:
        name: what the sources call it; this may be told.
        value: what must not be.
    """

    __slots__ = ("_name", "_value")

    __hash__ = None  # type: ignore[assignment]  # a secret is no key: a hash of it would tell something of its value

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def reveal(self) -> str:
        """The value, for whoever sends it to where it belongs."""
        return self._value

    def __repr__(self) -> str:
        """The name alone."""
        return f"Secret({self._name})"

    def __format__(self, _: str) -> str:
        """The name alone, whatever the format asks for."""
        return repr(self)

    def __eq__(self, other: object) -> bool:
        """Compares in a time that does not tell where two values differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __reduce__(self) -> NoReturn:
        """Refused: a pickle would hold the value.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self!r} can't be pickled")


class SecretSource(Protocol):
    """A place where secrets are looked for."""

    def get(self, name: str) -> Secret | None:
        """The secret of a name; None when this place has none."""


class EnvironmentSecrets:
    """Secrets in environment variables. An empty one counts as unset, as shells and compose files leave them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, name: str) -> Secret | None:
        """The variable of a name."""
        value = self._environ.get(name, "")
        return Secret(name, value) if value else None


class DirectorySecrets:
    """One file for each secret, as Docker and Kubernetes mount them; read anew each time, since they are replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> Secret | None:
        """The file of a name, without the line break at its end."""
        if not name or name in {".", ".."} or "/" in name or "\0" in name:
            return None
        try:
            value = (self._path / name).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError):
            return None
        return Secret(name, value) if value else None


class ChainedSecrets:
    """Several places, asked in order; the first that has a secret wins."""

    def __init__(self, sources: Sequence[SecretSource]) -> None:
        self._sources = tuple(sources)

    def get(self, name: str) -> Secret | None:
        """The secret of a name from the first place that has it."""
        for source in self._sources:
            secret = source.get(name)
            if secret is not None:
                return secret
        return None
