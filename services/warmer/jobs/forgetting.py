"""When ended jobs are forgotten, and what goes with them: the only place that takes jobs away.

A job and its report stay until its library is deleted. Jobs on books that stood in the request have no library; of
these the newest INLINE_KEPT stay.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.warmer.jobs.store import JobStore
from services.warmer.library.libraries import Libraries
from services.warmer.plan.shelf import PlanShelf

INLINE_KEPT = 1_000
"""Jobs on books given in the request that stay: a page of ListWarmJobs at its largest, and some 100 MB of reports."""

_TOGETHER = 32
"""Jobs that are forgotten side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Forgets jobs. One that is neither closed nor has its report stays, for somebody is at work on it."""

    store: JobStore
    libraries: Libraries
    """Where reports lie."""
    shelf: PlanShelf

    async def library(self, library_id: str) -> None:
        """Forgets all jobs on a library; what dies on the way is gone on with when it is asked for again.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        await self._forget(await self.store.ids_of(library_id))

    async def surplus(self) -> None:
        """Forgets the oldest of the jobs that have no library, as far as they are too many.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        await self._forget((await self.store.ids_of(""))[:-INLINE_KEPT])

    async def _forget(self, job_ids: Sequence[str]) -> None:
        for at in range(0, len(job_ids), _TOGETHER):
            await asyncio.gather(*map(self._forget_one, job_ids[at : at + _TOGETHER]))

    async def _forget_one(self, job_id: str) -> None:
        job = await self.store.job(job_id)
        if job is None or not (job.is_kept or (job.ended and not await self.store.is_open(job_id))):
            return
        await self.libraries.delete_report(job_id)
        if job.part is None or job.part.is_own:
            await self.shelf.forget(job_id)
        # Last, so that whoever dies before it finds the job again.
        await self.store.forget(job)
