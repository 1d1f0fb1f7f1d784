"""The load of a rolling restart: searches at a steady pace, most of them cached, and what became of each."""

import asyncio
import csv
import time
from collections.abc import Awaitable, Callable, Sequence

from bench.rolling.callers import Caller
from bench.rolling.house import ROOT
from mesh.status import MeshError

_FRESH_EVERY = 50
"""One call in so many is for a book that was not asked for before, and so goes to the leaf; both together take ten a
second."""

_KEPT = 20
"""Books that the other calls are for."""


def isbns() -> list[str]:
    """Books that the sandbox has, each once."""
    with (ROOT / "sandbox/catalog/loc.csv").open(newline="", encoding="utf-8") as file:
        return list(dict.fromkeys(row["isbn13"] for row in csv.DictReader(file) if row["isbn13"]))


class Load:
    """Calls at a steady pace, whether earlier ones have ended or not, so that a pause is felt as one.

    Args:
        callers: who calls, in turn.
        pace: calls a second.
        books: ISBNs that can be found; the first are those that are asked for most.
    """

    def __init__(self, callers: Sequence[Caller], pace: float, books: Sequence[str]) -> None:
        self._callers = callers
        self._pace = pace
        self._books = books
        self.begun = 0

    async def warm_up(self) -> None:
        """Asks for the books that will be asked for most, and counts nothing.

        Raises:
            MeshError: one could not be had.
        """
        for caller in self._callers:
            for book in self._books[:_KEPT]:
                await caller.search(book)

    async def run(self, enough: Callable[[], bool]) -> None:
        """Calls until it is enough, and waits for the last answers."""
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            while not enough():
                group.create_task(self._call())
                due = started + self.begun / self._pace
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _call(self) -> None:
        number, self.begun = self.begun, self.begun + 1
        turn, place = divmod(number, len(self._callers))
        caller = self._callers[place]
        # By turns, so that each caller has its share of the fresh ones.
        fresh, index = divmod(turn, _FRESH_EVERY)
        unseen = _KEPT + fresh * len(self._callers) + place
        book = self._books[unseen % len(self._books) if index == 0 else number % _KEPT]
        started = time.perf_counter()
        try:
            await caller.search(book)
        except MeshError as error:
            caller.outcome.failures[f"{error.code.name} {error.reason}"] += 1
        caller.outcome.times_s.append(time.perf_counter() - started)


async def rounds(load: Load, *, count: int, calls: int, roll: Callable[[], Awaitable[None]]) -> None:
    """Restarts so often under load, and calls on until so many calls are made."""
    rolled = False

    async def roll_all() -> None:
        nonlocal rolled
        for _ in range(count):
            await roll()
        rolled = True

    async with asyncio.TaskGroup() as group:
        group.create_task(roll_all())
        group.create_task(load.run(lambda: rolled and load.begun >= calls))
