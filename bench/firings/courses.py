"""What happens to the replicas of a house over simulated days: each course says what befalls them and when."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.firings.judging import Count, count
from bench.firings.replica import Replica, Run
from bench.firings.world import World
from mesh.schedule.firing import Firing
from mesh.schedule.running import Timing
from mesh.schedule.times import next_due
from mesh.stores.protocol import Kv

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


@dataclass(frozen=True, slots=True)
class Course:
    """What happens over some days."""

    title: str
    """What it is, for people."""
    blows: Callable[[random.Random, int, int], Iterator[Blow]]
    """What happens, by chance, in so many days to so many replicas."""
    expected: Callable[[int], int]
    """Firings that come to their end in so many days."""


def no_blows(chance: random.Random, days: int, replicas: int) -> Iterator[Blow]:  # noqa: ARG001 - as all courses
    """Nothing happens."""
    yield from ()


def kills(chance: random.Random, days: int, replicas: int) -> Iterator[Blow]:
    """Each day one replica is killed, whichever it is, around the time that the trigger is due, and another at any."""
    for due in _dues(days):
        yield Blow(due + chance.uniform(-30, WORKS_S), chance.randrange(replicas), chance.uniform(1, 1_800))
        yield Blow(due + chance.uniform(3_600, DAY_S - 7_200), chance.randrange(replicas), chance.uniform(1, 3_600))


def holder_kills(chance: random.Random, days: int, replicas: int) -> Iterator[Blow]:
    """Each day the replica that is ahead of the others, which fires, is killed in the midst of it."""
    for due in _dues(days):
        yield Blow(due + chance.uniform(0, WORKS_S / 4), replicas - 1, chance.uniform(1, 1_800))


def outage(chance: random.Random, days: int, replicas: int) -> Iterator[Blow]:  # noqa: ARG001 - as all courses
    """All are down for three days, from some time between two firings on."""
    yield Blow(NOON + (days // 3) * DAY_S + chance.uniform(0, 3_600), ALL, 3 * DAY_S)


def store_outages(chance: random.Random, days: int, replicas: int) -> Iterator[Blow]:  # noqa: ARG001 - as all courses
    """Each other day the store is away for up to an hour when the trigger is due."""
    for due in list(_dues(days))[::2]:
        yield Blow(due - chance.uniform(5, 600), STORE, chance.uniform(600, 3_600))


COURSES = (
    Course("nothing happens", no_blows, lambda days: days),
    Course("two replicas a day are killed, at random moments", kills, lambda days: days),
    Course("the one that fires is killed each day, often in the midst of it", holder_kills, lambda days: days),
    Course("all are down for three days", outage, lambda days: days - 2),
    Course("the store is away each other day when it is due", store_outages, lambda days: days),
)


def _dues(days: int) -> Iterator[float]:
    due = NOON
    for _ in range(days):
        due = next_due("0 2 * * *", due)
        yield due


async def live(course: Course, connect: Callable[[], Kv], *, line: str, days: int, replicas: int, seed: int) -> Count:
    """Lives through a course, and counts.

    Args:
        course: what happens.
        connect: opens the store that all share.
        line: the trigger's.
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
            [line],
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
    for at, step in _steps(course.blows(chance, days, replicas), world, houses):
        await world.run_until(at)
        await step()
    end = NOON + days * DAY_S
    await world.run_until(end)
    kept = await _kept(world, houses[0])
    for each in houses:
        await each.kill()
    return count(line, runs, kept, begins=NOON, ends=end)


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
