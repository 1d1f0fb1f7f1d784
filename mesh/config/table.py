"""A table of a configuration file, read key by key: the only place that knows the types of its values.

Readers never stop at the first fault: each notes what is wrong in a shared list and gives back an empty value of the
wanted type, so that a person sees all that is to be mended at once. What was built on a noted fault is thrown away.
"""

import datetime as dt
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from mesh.config.problems import Problem, did_you_mean

_T = TypeVar("_T")

Value = str | int | float | bool | tuple["Value", ...] | Mapping[str, "Value"]
"""What a setting may hold once it is read, frozen to its depths."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_$-]+")

_FLOAT_BITS = 1_000
"""Whole numbers of fewer bits surely fit a float, whose exponent ends at 1,024."""

_TYPE_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "text"),
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    ((list, tuple), "a list"),
    (Mapping, "a table"),
    ((dt.date, dt.time), "a date or time"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a file, with the place it stands at and the list that its problems go to.

    Each reader gives None for a key that is absent, and an empty value for one that is wrong.
    """

    values: Mapping[str, object] = field(repr=False)
    """What the parser found. Silent: an address book may have passwords."""
    file: str
    """The file as people should see it named."""
    problems: list[Problem]
    """Shared by all tables of a reading."""
    path: str = ""
    """The keys that lead here, joined by dots; empty for the whole file."""

    def path_of(self, key: str) -> str:
        """The dotted path of a key of this table; one that needs quotes gets them, so a path is always one line."""
        shown = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
        return f"{self.path}.{shown}" if self.path else shown

    def where(self, key: str) -> str:
        """The place of a key, as Problem has it."""
        return f"{self.file}:{self.path_of(key)}"

    def note(self, key: str, what: str) -> None:
        """Adds a problem with one key."""
        self.problems.append(Problem(self.where(key), what))

    def text(self, key: str) -> str | None:
        """Text that is not empty."""
        value = self.any_text(key)
        if value == "" and isinstance(self.values[key], str):
            self.note(key, "is empty. Give it a value, or leave the key out.")
        return value

    def any_text(self, key: str) -> str | None:
        """Text, which may be empty."""
        return self._typed(key, str, "text", "")

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts."""
        values = self._typed(key, list, "a list of texts", [])
        if values is None:
            return None
        wrong = next((item for item in values if not isinstance(item, str)), None)
        if wrong is not None:
            self.note(key, f"must be a list of texts, and holds {type_word(wrong)}.")
        return tuple(item for item in values if isinstance(item, str))

    def whole(self, key: str, *, least: int) -> int | None:
        """A whole number that is not below `least`."""
        value = self._typed(key, int, "a whole number", least)
        if value is not None and value < least:
            self.note(key, f"must be at least {least}.")
            return least
        return value

    def number(self, key: str, *, least: float, most: float) -> float | None:
        """A number between two others, with or without decimals."""
        value = self._float(key, "a number", least)
        if value is not None and not least <= value <= most:
            self.note(key, f"must be from {least:g} to {most:g}.")
            return least
        return value

    def _float(self, key: str, word: str, empty: float) -> float | None:
        found = self.values.get(key)
        if isinstance(found, int) and not isinstance(found, bool):
            # A whole number may be longer than any float; it is as endless as inf then.
            return float(found) if found.bit_length() < _FLOAT_BITS else math.inf
        return self._typed(key, float, word, empty)

    def seconds(self, key: str) -> float | None:
        """A finite number above 0, with or without decimals."""
        value = self._float(key, "a number of seconds", 1.0)
        if value is not None and not (math.isfinite(value) and value > 0):
            self.note(key, "must be a finite number of seconds above 0.")
            return 1.0
        return value

    def flag(self, key: str) -> bool | None:
        """True or false."""
        return self._typed(key, bool, "true or false", False)  # noqa: FBT003 - the value for a faulty key

    def table(self, key: str) -> "Table | None":
        """A table below this one."""
        values = self._typed(key, dict, "a table", {})
        return None if values is None else self._below(self.path_of(key), values)

    def tables(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """The tables in a table of tables, each with its key; none when the key is absent."""
        outer = self.table(key)
        if outer is None:
            return
        for name, values in outer.values.items():
            inner = outer.table(name)
            if inner is not None and isinstance(values, dict):
                yield name, inner

    def items(self, key: str) -> Iterator["Table"]:
        """The tables in a list of tables; none when the key is absent."""
        for index, item in enumerate(self._typed(key, list, "a list of tables", []) or []):
            path = f"{self.path_of(key)}[{index}]"
            if isinstance(item, dict):
                yield self._below(path, item)
            else:
                what = f"must be a table, and is {type_word(item)}."
                self.problems.append(Problem(f"{self.file}:{path}", what))

    def value(self, key: str) -> Value | None:
        """Anything that JSON could hold too, frozen; but no null, which means nothing here."""
        try:
            return _frozen(self.values[key]) if key in self.values else None
        except TypeError as error:
            self.note(key, f"can't hold {error}.")
            return ""

    def only(self, known: Collection[str], ignored: Collection[str] = ()) -> tuple[str, ...]:
        """Notes every key that is neither known nor ignored; returns the paths of the ignored ones that are there."""
        for key in self.values:
            if key not in known and key not in ignored:
                words = ", ".join(sorted(known))
                self.note(
                    key, f"is not a known key.{did_you_mean(key, [*known, *ignored]) or f' Known here: {words}.'}"
                )
        return tuple(self.path_of(key) for key in self.values if key in ignored)

    def _below(self, path: str, values: Mapping[str, object]) -> "Table":
        return Table(values=values, file=self.file, problems=self.problems, path=path)

    def _typed(self, key: str, kind: type[_T], word: str, empty: _T) -> _T | None:
        if key not in self.values:
            return None
        value = self.values[key]
        # Python's bool is an int; in a file true is no number.
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        hint = " Put it in quotes." if kind is str and isinstance(value, (int, float)) else ""
        self.note(key, f"must be {word}, and is {type_word(value)}.{hint}")
        return empty


def type_word(value: object) -> str:
    """The type of a parsed value, in the words of people who write configuration."""
    return next((word for kind, word in _TYPE_WORDS if isinstance(value, kind)), "null")


def _frozen(value: object) -> Value:
    if isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    raise TypeError("a number that is not finite" if isinstance(value, float) else type_word(value))
