"""A provider that hangs, in figures: what cached searches feel of it, and how fast the others are refused.

Rounds of the same load with the provider well and hanging take turns in one run, so that what else the machine does
meets both alike; the figures are medians over the rounds.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.chaos.claims import Claim, Size, in_words, none_fails
from tests.chaos.course import REFUSED_S, REOPEN_S, Scenario
from tests.chaos.fault_proxy import Blackhole
from tests.chaos.faults import proxied
from tests.chaos.house import DEADLINE_MS, House
from tests.chaos.load import Calls, Load

MOVES = 0.1
"""By what share the p99 of cached searches may be longer while the provider hangs."""

ROUNDS = 8

CACHED_PER_S = 100
"""Enough for a p99 in each phase."""

_PHASE_S = 4.0


@dataclass(frozen=True, slots=True)
class _Round:
    """What a round's calls took; the second phase without a fault tells how much the machine itself moves."""

    well_s: float
    hung_s: float
    again_s: float
    refused: Calls


async def _hang(house: House, size: Size) -> Sequence[Claim]:
    async with house.load(cached_per_s=CACHED_PER_S) as load:
        await asyncio.sleep(1)
        rounds = [await _round(house, load) for _ in range(ROUNDS)]
    well_s = median([each.well_s for each in rounds] + [each.again_s for each in rounds])
    hung_s = median(each.hung_s for each in rounds)
    noise = median(abs(each.again_s / each.well_s - 1) for each in rounds)
    refused_s, refused_p99_s = (median(each.refused.quantile_s(at) for each in rounds) for at in (0.5, 0.99))
    count = sum(len(each.refused) for each in rounds)
    moved = hung_s / well_s - 1
    return [
        none_fails("cached searches", load.of("cached")),
        Claim(
            what="p99 of cached searches, well against hanging",
            claimed=f"moves up by less than {MOVES:.0%}",
            measured=f"{moved:+.1%}: {in_words(well_s)}, {in_words(hung_s)} (between two well phases {noise:.1%})",
            holds=moved < MOVES,
        ),
        Claim(
            what="uncached searches, breaker open",
            claimed=f"refused within {in_words(REFUSED_S * size.slack)}",
            measured=f"p50 {in_words(refused_s)}, p99 {in_words(refused_p99_s)} of {count}",
            holds=count > 0 and refused_s < REFUSED_S * size.slack,
        ),
    ]


async def _round(house: House, load: Load) -> _Round:
    """Well, hanging, and well again, with the time between in which the breaker closes."""
    began = time.monotonic()
    await asyncio.sleep(_PHASE_S)
    hung = time.monotonic()
    async with proxied(house.provider, Blackhole()):
        await asyncio.sleep(_PHASE_S)
        ended = time.monotonic()
    await asyncio.sleep(DEADLINE_MS / 1000 + REOPEN_S)
    again = time.monotonic()
    await asyncio.sleep(_PHASE_S)
    return _Round(
        load.of("cached", began, hung).quantile_s(0.99),
        load.of("cached", hung, ended).quantile_s(0.99),
        load.of("cached", again).quantile_s(0.99),
        load.of("uncached", hung, ended).because("CIRCUIT_OPEN"),
    )


HANG = (Scenario(broken="the provider hangs, in turns", run=_hang, brief=False),)
