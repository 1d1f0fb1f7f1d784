"""What is left to do when a job ends: its report, and what stays undone of its library."""

from dataclasses import dataclass

from services.warmer.jobs.job import Job, State
from services.warmer.jobs.outcome import Outcome
from services.warmer.jobs.reporting import Reports
from services.warmer.jobs.settling import settled_searches
from services.warmer.jobs.store import JobStore
from services.warmer.plan.parked import Parked
from services.warmer.plan.shelf import PlanShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Closes jobs."""

    store: JobStore
    shelf: PlanShelf
    reports: Reports
    parked: Parked

    async def close(self, job: Job) -> None:
        """Keeps the report of a job that is done, and lets it end; what dies on the way is done again.

        Raises:
            MeshError: a store does not answer, or what is needed is gone.
        """
        await self.reports.keep(job)
        await self.settle(job)
        await self.store.move(job, State.SUCCEEDED)

    async def settle(self, job: Job) -> None:
        """Notes which searches of its library a job left undone, and which it has done that were so before.

        Raises:
            MeshError: a store does not answer, or what is needed is gone.
        """
        if not job.library_id or job.part is None:
            return
        before = dict.fromkeys(await self.parked.of(job.library_id))
        undone = dict(before)
        async for search, settled in settled_searches(job, self.store, self.shelf):
            if settled is None or settled.outcome is Outcome.PARKED:
                undone[search] = None
            else:
                undone.pop(search, None)
        if list(undone) != list(before):
            await self.parked.keep(job.library_id, list(undone))
