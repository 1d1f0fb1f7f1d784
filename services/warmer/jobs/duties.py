"""What a job needs beside the work on its batches, and whoever sees it first does: a plan, its stream, an end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from mesh.call import Clock
from services.warmer.jobs.closing import Closing
from services.warmer.jobs.guard import guarded
from services.warmer.jobs.job import Extent, Job, Part, State
from services.warmer.jobs.leases import Leases
from services.warmer.jobs.store import JobStore
from services.warmer.plan.planning import Planner
from services.warmer.plan.shelf import PlanShelf

_log = structlog.get_logger("services.warmer")

Duty = Callable[[Job], Awaitable[bool]]
"""Does what a job needs; whether that changed anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What this replica does for jobs, one thing for each at a time."""

    store: JobStore
    leases: Leases
    planner: Planner
    shelf: PlanShelf
    closing: Closing
    clock: Clock
    """Seconds since the epoch."""
    _under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)

    def attend(self, job: Job, wake: Callable[[], None]) -> None:
        """Begins what a job needs now, unless that is being done.

        Args:
            job: as it was just found.
            wake: told when it was done, for then there may be more to do.
        """
        duty = self._duty_for(job)
        if duty is None or job.id in self._under_way:
            return
        task = self._under_way[job.id] = asyncio.create_task(self._do(duty, job, wake))
        task.add_done_callback(lambda _: self._under_way.pop(job.id, None))

    async def leave(self) -> None:
        """Lets go of all that is under way; another replica does it."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _duty_for(self, job: Job) -> Duty | None:
        match job.state:
            case State.PENDING:
                return self._plan
            case State.WAITING if (job.resume_time or 0.0) <= self.clock():
                return self._go_on
            case State.RUNNING if not job.is_done:
                return self._feed
            case State.RUNNING | State.SUCCEEDED | State.FAILED | State.CANCELLED:
                return self._close
        return None

    async def _do(self, duty: Duty, job: Job, wake: Callable[[], None]) -> None:
        if await guarded(self.store, job, duty(job)):
            wake()

    async def _plan(self, job: Job) -> bool:
        async def plan() -> None:
            part, extent = job.part, job.extent
            if part is None:
                part, extent = await self._planned(job)
            if await self.store.planned(job, part, extent):
                _log.info("job_planned", job=job.id, searches=extent.searches, batches=len(part.batches))
            elif part.is_own:
                # Whoever closes the job may have looked for its plan before it was there.
                await self.shelf.forget(part.plan_id)

        return await self.leases.alone("plan", job.id, plan)

    async def _planned(self, job: Job) -> tuple[Part, Extent]:
        planned = await self.planner.plan(await self.store.asked(job.id), job.id)
        head, library = planned.head, planned.library
        extent = Extent(
            rows=library.row_count,
            books=library.book_count,
            authors=library.author_count,
            rejects=library.reject_count,
            duplicates=library.duplicate_count,
            skipped=head.skipped,
            searches=head.searches,
        )
        return Part(plan_id=planned.plan_id, first=0, end=head.batches, is_own=planned.is_own), extent

    async def _feed(self, job: Job) -> bool:
        """Puts batches on the stream that are not there; a store that lost the stream lost no more than the order."""
        if job.is_fed and await self.store.has_queue(job.id):
            return False
        return await self.leases.alone("feed", job.id, lambda: self.store.feed(job, anew=job.is_fed))

    async def _close(self, job: Job) -> bool:
        return await self.leases.alone("close", job.id, lambda: self.closing.close(job))

    async def _go_on(self, job: Job) -> bool:
        await self.store.move(job, State.RUNNING)
        return True
