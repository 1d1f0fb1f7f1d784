"""What jobs are run with, and the patience with which they wait for a store that is down."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.call import Clock
from mesh.status import UnavailableError
from services.warmer.asking import Asker, Sleep
from services.warmer.job import Extent
from services.warmer.journal import Journal
from services.warmer.outcome import BatchRecord
from services.warmer.plan import Plan

_STORE_WAITS_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a store that is down is tried again, the last one from then on."""

_log = structlog.get_logger("services.warmer")

Value = TypeVar("Value")


class Reports(Protocol):
    """Keeps what became of each row."""

    async def keep(self, job_id: str, request: pb.WarmRequest, plan: Plan, records: Sequence[BatchRecord]) -> None:
        """Keeps the report of a job that is done, if it can."""


class Planner(Protocol):
    """Makes plans; the same request on the same library always gives the same one."""

    async def plan(self, request: pb.WarmRequest) -> tuple[Plan, Extent]:
        """What a request asks to warm.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
            MeshError: it can't be planned, now or ever.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What jobs are run with."""

    journal: Journal
    planner: Planner
    reports: Reports
    asker: Asker
    concurrency: int
    """Batches of one job that are under way at a time."""
    clock: Clock
    """Seconds since the epoch."""
    monotonic: Clock
    """Seconds, never going back."""
    sleep: Sleep = asyncio.sleep

    async def patiently(self, work: Callable[[], Awaitable[Value]]) -> Value:
        """Does what needs a store, as often as it takes until the store is there.

        Raises:
            MeshError: what the work raised, but for STORE_UNAVAILABLE.
        """
        waits = iter(_STORE_WAITS_S)
        while True:
            try:
                return await work()
            except UnavailableError as error:
                if error.reason != "STORE_UNAVAILABLE":
                    raise
                _log.warning("store_waited_for", store=error.metadata.get("store", ""))
                await self.sleep(next(waits, _STORE_WAITS_S[-1]))
