"""What is asked during an outage, and the only place that judges what is answered."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.type.v1.book_pb2 import Provenance, Tier
from google.protobuf.timestamp_pb2 import Timestamp

from bench.outage.house import House
from mesh.status import MeshError, UnavailableError

STEP_S = 300.0
"""Seconds of the services' time between two rounds of searches."""

_AT_ONCE = 8
_BATCH = 1_000
"""Searches of one BatchSearchAuto at most, as the contract has it."""


class WarmingError(Exception):
    """Not all could be warmed; the text says what and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed:
    """A search, and what it was answered while the providers were there."""

    q: str
    """The search."""
    works: Sequence[bytes]
    """The works that were found."""
    fresh_until: float
    """Until when that counts as fresh, in seconds since the epoch."""


@dataclass(slots=True, kw_only=True)
class Round:
    """All warmed searches, asked once."""

    minute: int
    """Minutes since the providers went down."""
    asked: int = 0
    """Warmed searches."""
    answered: int = 0
    """Those that were answered, with the works that they were warmed with."""
    stale: int = 0
    """Those of them that were marked stale."""
    mismarked: int = 0
    """Those whose mark does not fit their time."""
    failed: Counter[str] = field(default_factory=Counter)
    """What became of the others: the reason of an error, or OTHER_WORKS."""
    tiers: Counter[str] = field(default_factory=Counter)
    """Where the answers lay."""
    strangers: int = 0
    """Searches that were never warmed."""
    refused: int = 0
    """Those of them that were refused as UNAVAILABLE, as they must be."""

    @property
    def is_met(self) -> bool:
        """Whether every warmed search was answered and rightly marked, and no other."""
        return self.answered == self.asked and not self.mismarked and self.refused == self.strangers


async def warm(house: House, searches: Sequence[str]) -> Sequence[Warmed]:
    """Asks for all searches in batches, as the warmer does.

    Raises:
        WarmingError: some failed.
    """
    found: list[Warmed] = []
    for start in range(0, len(searches), _BATCH):
        queries = [pb.SearchAutoRequest(q=q) for q in searches[start : start + _BATCH]]
        async for answer in house.stub.BatchSearchAuto(pb.BatchSearchAutoRequest(queries=queries)):
            if answer.HasField("error"):
                raise WarmingError(f"{answer.q!r} was not warmed: {answer.error.reason}, {answer.error.message}")
            response = answer.response
            found.append(
                Warmed(q=answer.q, works=_works(response), fresh_until=_seconds(response.provenance.fresh_until_time))
            )
    return found


async def outage(house: House, warmed: Sequence[Warmed], strangers: Collection[str], *, steps: int) -> Sequence[Round]:
    """Takes the providers away, and asks for everything at once and after each of so many steps."""
    await house.lose_providers()
    rounds = []
    for step in range(steps + 1):
        if step:
            await house.pass_time(STEP_S)
        rounds.append(await _asked(house, warmed, strangers, minute=round(step * STEP_S / 60)))
    return rounds


async def _asked(house: House, warmed: Sequence[Warmed], strangers: Collection[str], *, minute: int) -> Round:
    """One round."""
    found = Round(minute=minute, asked=len(warmed), strangers=len(strangers))
    places = asyncio.Semaphore(_AT_ONCE)

    async def ask(one: Warmed) -> None:
        async with places:
            try:
                response = await house.stub.SearchAuto(pb.SearchAutoRequest(q=one.q))
            except MeshError as error:
                found.failed[error.reason] += 1
                return
        if _works(response) != one.works:
            found.failed["OTHER_WORKS"] += 1
            return
        _count(found, response.provenance, is_due=house.clock() >= one.fresh_until)

    async def ask_stranger(q: str) -> None:
        async with places:
            try:
                await house.stub.SearchAuto(pb.SearchAutoRequest(q=q))
            except UnavailableError:
                found.refused += 1

    async with asyncio.TaskGroup() as group:
        for one in warmed:
            group.create_task(ask(one))
        for q in strangers:
            group.create_task(ask_stranger(q))
    return found


def _count(found: Round, told: Provenance, *, is_due: bool) -> None:
    """Counts an answer; `is_due` where the time is over that it was warmed for."""
    found.answered += 1
    found.stale += told.stale
    found.mismarked += told.stale != is_due
    found.tiers[Tier.Name(told.tier).removeprefix("TIER_")] += 1


def _works(response: pb.SearchAutoResponse) -> Sequence[bytes]:
    return [work.SerializeToString(deterministic=True) for work in response.results]


def _seconds(time: Timestamp) -> float:
    """A time in seconds since the epoch; entries keep milliseconds."""
    return time.ToMilliseconds() / 1000
