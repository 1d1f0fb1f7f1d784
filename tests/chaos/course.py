"""How a fault is gone through: a load before, during and after it, until all is well again."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from tests.chaos.claims import Claim, Size
from tests.chaos.house import DEADLINE_MS, OPEN_S, House
from tests.chaos.load import Calls, Load

DEADLINE_S = DEADLINE_MS / 1000
"""Seconds that the leaf has for an answer."""

REOPEN_S = OPEN_S * 1.1
"""Seconds until an open breaker lets a probe through; a tenth is its jitter."""

ANSWER_S = 0.25
"""Seconds for an answer when nothing has to be waited for."""

REFUSED_S = 0.005
"""Seconds in which an open breaker refuses, as callers see it: the stores are embedded."""

REFUSED_REMOTE_S = 0.025
"""The same where both stores are servers behind fault proxies, for they have to be asked first."""

_WAIT_S = 45.0
"""Seconds after which nobody waits any more for all to be well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault."""

    broken: str
    """What is broken, for people."""
    run: Callable[[House, Size], Coroutine[Any, Any, Sequence[Claim]]]
    brief: bool = True
    """`make test` runs it, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the calls went, before, during and after a fault."""

    load: Load
    began: float
    ended: float
    well_s: float
    """Seconds from the fault's end until all was well."""

    def during(self, kind: str, after_s: float = 0.0) -> Calls:
        """The calls whose turn was while the fault lasted, `after_s` after it began."""
        return self.load.of(kind, self.began + after_s, self.ended)


async def through(
    house: House,
    size: Size,
    fault: AbstractAsyncContextManager[None],
    *,
    least_s: float = 0.0,
    timeout_s: float | None = None,
    said: Sequence[str] = ("HOT", "ORIGIN"),
) -> Course:
    """A load through a fault, until all is well again.

    Args:
        house: where.
        size: how long.
        fault: what breaks.
        least_s: seconds that the fault must last to show.
        timeout_s: seconds that the callers give; None is more than the services take.
        said: tiers from which answers come when all is well.
    """
    async with house.load(timeout_s=timeout_s) as load:
        await asyncio.sleep(0.3)
        began = time.monotonic()
        async with fault:
            await asyncio.sleep(max(size.fault_s, least_s))
        ended = time.monotonic()
        well_s = await load.well(ended, _WAIT_S, said)
    return Course(load=load, began=began, ended=ended, well_s=well_s)
