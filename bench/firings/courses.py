"""What happens to the replicas of a house over simulated days: each course says what befalls them and when."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.firings.judging import Count, count, dues
from bench.firings.replica import Replica, Run
from bench.firings.world import World
from mesh.schedule.firing import Firing
from mesh.schedule.running import Timing
from mesh.stores.protocol import Kv

LINE = "0 2 * * *"
"""The trigger."""

DAY_S = 86_400.0

NOON = 1_798_804_800.0
"""When all begins: 2027-01-01, noon in UTC."""

APART_S = 2.0
"""Seconds between the clocks of two replicas."""

WORKS_S = 300.0
"""The longest that a firing takes."""

SLOWEST_S = 0.05
"""The longest that one way to the store takes."""

TIMING = Timing(rest_s=DAY_S / 4)
"""As shipped, but that nobody looks for moved clocks each minute while nothing is due: none are moved here."""

ALL = -1
"""Every replica."""
STORE = -2
"""The store."""


@dataclass(frozen=True, slots=True, order=True)
class Blow:
    """Something that befalls somebody for a while."""

    at: float
    """When, by the true time."""
    who: int
    """A replica's number, ALL or STORE."""
    lasts_s: float
    """How long it is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a course takes place."""

    chance: random.Random
    """What is random."""
    days: int
    """How long it takes."""
    replicas: int
    """How many there are."""

    def dues(self) -> Iterator[float]:
        """When the trigger is due."""
        return dues(LINE, NOON, NOON + self.days * DAY_S)


@dataclass(frozen=True, slots=True)
class Course:
    """What happens over some days."""

    title: str
    """What it is, for people."""
    blows: Callable[[Setting], Iterator[Blow]]
    """What happens."""
    expected: Callable[[int], int]
    """Firings that come to their end in so many days."""


def kills(of: Setting) -> Iterator[Blow]:
    """Each day one replica is killed, whichever it is, around the time that the trigger is due, and another at any."""
    within = of.chance.uniform
    for due in of.dues():
        yield Blow(due + within(-30, WORKS_S), of.chance.randrange(of.replicas), within(1, 1_800))
        yield Blow(due + within(3_600, DAY_S - 7_200), of.chance.randrange(of.replicas), within(1, 3_600))


def holder_kills(of: Setting) -> Iterator[Blow]:
    """Each day the replica that is ahead of the others, which fires, is killed in the midst of it."""
    for due in of.dues():
        yield Blow(due + of.chance.uniform(0, WORKS_S / 4), of.replicas - 1, of.chance.uniform(1, 1_800))


def outage(of: Setting) -> Iterator[Blow]:
    """All are down for three days, from some time between two firings on."""
    yield Blow(NOON + (of.days // 3) * DAY_S + of.chance.uniform(0, 3_600), ALL, 3 * DAY_S)


def store_outages(of: Setting) -> Iterator[Blow]:
    """Each other day the store is away for up to an hour when the trigger is due."""
    for due in list(of.dues())[::2]:
        yield Blow(due - of.chance.uniform(5, 600), STORE, of.chance.uniform(600, 3_600))


COURSES = (
    Course("nothing happens", lambda _: iter(()), lambda days: days),
    Course("two replicas a day are killed, at random moments", kills, lambda days: days),
    Course("the one that fires is killed each day, often in the midst of it", holder_kills, lambda days: days),
    Course("all are down for three days", outage, lambda days: days - 2),
    Course("the store is away each other day when it is due", store_outages, lambda days: days),
)


async def live(course: Course, connect: Callable[[], Kv], *, days: int, replicas: int, seed: int) -> Count:
    """Lives through a course, and counts.

    Args:
        course: what happens.
        connect: opens the store that all share.
        days: how long it takes.
        replicas: how many there are.
        seed: of all that is random.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing here is secret
    world, runs = World(NOON), list[Run]()
    houses = [
        Replica(
            number,
            world,
            connect,
            [LINE],
            runs,
            ahead_s=APART_S * (number - (replicas - 1) / 2),
            chance=random.Random(chance.random()),  # noqa: S311 - as above
            works_s=WORKS_S,
            slowest_s=SLOWEST_S,
            timing=TIMING,
        )
        for number in range(replicas)
    ]
    for each in houses:
        await each.start()
    for at, step in _steps(course.blows(Setting(chance=chance, days=days, replicas=replicas)), world, houses):
        await world.run_until(at)
        await step()
    end = NOON + days * DAY_S
    await world.run_until(end)
    kept = await _kept(world, houses[0])
    for each in houses:
        await each.kill()
    return count(LINE, runs, kept, begins=NOON, ends=end)


def _steps(
    blows: Iterator[Blow], world: World, houses: Sequence[Replica]
) -> list[tuple[float, Callable[[], "asyncio.Future[None]"]]]:
    """Each blow and its end, in the order of time."""

    async def switch(who: int, *, away: bool) -> None:
        if who == STORE:
            world.is_store_away = away
        for each in houses if who == ALL else [each for each in houses if each.number == who]:
            if away:
                await each.kill()
            elif each.schedule is None:
                await each.start()

    steps = [
        (at, lambda who=blow.who, away=away: asyncio.ensure_future(switch(who, away=away)))
        for blow in blows
        for at, away in ((blow.at, True), (blow.at + blow.lasts_s, False))
    ]
    return sorted(steps, key=lambda step: step[0])


async def _kept(world: World, replica: Replica) -> Sequence[Firing]:
    """What a replica tells of the firings."""
    if replica.schedule is None:
        await replica.start()
    assert replica.schedule is not None  # noqa: S101 - it has just been started
    asked = asyncio.ensure_future(replica.schedule.list())
    while not asked.done():
        await world.run_until(world.now + 1.0)
    return asked.result()[0].firings
