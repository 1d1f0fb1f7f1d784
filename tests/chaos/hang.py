"""A provider that hangs, in figures: what cached searches feel of it, and how fast the others are refused.

The provider is well and hangs in turns of two seconds, under the same load, so that what else the machine does meets
both alike. The figures are medians over rounds of such turns.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.chaos.claims import Claim, Size, in_words, none_fails
from tests.chaos.course import REFUSED_S, Scenario
from tests.chaos.fault_proxy import Blackhole
from tests.chaos.faults import proxied
from tests.chaos.house import House, house
from tests.chaos.load import Calls, Load

MOVES = 0.1
"""By what share the p99 of cached searches may be longer while the provider hangs."""

ROUNDS = 7

TURNS = 4
"""Turns of each kind in a round; those without a fault are twice as many, so that they can be held against themselves.
"""

CACHED_PER_S = 100
"""Enough for a p99 in each round."""

_TURN_S = 2.0
_SETTLE_S = 0.3


@dataclass(frozen=True, slots=True)
class _Round:
    """What the calls of a round took at the 99th percentile, in seconds."""

    before_s: float
    """In the turns before a fault."""
    hung_s: float
    after_s: float
    """In the turns after a fault: beside `before_s` it tells how much the machine itself moves."""
    refused: Calls
    """Uncached searches that an open breaker refused."""

    @property
    def well_s(self) -> float:
        """Without a fault."""
        return (self.before_s + self.after_s) / 2


async def _hang(_: House, size: Size) -> Sequence[Claim]:
    with tempfile.TemporaryDirectory() as folder:
        # Not the house of the others, whose stores are behind proxies: in milliseconds those would show.
        async with house(Path(folder), remote=False) as own:
            return await _measured(own, size)


async def _measured(made: House, size: Size) -> Sequence[Claim]:
    async with made.load(cached_per_s=CACHED_PER_S) as load:
        await asyncio.sleep(1)
        rounds = [await _round(made, load) for _ in range(ROUNDS)]
    well_s, hung_s = median(each.well_s for each in rounds), median(each.hung_s for each in rounds)
    moved = median(each.hung_s / each.well_s - 1 for each in rounds)
    noise = median(abs(each.after_s / each.before_s - 1) for each in rounds)
    refused_s, refused_p99_s = (median(each.refused.quantile_s(at) for each in rounds) for at in (0.5, 0.99))
    count = sum(len(each.refused) for each in rounds)
    return [
        none_fails("cached searches", load.of("cached")),
        Claim(
            what="p99 of cached searches, well against hanging",
            claimed=f"moves up by less than {MOVES:.0%}",
            measured=f"{moved:+.1%}: {in_words(well_s)}, {in_words(hung_s)} (without a fault by {noise:.1%})",
            holds=moved < MOVES,
        ),
        Claim(
            what="uncached searches, breaker open",
            claimed=f"refused within {in_words(REFUSED_S * size.slack)}",
            measured=f"p50 {in_words(refused_s)}, p99 {in_words(refused_p99_s)} of {count}",
            holds=count > 0 and refused_s < REFUSED_S * size.slack,
        ),
    ]


async def _round(made: House, load: Load) -> _Round:
    """Turns of a provider that is well, hangs, and is well again; an operator closes the breaker, which saves time."""
    turns = []
    for _ in range(TURNS):
        began = time.monotonic()
        await asyncio.sleep(_TURN_S)
        hung = time.monotonic()
        async with proxied(made.provider, Blackhole()):
            await asyncio.sleep(_TURN_S)
            mended = time.monotonic()
        await made.close_breakers()
        await asyncio.sleep(_SETTLE_S)
        again = time.monotonic()
        await asyncio.sleep(_TURN_S)
        turns.append((began, hung, mended, again, time.monotonic()))
    return _Round(
        _p99_s(load, [(began, hung) for began, hung, *_ in turns]),
        _p99_s(load, [(hung, mended) for _, hung, mended, *_ in turns]),
        _p99_s(load, [(again, ended) for *_, again, ended in turns]),
        Calls([each for _, hung, mended, *_ in turns for each in _refused(load, hung, mended).samples]),
    )


def _p99_s(load: Load, times: Sequence[tuple[float, float]]) -> float:
    """Of the cached searches of several turns."""
    return Calls([each for since, until in times for each in load.of("cached", since, until).samples]).quantile_s(0.99)


def _refused(load: Load, since: float, until: float) -> Calls:
    return load.of("uncached", since, until).because("CIRCUIT_OPEN")


HANG = (Scenario(broken="the provider hangs, in turns", run=_hang, brief=False),)
