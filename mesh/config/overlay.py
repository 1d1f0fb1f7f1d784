"""Tables that lie over one another, read as one: the only place where an environment's key hides the top's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from mesh.config.table import Table

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Overlay:
    """The tables of one name in several scopes; there may be none."""

    tables: tuple[Table, ...]
    """The last goes before those ahead of it."""

    def said(self, key: str, read: Callable[[Table, str], _T | None]) -> _T | None:
        """The value of a key in the last table that has it; every table is read, so that its faults are noted."""
        found: _T | None = None
        for table in self.tables:
            value = read(table, key)
            found = found if value is None else value
        return found

    def place(self) -> str:
        """Where the last of the tables stands, as Problem has it."""
        table = self.tables[-1]
        return f"{table.file}:{table.path}"

    def note(self, key: str, what: str) -> None:
        """Adds a problem with one key, where it is said last, or where it should have been."""
        having = [table for table in self.tables if key in table.values] or self.tables
        having[-1].note(key, what)

    def below(self, key: str) -> "Overlay":
        """The tables under one key."""
        return Overlay(tuple(inner for table in self.tables if (inner := table.table(key)) is not None))

    def named(self, key: str) -> dict[str, "Overlay"]:
        """Under one key, a table of tables: each of the inner ones by name."""
        found: dict[str, Overlay] = {}
        for table in self.tables:
            for name, inner in table.tables(key):
                found[name] = Overlay((*found.get(name, Overlay(())).tables, inner))
        return found

    def keys(self) -> Iterable[str]:
        """Every key that one of the tables has, once."""
        return dict.fromkeys(key for table in self.tables for key in table.values)

    def only(self, known: Iterable[str]) -> None:
        """Notes every key of every table that is not known."""
        for table in self.tables:
            table.only(tuple(known))
