"""The only place that says when Python looks for garbage: a look at all that lives holds every call up meanwhile.

What is no longer used goes at once; the collector only looks for circles, and it looks through all objects for them. Of
those that a process starts with it never finds any, and there are a hundred thousand. Of those that came later there
are as many once a library was warmed, and a look at them takes a tenth of a second: so that waits for a pause.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable

from mesh.turns import Turns

YOUNG = 1_000
"""New objects until the newest are looked through, which takes part of a millisecond."""

MIDDLE = 1
"""Looks at the newest after which those are looked through that outlived one, which takes one to two milliseconds. Done
more rarely it is as much work, but in one go: after five looks at 2,000 it took four to six."""

NEVER = 2**30
"""As many looks at those as there will never be: all are looked through by `keep_tidy`, and by nothing else."""

EVERY_S = 60.0
"""Seconds between two looks at all, or more while people call."""

PATIENCE_S = 600.0
"""Seconds after which a look is taken whether people call or not, so that no garbage gathers for ever."""

_GLANCE_S = 0.1
"""Seconds between two glances at whether people call."""


def settle() -> None:
    """Takes what the process has started with out of every later look, and leaves looks at all to `keep_tidy`."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER)


async def keep_tidy(turns: Turns, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Looks through all objects now and then, in a pause of people's calls; goes on until it is cancelled.

    Args:
        turns: knows whether people call.
        sleep: waits for so many seconds.
    """
    while True:
        await sleep(EVERY_S)
        waited_s = 0.0
        while turns.company.is_there and waited_s < PATIENCE_S:
            await sleep(_GLANCE_S)
            waited_s += _GLANCE_S
        gc.collect()
