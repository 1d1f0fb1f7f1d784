"""Secrets: found by name, and never told."""

import copy
import json
import pickle
from pathlib import Path

import pytest

from mesh.secrets import ChainedSecrets, DirectorySecrets, EnvironmentSecrets, Secret

CANARY = "canary-4711"


@pytest.mark.parametrize("tell", [repr, str, "{}".format, "{!r:>40}".format, "{:x}".format, lambda s: f"{[s]} {s}"])
def test_no_text_tells_it(tell: object) -> None:
    """However a secret is turned into text, its value is not in it."""
    assert CANARY not in tell(Secret("KEY", CANARY))  # type: ignore[operator]  # each is a function to text


@pytest.mark.parametrize("dump", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_cannot_be_dumped(dump: object) -> None:
    """A secret can't be pickled, copied or written as JSON."""
    with pytest.raises(TypeError):
        dump(Secret("KEY", CANARY))  # type: ignore[operator]  # each is a function of one value


def test_it_can_be_revealed_and_compared() -> None:
    """Whoever needs the value gets it, and two secrets of one value are equal."""
    secret = Secret("KEY", CANARY)
    assert (secret.reveal(), secret == Secret("OTHER", CANARY), secret == Secret("KEY", "x")) == (CANARY, True, False)


def test_environment() -> None:
    """A variable is a secret; an empty or missing one is none."""
    source = EnvironmentSecrets({"KEY": CANARY, "EMPTY": ""})
    assert (source.get("KEY"), source.get("EMPTY"), source.get("MISSING")) == (Secret("KEY", CANARY), None, None)


def test_directory(tmp_path: Path) -> None:
    """A file is a secret, without the line break at its end; names can't lead out of the directory."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "outside").write_text("x")
    (tmp_path / "secrets" / "KEY").write_text(CANARY + "\n")
    source = DirectorySecrets(tmp_path / "secrets")
    names = ("KEY", "MISSING", "../outside", "", ".")
    assert [source.get(name) for name in names] == [Secret("KEY", CANARY), None, None, None, None]


def test_the_first_source_wins() -> None:
    """Of several sources the first that has a secret gives it."""
    source = ChainedSecrets([EnvironmentSecrets({"A": "1"}), EnvironmentSecrets({"A": "2", "B": "3"})])
    assert (source.get("A"), source.get("B"), source.get("C")) == (Secret("A", "1"), Secret("B", "3"), None)
