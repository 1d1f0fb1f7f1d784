"""Whatever befalls replicas whose clocks differ: no instant fires twice, none is lost, and no two firings overlap.

Lines to the store take up to a second; replicas are killed, frozen, drained and started again, the store goes away and
comes back, and people fire by hand, all at moments that hypothesis picks.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.firings.judging import overlaps
from bench.firings.replica import Replica, Run
from bench.firings.world import World
from mesh.schedule.firing import Firing
from mesh.schedule.running import Timing
from mesh.schedule.state import LOST, ON_TIME_S
from mesh.schedule.times import last_due, next_due
from mesh.stores.memory import MemoryKv

NOON = 1_798_804_800.0
TIMING = Timing()
SLOWEST_S = 0.45
"""One way of two, so that an operation stays within the second that a real store gives it."""
QUIET_S = 1_800.0
"""After that long without any blow all that can be made up is."""


@dataclass
class Life:
    """A course of blows, and what came of it."""

    line: str
    world: World
    replicas: Sequence[Replica]
    runs: list[Run] = field(default_factory=list)
    kept: Sequence[Firing] = ()
    well_since: float = NOON
    """Since when every replica and the store are well."""
    asked: list["asyncio.Future[Firing]"] = field(default_factory=list)

    async def strike(self, blow: str, replica: Replica) -> None:
        """Lets something happen."""
        if blow == "store":
            self.world.is_store_away = not self.world.is_store_away
        elif blow == "freeze":
            replica.freeze()
        elif blow == "thaw":
            replica.thaw()
        elif replica.schedule is None:
            await replica.start()
        elif blow == "kill":
            await replica.kill()
        elif blow == "stop":
            await replica.stop()
        elif blow == "fire":
            self.asked.append(asyncio.ensure_future(replica.schedule.fire(self.line)))

    async def end(self) -> None:
        """Lets all be well, waits, and asks what is kept."""
        self.world.is_store_away = False
        for replica in self.replicas:
            replica.thaw()
            if replica.schedule is None:
                await replica.start()
        self.well_since = self.world.now
        await self.world.run_until(self.world.now + QUIET_S)
        schedule = self.replicas[0].schedule
        assert schedule is not None
        asked = asyncio.ensure_future(schedule.list())
        while not asked.done():
            await self.world.run_until(self.world.now + 1)
        self.kept = asked.result()[0].firings
        for replica in self.replicas:
            await replica.kill()
        await asyncio.gather(*self.asked, return_exceptions=True)


BLOWS = st.lists(
    st.tuples(
        st.floats(0, 400),
        st.sampled_from(["kill", "kill", "stop", "freeze", "thaw", "store", "fire", "start"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


async def lived(
    line: str, ahead: Sequence[float], works_s: float, blows: Sequence[tuple[float, str, int]], seed: int
) -> Life:
    """Lives through a course."""
    world, chance = World(NOON + seed % 600), random.Random(seed)  # noqa: S311 - chances that come again, no secrets
    kv, runs = MemoryKv(lambda: world.now), list[Run]()
    replicas = [
        Replica(
            number,
            world,
            lambda: kv,
            [line],
            runs,
            ahead_s=seconds,
            chance=random.Random(chance.random()),  # noqa: S311 - as above
            works_s=works_s,
            slowest_s=SLOWEST_S,
            timing=TIMING,
        )
        for number, seconds in enumerate(ahead)
    ]
    life = Life(line, world, replicas, runs)
    for replica in replicas:
        await replica.start()
    await world.run_until(world.now + 10)
    for after, blow, which in blows:
        await world.run_until(world.now + after)
        await life.strike(blow, replicas[which % len(replicas)])
    await life.end()
    return life


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["* * * * *", "*/5 * * * *", "0,7,20,45 * * * *"]),
    st.lists(st.floats(-3, 3), min_size=1, max_size=4),
    st.sampled_from([0.0, 30.0, 200.0]),
    BLOWS,
    st.integers(0, 2**32),
)
def test_never_twice_never_lost_never_overlapping(
    line: str, ahead: list[float], works_s: float, blows: list[tuple[float, str, int]], seed: int
) -> None:
    """What was fired is what was due, each instant once, one after the other."""
    life = asyncio.run(lived(line, ahead, works_s, blows, seed))
    ended = [firing for firing in life.kept if firing.end_time is not None]
    by_clock = [firing for firing in ended if not (firing.forced or firing.outcome.startswith("skipped"))]

    assert overlaps(life.runs) == []

    # Never twice: an instant has a second firing only where the first was lost, and that one makes up for it.
    for due, times in Counter(firing.due_time for firing in by_clock).items():
        told = sorted((each for each in by_clock if each.due_time == due), key=lambda each: each.made_up)
        assert times == 1 or [(each.reason == LOST, each.made_up) for each in told][:1] == [(True, False)]
        assert times <= 2
    assert all(times <= 2 for times in Counter(run.firing.id for run in life.runs).values())
    assert {(run.firing.due_time, run.firing.start_time) for run in life.runs if run.is_whole} >= {
        (each.due_time, each.start_time) for each in by_clock if each.reason != LOST
    }

    # Never lost: all that came while all was well was fired or skipped, and nothing waits any more.
    begins = life.well_since + TIMING.lease_s + ON_TIME_S
    known = {firing.due_time for firing in life.kept}
    due = next_due(line, begins)
    while due < life.world.now - 10 and len(life.kept) < 100:
        assert due in known
        due = next_due(line, due)
    assert last_due(line, life.world.now - 10) in known

    # A lost firing is made up for, by its own instant or by a later one.
    for gone in (each for each in by_clock if each.reason == LOST and not each.made_up):
        assert any(each.due_time > gone.due_time or each.made_up for each in by_clock if each.due_time >= gone.due_time)

    # Nobody is early by more than its clock is ahead.
    assert all(run.began >= run.firing.due_time - 3.001 for run in life.runs)
