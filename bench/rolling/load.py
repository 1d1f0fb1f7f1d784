"""The load of a rolling restart: searches at a steady pace, most of them cached, and what became of each."""

import asyncio
import csv
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bookmesh.books.v1.books_service_pb2 import SearchAutoRequest

from bench.rolling.house import ROOT
from clients.connect import Services
from mesh.status import MeshError

_TIMEOUT_S = 10.0
"""Seconds that a call gets."""

_FRESH_EVERY = 100
"""One call in so many is for a book that was not asked for before, and so goes to the leaf; it may be asked ten times a
second."""

_KEPT = 20
"""Books that the other calls are for."""


@dataclass(slots=True)
class Outcome:
    """What became of the calls."""

    times_s: list[float] = field(default_factory=list)
    """Seconds that each took, failed ones too."""
    failures: Counter[str] = field(default_factory=Counter)
    """Failed calls by code and reason."""

    def quantile_s(self, part: float) -> float:
        """The time within which this part of the calls ended."""
        times = sorted(self.times_s)
        return times[min(len(times) - 1, int(len(times) * part))] if times else 0.0


def isbns() -> list[str]:
    """Books that the sandbox has, each once."""
    with (ROOT / "sandbox/catalog/loc.csv").open(newline="", encoding="utf-8") as file:
        return list(dict.fromkeys(row["isbn13"] for row in csv.DictReader(file) if row["isbn13"]))


class Load:
    """Calls at a steady pace, whether earlier ones have ended or not, so that a pause is felt as one.

    Args:
        services: whom to call.
        pace: calls a second.
    """

    def __init__(self, services: Services, pace: float) -> None:
        self._services = services
        self._pace = pace
        self._isbns = isbns()
        self.outcome = Outcome()
        self.begun = 0

    async def warm_up(self) -> None:
        """Asks for the books that will be asked for most, and counts nothing.

        Raises:
            MeshError: one could not be had.
        """
        for isbn in self._isbns[:_KEPT]:
            await self._services.books.SearchAuto(SearchAutoRequest(q=isbn), timeout=_TIMEOUT_S)

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
        fresh, index = divmod(number, _FRESH_EVERY)
        isbn = self._isbns[(_KEPT + fresh) % len(self._isbns) if index == 0 else number % _KEPT]
        started = time.perf_counter()
        try:
            await self._services.books.SearchAuto(SearchAutoRequest(q=isbn), timeout=_TIMEOUT_S)
        except MeshError as error:
            self.outcome.failures[f"{error.code.name} {error.reason}"] += 1
        self.outcome.times_s.append(time.perf_counter() - started)


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
