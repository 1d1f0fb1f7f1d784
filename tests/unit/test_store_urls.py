"""Places of stores as the address book writes them: what can't be read is refused without a word of it."""

from pathlib import Path

import pytest

from mesh.config.document import parse_document
from mesh.config.problems import Problem
from mesh.config.store_urls import bucket_url, kv_url


def place(text: str) -> Path:
    """An absolute path."""
    return Path("/") / text


@pytest.mark.parametrize(
    "url",
    [
        "embedded",
        "memory:",
        "redis://127.0.0.1:6379/0",
        "redis://user:p%23ss@h:1/0",
        "rediss://h",
        "unix:///run/valkey.sock",
        "redis:///0",
    ],
)
def test_key_value_store(url: str) -> None:
    """What a client can open is taken as it is."""
    assert kv_url(url, place) == url


@pytest.mark.parametrize(
    "url",
    ["redis://:canary#x@h:1/0", "redis://:canary/x@h:1/0", "redis://h:canary/0", "redis://:[canary@h/0", "canary"],
)
def test_key_value_store_that_cannot_be_read(url: str) -> None:
    """What no client can open is refused before one says why, for it would quote the password."""
    with pytest.raises(ValueError, match=r"^(has no host and port|is no place)") as caught:
        kv_url(url, place)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["s3+http://127.0.0.1:8333", "s3+https://s3.example.org", "memory:"])
def test_bucket(url: str) -> None:
    """What a client can open is taken as it is."""
    assert bucket_url(url, place) == url


@pytest.mark.parametrize("url", ["s3+http://id:canary@h:1", "s3+http://h:canary", "s3+https://:1", "ftp://canary"])
def test_bucket_that_cannot_be_used(url: str) -> None:
    """What no client can open, and what has a key in it, is refused without repeating it."""
    with pytest.raises(ValueError, match=r"^(has|is)") as caught:
        bucket_url(url, place)
    assert "canary" not in str(caught.value)


def test_tables_of_a_file_are_silent() -> None:
    """A table that was read shows where it stands, and nothing that stands in it."""
    problems: list[Problem] = []
    table = parse_document(b'[kv]\ndefault = "redis://:canary@h:1/0"', Path("mesh.toml"), problems)
    assert table is not None
    assert "canary" not in repr(table) + repr(table.table("kv"))
