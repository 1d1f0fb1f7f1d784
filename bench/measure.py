"""How rivals are measured: the same calls by turns, round after round, and the medians. Pure: its clocks are given."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

Start = Callable[[], Awaitable[object]]
"""Begins one call; awaiting what it gives is the rest of it."""

Clock = Callable[[], float]
"""Seconds from some fixed point, never going back."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked, and how."""

    question: str
    """What is asked."""
    in_flight: int
    """Calls under way at once, at least 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One rival as it is measured."""

    name: str
    """Its name."""
    starts: Mapping[str, Start]
    """How a call is begun, by what is asked."""
    calls: int
    """Calls in each measurement, at least as many as are ever in flight."""
    server_cpu: Callable[[], Awaitable[float]]
    """CPU seconds that the process of the answering side has used so far; always 0 where that is our own process."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call cost."""

    cpu_s: float
    """CPU seconds of both sides."""
    wall_s: float
    """Seconds that passed, divided by the calls; with many in flight that is less than one of them took."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What measuring goes by."""

    cpu: Clock
    """CPU seconds that this process has used, all of its threads together."""
    wall: Clock
    """Seconds that have passed."""


Costs = Mapping[tuple[str, Shape], Sequence[Cost]]
"""What each rival's calls cost in each round, by its name and the shape."""


async def measure(
    contenders: Sequence[Contender],
    shapes: Sequence[Shape],
    *,
    rounds: int,
    clocks: Clocks,
    settle: Callable[[], object],
    passed: Callable[[int], object],
) -> Costs:
    """Measures each rival in each shape once a round.

    In a round a shape is measured for all rivals before the next, so that the figures which are compared lie close
    together in time. Each round begins with another rival, and a first one is thrown away: it warms up.

    Args:
        contenders: the rivals.
        shapes: what is measured.
        rounds: how many count, at least 1.
        clocks: what time is read from.
        settle: what is done before each measurement, so that no rival pays for what another left behind.
        passed: hears the number of each round that is over, the warm-up being 0.
    """
    costs: dict[tuple[str, Shape], list[Cost]] = {
        (contender.name, shape): [] for shape in shapes for contender in contenders
    }
    for number in range(rounds + 1):
        for shape in shapes:
            for contender in rotated(contenders, number):
                settle()
                cost = await _measure_once(contender, shape, clocks)
                if number:
                    costs[contender.name, shape].append(cost)
        passed(number)
    return costs


def rotated(items: Sequence[Item], steps: int) -> Sequence[Item]:
    """The items in their order, begun another place later with each step."""
    start = steps % len(items)
    return [*items[start:], *items[:start]]


def median(costs: Sequence[Cost]) -> Cost:
    """The medians of CPU and wall time, each for itself."""
    return Cost(statistics.median(cost.cpu_s for cost in costs), statistics.median(cost.wall_s for cost in costs))


async def _measure_once(contender: Contender, shape: Shape, clocks: Clocks) -> Cost:
    start = contender.starts[shape.question]
    # Asking the server is the outermost, so our side of that question is never counted; its side is a line of text.
    theirs = await contender.server_cpu()
    ours, began = clocks.cpu(), clocks.wall()
    await _make_calls(start, contender.calls, shape.in_flight)
    wall_s, ours = clocks.wall() - began, clocks.cpu() - ours
    theirs = await contender.server_cpu() - theirs
    return Cost((ours + theirs) / contender.calls, wall_s / contender.calls)


async def _make_calls(start: Start, count: int, in_flight: int) -> None:
    if in_flight == 1:
        await _one_after_another(start, count)
        return
    shares = [count // in_flight + (place < count % in_flight) for place in range(in_flight)]
    async with asyncio.TaskGroup() as group:
        for share in shares:
            group.create_task(_one_after_another(start, share))


async def _one_after_another(start: Start, count: int) -> None:
    for _ in range(count):
        await start()
