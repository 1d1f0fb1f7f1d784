"""The README's tables of settings say what the code takes, each key with its default."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from mesh.config.binding_settings import BindingSettings
from mesh.config.entrypoint_settings import EntrypointSettings

README = (Path(__file__).parents[2] / "README.md").read_text()


def told(after: str) -> dict[str, str]:
    """The keys of the first table after a sentence, with the defaults that it names."""
    table = re.search(r"\n\n(\| key .*?)\n\n", README[README.index(after) :], re.DOTALL)
    assert table is not None
    found: dict[str, str] = {}
    for line in table[1].splitlines()[2:]:
        keys, defaults = (cell.strip() for cell in line.split("|")[1:3])
        found |= dict(zip(re.findall(r"`([^`]+)`", keys), defaults.split(", "), strict=True))
    return found


def settable(settings: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key that a manifest may set, with its default as TOML has it."""
    if is_dataclass(settings):
        for each in fields(settings):
            value = getattr(settings, each.name)
            if is_dataclass(value):
                yield from settable(value, f"{prefix}{each.name}.")
            elif each.name != "methods":
                text = str(value).lower() if isinstance(value, bool) else f"{value:.10g}"
                yield f"{prefix}{each.name}", text


def test_bindings() -> None:
    """The table of bindings has every key, and no other, with its default."""
    assert told("## Settings of the mesh") == dict(settable(BindingSettings()))


def test_entrypoints() -> None:
    """So has the table of entrypoints."""
    assert told("And for what a service takes on") == dict(settable(EntrypointSettings()))
