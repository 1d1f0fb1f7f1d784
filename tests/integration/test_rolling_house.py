"""What the measurement of rolling restarts hears from the one that minds the replicas, and what it makes of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.rolling.house import House, RollingError

MINDER = """
import signal, sys
first, second = sys.argv[1:]

def say(text):
    print(text, file=sys.stderr, flush=True)

def rolls(*_):
    say(second)

signal.signal(signal.SIGHUP, rolls)
say(first)
while "ends" not in first:
    signal.pause()
"""


def said(*events: str) -> str:
    """Log lines with these events; a restart took 1.5 s."""
    return "\n".join(json.dumps({"event": event, "took_s": 1.5}) for event in events)


@asynccontextmanager
async def house(first: str, second: str = "") -> AsyncIterator[House]:
    """One whose log says the first when it starts, and the second on SIGHUP; with "ends" in the first it ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", MINDER, first, second, stderr=asyncio.subprocess.PIPE
    )
    found = House(Path(), process)
    try:
        yield found
    finally:
        await found.end()


async def test_start_and_roll() -> None:
    """It has started when all serve, and was restarted when that is said to be done; each restart's time is kept."""
    async with house(
        f"no JSON\n{said('listening', 'all_serve')}",
        said("rolling_restart", "process_restarted", "process_restarted", "rolling_restart_done"),
    ) as found:
        await found.start()
        await found.roll()
        assert found.restarts_s == [1.5, 1.5]


@pytest.mark.parametrize("events", [["process_died"], ["not_serving"], ["listening", "process_died", "all_serve"]])
async def test_start_with_a_fault(events: Sequence[str]) -> None:
    """A replica that dies on the way is an error at once, which tells what was said last."""
    async with house(said(*events)) as found:
        with pytest.raises(RollingError, match="waited for all_serve"):
            await found.start()


async def test_ended() -> None:
    """One that ends is an error with its last words, and not a wait."""
    async with house("no address book; ends") as found:
        with pytest.raises(RollingError, match="no address book; ends"):
            await found.start()


@pytest.mark.parametrize("fault", ["rolling_restart_stopped", "process_died", "process_killed"])
async def test_roll_with_a_fault(fault: str) -> None:
    """A restart that stops, or in which a replica dies or is killed, is an error."""
    async with house(said("all_serve"), said("rolling_restart", fault)) as found:
        await found.start()
        with pytest.raises(RollingError, match=fault):
            await found.roll()
