"""A TOML or JSON file as a table: the only place that knows the syntax of configuration files."""

import json
import re
import tomllib
from pathlib import Path

from mesh.config.problems import Problem
from mesh.config.table import Table, type_word

_JSON_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
"""A string, which is kept, or a comment as .jsonc has them."""

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
"""Where tomllib of Python 3.11 says it stopped; it has no attributes for it."""


def read_document(path: Path, problems: list[Problem]) -> Table | None:
    """Reads a .toml, .json or .jsonc file; a file that can't be read is noted, and is None."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problems.append(Problem(str(path), f"can't be read: {reason}."))
        return None
    return parse_document(data, path, problems)


def parse_document(data: bytes, path: Path, problems: list[Problem]) -> Table | None:
    """Parses what stands in a file, by the ending of its name; a fault of syntax is noted with line and column."""
    file = str(path)
    try:
        text = data.decode("utf-8-sig")
        values = _parse(text, path.suffix)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problems.append(Problem(f"{file}:{line}", "is not UTF-8. Save the file with that encoding."))
        return None
    except json.JSONDecodeError as error:
        problems.append(Problem(f"{file}:{error.lineno}:{error.colno}", f"is not JSON: {error.msg}."))
        return None
    except RecursionError:
        problems.append(Problem(file, "is nested too deeply."))
        return None
    except ValueError as error:
        place = _TOML_PLACE.search(str(error))
        at = _place(place, text) if place else ""
        problems.append(Problem(f"{file}{at}", f"can't be parsed: {_TOML_PLACE.sub('', str(error))}."))
        return None
    if not isinstance(values, dict):
        problems.append(Problem(file, f"must hold a table, and holds {type_word(values)}."))
        return None
    return Table(values=values, file=file, problems=problems)


def _parse(text: str, suffix: str) -> object:
    if suffix == ".toml":
        return tomllib.loads(text)
    if suffix in {".json", ".jsonc"}:
        return json.loads(_JSON_COMMENT.sub(_blanked, text), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    raise ValueError(f"a name ending in {suffix!r}, where .toml, .json or .jsonc tells the syntax")


def _place(found: re.Match[str], text: str) -> str:
    """Line and column, as a suffix of the file's name."""
    line, column = found.groups()
    if line is None:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return f":{line}:{column}"


def _blanked(found: re.Match[str]) -> str:
    """A comment as blanks, so that what follows keeps its line and column."""
    text = found[0]
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON, which unlike TOML lets a key stand twice and forgets the first without a word."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {json.dumps(key)} stands twice in one object")
        found[key] = value
    return found
