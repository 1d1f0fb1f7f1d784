"""What the layers of one service share: its counts, breakers, journal, entrance, vitals, clock and chance."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mesh.breakers import Breakers
from mesh.call import Clock
from mesh.entrance import Entrance
from mesh.hosting.vitals import Vitals
from mesh.journal import Journal
from mesh.stats import Stats
from mesh.turns import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One service's share of the mesh. Everything in it is the service's own, so no caller stands in another's way."""

    service: str
    """The service's name; empty for people, who are no service."""
    stats: Stats = field(default_factory=Stats)
    """What it counts."""
    breakers: Breakers = field(default_factory=Breakers)
    """The breakers of its own bindings."""
    journal: Journal = field(default_factory=Journal)
    """What the mesh did for its calls."""
    entrance: Entrance = field(default_factory=Entrance)
    """Which calls from outside run in it."""
    turns: Turns = field(default_factory=Turns)
    """Who works next in this process, of those that nobody waits for."""
    vitals: Vitals = field(default_factory=Vitals)
    """What of its own has failed."""
    clock: Clock = time.monotonic
    """Seconds that never go back."""
    chance: Callable[[], float] = random.random
    """A number from 0 to below 1, for jitter."""
