"""The only place that knows all rivals: it opens them, holds each to the same answers, and has them measured."""

import gc
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bench.answer import Question, as_message
from bench.measure import Clocks, Contender, Costs, Shape, measure
from bench.rivals import Rival, aiohttp_orjson, fastapi_httpx, in_process, mesh_wire

IN_FLIGHT = (1, 16)
"""Calls under way at once in the two tables."""

SHAPES = tuple(Shape(question.name, in_flight) for in_flight in IN_FLIGHT for question in Question)

_LONGER_IN_PROCESS = 20
"""A call in process is over so soon that it takes more of them to fill the same time."""

_HERE = {in_process.NAME, in_process.YARDSTICK}

_OPEN = (
    in_process.rival,
    in_process.bare_task,
    mesh_wire.over_unix,
    mesh_wire.over_tcp,
    fastapi_httpx.rival,
    aiohttp_orjson.rival,
)


class WrongAnswerError(Exception):
    """A rival answers something else than the others, so that its time says nothing."""


@dataclass(frozen=True, slots=True)
class Contest:
    """What was measured."""

    titles: dict[str, str]
    """Each rival's title, by its name, in the order of the tables."""
    costs: Costs
    """What each rival's calls cost in each round."""


@asynccontextmanager
async def rivals() -> AsyncIterator[Sequence[Rival]]:
    """Every rival, with its server running."""
    async with AsyncExitStack() as running:
        yield [await running.enter_async_context(opened()) for opened in _OPEN]


async def hold(*, rounds: int, calls: int, passed: Callable[[int], object]) -> Contest:
    """Measures all rivals.

    Args:
        rounds: how many count.
        calls: calls of each measurement; in process it takes twenty times as many.
        passed: hears the number of each round that is over, the warm-up being 0.

    Raises:
        WrongAnswerError: a rival answers something else.
        ServerError: a server did not start, or is gone.
    """
    async with rivals() as contending:
        for rival in contending:
            await prove(rival)
        costs = await measure(
            [_contender(rival, calls) for rival in contending],
            SHAPES,
            rounds=rounds,
            clocks=Clocks(cpu=time.process_time, wall=time.perf_counter),
            settle=gc.collect,
            passed=passed,
        )
        return Contest({rival.name: rival.title for rival in contending}, costs)


async def prove(rival: Rival) -> None:
    """Asks a rival everything once.

    Raises:
        WrongAnswerError: it answers something else than it should.
    """
    for question in Question:
        if rival.to_message(await rival.start(question)()) != as_message(question):
            raise WrongAnswerError(f"{rival.title} does not answer what it is asked")


def _contender(rival: Rival, calls: int) -> Contender:
    return Contender(
        name=rival.name,
        starts={question.name: rival.start(question) for question in Question},
        calls=calls * _LONGER_IN_PROCESS if rival.name in _HERE else calls,
        server_cpu=rival.server_cpu,
    )
