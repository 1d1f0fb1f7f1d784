"""How the benchmark measures: by turns, with a round to warm up, and with the CPU time of both sides."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bench.measure import Clocks, Contender, Cost, Costs, Shape, Start, measure, median, rotated

ALONE = Shape("Q", 1)
CROWD = Shape("Q", 16)


@dataclass
class World:
    """Clocks that stand still but for the calls, and what happened in which order."""

    cpu: float = 0.0
    wall: float = 0.0
    server: float = 0.0
    happened: list[str] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def call(self, name: str) -> Start:
        """A call that takes 2 s of our CPU, 4 s of the server's and 3 s in all."""

        async def start() -> None:
            self.happened.append(name)
            self.cpu, self.server, self.wall = self.cpu + 2, self.server + 4, self.wall + 3
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            await asyncio.sleep(0)
            self.under_way -= 1

        return start

    def contender(self, name: str, calls: int, server_cpu: Callable[[], Awaitable[float]] | None = None) -> Contender:
        """A rival that makes such calls."""
        return Contender(
            name=name, starts={"Q": self.call(name)}, calls=calls, server_cpu=server_cpu or self.answering_side
        )

    async def answering_side(self) -> float:
        """What the server says; asking it costs us CPU, which must not be counted."""
        self.cpu += 100
        return self.server

    async def measure(self, *contenders: Contender, shape: Shape = ALONE, rounds: int = 1) -> Costs:
        """Measures them in this world."""
        return await measure(
            contenders,
            [shape],
            rounds=rounds,
            clocks=Clocks(cpu=lambda: self.cpu, wall=lambda: self.wall),
            settle=lambda: self.happened.append("settle"),
            passed=lambda number: self.happened.append(f"round {number}"),
        )


@pytest.mark.parametrize("shape", [ALONE, CROWD])
async def test_cost_of_a_call(shape: Shape) -> None:
    """A call costs the CPU of both sides and the time that passed, each divided by the calls."""
    world = World()
    costs = await world.measure(world.contender("a", 20), shape=shape)
    assert costs == {("a", shape): [Cost(6.0, 3.0)]}


async def test_cost_without_a_server() -> None:
    """A rival whose both sides are here costs our CPU alone."""

    async def nothing() -> float:
        return 0.0

    world = World()
    costs = await world.measure(world.contender("a", 5, nothing))
    assert costs["a", ALONE] == [Cost(2.0, 3.0)]


async def test_rivals_take_turns() -> None:
    """Each round measures every rival once, and begins with the next one; the first is for warming up."""
    world = World()
    await world.measure(world.contender("a", 1), world.contender("b", 1), rounds=2)
    turns = " ".join(event for event in world.happened if event != "settle")
    assert turns == "a b round 0 b a round 1 a b round 2"


async def test_the_first_round_does_not_count() -> None:
    """As many figures are kept as rounds were asked for."""
    world = World()
    costs = await world.measure(world.contender("a", 1), rounds=3)
    assert len(costs["a", ALONE]) == 3


async def test_what_others_left_is_cleared_first() -> None:
    """Before each measurement, not only before each round, what other rivals left behind is cleared."""
    world = World()
    await world.measure(world.contender("a", 1), world.contender("b", 1))
    assert world.happened == ["settle", "a", "settle", "b", "round 0", "settle", "b", "settle", "a", "round 1"]


async def test_calls_in_flight() -> None:
    """No more calls are under way at once than are to be, and no fewer."""
    world = World()
    await world.measure(world.contender("a", 40), shape=CROWD)
    assert world.most_under_way == 16


async def test_number_of_calls() -> None:
    """A number of calls that is no multiple of those in flight is made all the same."""
    world = World()
    await world.measure(world.contender("a", 37), shape=CROWD)
    assert world.happened.count("a") == 2 * 37


@pytest.mark.parametrize(("steps", "expected"), [(0, "abc"), (1, "bca"), (2, "cab"), (3, "abc"), (7, "bca")])
def test_rotated(steps: int, expected: str) -> None:
    """Every step begins one place later, round and round."""
    assert "".join(rotated("abc", steps)) == expected


def test_median_of_each_for_itself() -> None:
    """The median of the CPU times and that of the wall times may come from different rounds."""
    assert median([Cost(1, 30), Cost(2, 10), Cost(9, 20)]) == Cost(2, 20)
