"""How long each step of an ending may take: the only place for the keys of [drain] in the address book."""

from dataclasses import dataclass, fields

from mesh.config.overlay import Overlay
from mesh.config.table import Table

CUT_S = 1.0
"""Seconds that a call which was cut off gets to clean up and to tell its caller."""

LAST_S = 0.2
"""Seconds that the listeners get, when no call runs any more, to send what they have."""

_OWN_S = 10.0
"""Seconds that a service's own work gets to end after its last call."""

_LONGEST_S = 3600.0
"""Nobody waits longer than an hour for a process to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainSettings:
    """The steps, in their order."""

    lame_duck_s: float = 0.5
    """Seconds between NOT_SERVING and the closing of the door. A client that watches needs some milliseconds; one that
    asks now and then, as Kubernetes does, needs its period."""
    grace_s: float = 10.0
    """Seconds that running calls get to finish."""
    settle_s: float = 2.0
    """Seconds between one replica's SERVING and the end of the next in a rolling restart. Clients come back to a
    replica that was gone after little more than a second."""

    def longest_s(self) -> float:
        """Seconds after which a process that was told to end must be gone."""
        return self.lame_duck_s + self.grace_s + CUT_S + LAST_S + _OWN_S


def read_drain(said: Overlay) -> DrainSettings:
    """Reads [drain]; faults are noted."""
    names = [each.name for each in fields(DrainSettings)]
    said.only(names)
    found = {name: said.said(name, _seconds) for name in names}
    return DrainSettings(**{name: value for name, value in found.items() if value is not None})


def _seconds(table: Table, key: str) -> float | None:
    return table.number(key, least=0, most=_LONGEST_S)
