"""How the address book writes where stores and secrets are: the only place that knows which kinds of place there are.

No problem repeats what was written: a URL may have a password in it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

EMBEDDED = "embedded"
"""The key-value server that `bookmesh up` starts by itself, with its data in the address book's data directory."""

MEMORY = "memory:"
"""A store that lives and dies with the process; for trying things out."""

_KV = re.compile(r"(?:redis|rediss|unix)://\S+")

_OBJECTS = re.compile(r"s3\+https?://\S+")

_DIRECTORY = "directory:"


def kv_url(text: str, _: Callable[[str], Path]) -> str:
    """Checks the place of a key-value store.

    Raises:
        ValueError: it is none; the text says what would be one.
    """
    if text in {EMBEDDED, MEMORY}:
        return text
    if _KV.fullmatch(text):
        # Whoever opens it would say what is wrong with it, and quote a piece of its password.
        if _split(text) is None:
            raise ValueError("has no host and port that can be read. Percent-encode what is special in its password.")
        return text
    raise ValueError("is no place of a key-value store. Write embedded, redis://..., rediss://... or unix://...")


def bucket_url(text: str, place: Callable[[str], Path]) -> str:
    """Checks the place of an object store; a directory's path becomes absolute.

    Raises:
        ValueError: it is none; the text says what would be one.
    """
    if text == MEMORY:
        return text
    if _OBJECTS.fullmatch(text):
        parts = _split(text)
        if parts is None or not parts.hostname:
            raise ValueError("has no host and port that can be read.")
        if "@" in parts.netloc:
            raise ValueError("has credentials in it. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead.")
        return text
    return _directory(text, place, "is no place of buckets. Write directory:PATH, s3+http://... or s3+https://...")


def secret_source(text: str, place: Callable[[str], Path]) -> str:
    """Checks a source of secrets; a directory's path becomes absolute.

    Raises:
        ValueError: it is none; the text says what would be one.
    """
    if text == "environment":
        return text
    return _directory(text, place, "holds what is no source of secrets. Write environment or directory:PATH.")


def _split(text: str) -> SplitResult | None:
    """The parts of a URL; None when its host or port can't be read."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _directory(text: str, place: Callable[[str], Path], what: str) -> str:
    path = text.removeprefix(_DIRECTORY)
    if path in {text, ""}:
        raise ValueError(what)
    return f"{_DIRECTORY}{place(path)}"
