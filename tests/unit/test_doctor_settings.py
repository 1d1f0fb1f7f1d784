"""The doctor on settings: faulty, ignored, misspelt, unset and stood in for."""

import re
from pathlib import Path

import pytest

from mesh.config.address_book import parse_address_book
from mesh.config.manifest import Manifest, parse_manifest
from mesh.config.problems import Problem
from mesh.doctor.finding import error, note, ordered, summary, warning
from mesh.doctor.settings import VARIABLES, configuration, ignored_settings, secrets, unknown_variables
from mesh.secrets import EnvironmentSecrets

ROOT = Path(__file__).parents[2]


def manifest(more: str, name: str = "a") -> Manifest:
    """A manifest."""
    return parse_manifest(f'name = "{name}"\nmain = "m"\n{more}'.encode(), Path(f"{name}/service.toml"))


KEYED = '[[secrets_store_secrets]]\nbinding = "KEY"\nsecret_name = "The_Key"\n'


def test_configuration() -> None:
    """A problem of the configuration is an error with its place."""
    (found,) = configuration([Problem("mesh.toml:kv", "is wrong.")])
    assert (found.severity.value, found.what) == ("error", "mesh.toml:kv: is wrong.")


def test_ignored_settings() -> None:
    """Keys of wrangler's that do nothing here are named; a manifest without such has no finding."""
    found = [*ignored_settings([manifest('compatibility_date = "2025-01-01"\nworkers_dev = true'), manifest("", "b")])]
    assert [(each.severity.value, each.what) for each in found] == [
        ("note", "a/service.toml sets compatibility_date, workers_dev, which means nothing here.")
    ]


def test_unknown_variables() -> None:
    """A variable of ours that nothing reads is a warning, with the name that was most likely meant."""
    found = [*unknown_variables({"BOOKMESH_DTA", "BOOKMESH_DATA", "BOOKMESH_QQQQQQQ", "HOME"})]
    assert [(each.what, each.mend) for each in found] == [
        ("BOOKMESH_DTA is set, and nothing reads it.", "Did you mean 'BOOKMESH_DATA'?"),
        ("BOOKMESH_QQQQQQQ is set, and nothing reads it.", "Unset it."),
    ]


def test_every_variable_is_known() -> None:
    """What the code reads of the environment under our prefix is what the doctor knows, no more and no less."""
    text = "".join(
        path.read_text()
        for place in ("mesh", "services", "clients", "sandbox")
        for path in (ROOT / place).rglob("*.py")
        if path != ROOT / "mesh/doctor/settings.py"
    )
    assert set(re.findall(r'"(BOOKMESH_[A-Z_]+)"', text)) | set(re.findall(r"(BOOKMESH_\w+)=", text)) == set(VARIABLES)


def test_secret_that_is_unset() -> None:
    """A secret that nobody has set is named once, with all who declare it."""
    found = [*secrets([manifest(KEYED), manifest(KEYED, "b")], EnvironmentSecrets({}), (), {})]
    assert [(each.check, each.what) for each in found] == [("secret", "The_Key of a, b is unset.")]


def test_secret_in_other_letters() -> None:
    """A variable that differs from the secret in its capitals alone is pointed out."""
    (found,) = secrets([manifest(KEYED)], EnvironmentSecrets({}), (), {"THE_KEY"})
    assert found.what == "The_Key of a is unset. The environment has THE_KEY, which is another name."


@pytest.mark.parametrize("name", ["The_Key", "KEY"])
def test_secret_that_is_set(name: str) -> None:
    """A secret that is set, by its own name or its binding's, is no finding."""
    assert [*secrets([manifest(KEYED)], EnvironmentSecrets({name: "canary"}), (), {name})] == []


def test_stand_in() -> None:
    """A stand-in in force is told."""
    text = b'[stand_ins.The_Key]\nmodule = "sandbox"\naddress = "127.0.0.1:0"\nsecret = "canary"\n'
    book = parse_address_book(text, Path("mesh.toml"))
    (found,) = secrets([manifest(KEYED)], EnvironmentSecrets({"The_Key": "canary"}), book.stand_ins, {})
    assert (found.check, found.what) == ("stand-in", "The_Key is unset, and sandbox stands in for its provider.")
    assert "canary" not in found.line()


def test_order_and_summary() -> None:
    """The worst comes first, each once, and the summary counts them."""
    findings = ordered([note("n", "n.", ""), error("e", "e.", ""), warning("w", "w.", ""), error("e", "e.", "")])
    assert ([each.check for each in findings], summary(findings)) == (["e", "w", "n"], "1 error, 1 warning, 1 note")
    assert (summary([]), summary(findings * 2)) == ("nothing is wrong", "2 errors, 2 warnings, 2 notes")


def test_a_finding_is_one_line() -> None:
    """Whatever a finding quotes, it stays on one line, and as data it has its four words."""
    found = error("x", "a\nb", "c")
    assert (found.line(), found.as_data()) == (
        "error    x             a b c",
        {"severity": "error", "check": "x", "what": "a\nb", "mend": "c"},
    )
