"""The retry storm: while the leaf fails every call, retries must not become a load of their own."""

import asyncio
import time
from collections.abc import Sequence

from bookmesh.mesh.v1.admin_pb2 import BREAKER_STATE_CLOSED, BREAKER_STATE_DISABLED

from tests.chaos.claims import LONG, Claim, Size, none_fails
from tests.chaos.course import Scenario
from tests.chaos.faults import provider_fails
from tests.chaos.house import House
from tests.chaos.load import Calls

FACTOR = 1.25
"""What the leaf may see, as a multiple of the calls that it would have seen."""

STORM_S = 10.0

BRIEF_FACTOR, BRIEF_S = 1.6, 2.0
"""The same for `make test`: in a storm so short, what the last ten seconds' calls have earned may be spent at once."""


async def _storm(house: House, size: Size) -> Sequence[Claim]:
    """The breaker, which would end the storm after three calls, is off; each search is one call when all is well."""
    seconds, limit = (STORM_S, FACTOR) if size is LONG else (BRIEF_S, BRIEF_FACTOR)
    well_calls, well = await _seen(house, seconds / 2)
    await house.close_breakers(BREAKER_STATE_DISABLED)
    async with provider_fails(house, kind="status", status=503):
        storm_calls, storm = await _seen(house, seconds)
    await house.close_breakers(BREAKER_STATE_CLOSED)
    async with provider_fails(house, kind="status", status=503):
        broken_calls, broken = await _seen(house, seconds)
    await house.close_breakers()
    factor = (storm_calls / len(storm)) / (well_calls / len(well))
    with_breaker = (broken_calls / len(broken)) / (well_calls / len(well))
    return [
        none_fails("searches while all is well", well),
        Claim(
            what=f"calls that the leaf sees in {seconds:g} s of failing, breaker off",
            claimed=f"at most {limit} x those without a retry",
            measured=f"{factor:.2f} x ({storm_calls} for {len(storm)} searches)",
            holds=factor <= limit,
        ),
        Claim(
            what="the same, breaker on",
            claimed="fewer than without a storm",
            measured=f"{with_breaker:.2f} x ({broken_calls} for {len(broken)} searches)",
            holds=with_breaker < 1,
        ),
    ]


async def _seen(house: House, seconds: float) -> tuple[int, Calls]:
    """Calls that the leaf sees, and the searches that they were for."""
    before, since = await house.leaf_calls(), time.monotonic()
    async with house.load(cached_per_s=1, uncached_per_s=20) as load:
        await asyncio.sleep(seconds)
    return await house.leaf_calls() - before, load.of("uncached", since)


STORM = (Scenario(broken="the leaf fails every call", run=_storm),)
