"""What is left to do when a job ends, whatever it ended as: its report, what stays undone of its library, its traces.

Any replica does it, and whoever dies on the way leaves the rest to the next: each step may be done twice. First what
the job left undone is noted and its report is kept; then that is written down, with which the job lets go of its
library, and its records and its own plan are superfluous; they go, and with the last step the job is closed.
"""

from dataclasses import dataclass

import structlog

from mesh.status import UnavailableError
from mesh.turns import Turns
from services.warmer.jobs.forgetting import Forgetting
from services.warmer.jobs.job import ENDED, Job
from services.warmer.jobs.outcome import Outcome
from services.warmer.jobs.reporting import Reports
from services.warmer.jobs.settling import AlreadyKeptError, settled_searches
from services.warmer.jobs.store import JobStore
from services.warmer.plan.parked import Parked
from services.warmer.plan.shelf import PlanShelf

_log = structlog.get_logger("services.warmer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Closes jobs."""

    store: JobStore
    shelf: PlanShelf
    turns: Turns
    reports: Reports
    parked: Parked
    forgetting: Forgetting

    async def close(self, job: Job) -> None:
        """Closes a job that has ended, or one that is done, which succeeds with that.

        Raises:
            MeshError: a store does not answer; or what is needed for one that is done is gone, so that it has failed.
        """
        if job.is_kept or await self._keep(job):
            if job.part is None or job.part.is_own:
                # Whoever was planning for a job that has ended meanwhile may have died over it.
                await self.shelf.forget(job.id)
        elif not job.ended:
            return
        await self.store.closed(job)
        _log.info("job_closed", job=job.id, calls=job.tally.calls)
        if not job.library_id:
            await self.forgetting.surplus()

    async def _keep(self, job: Job) -> bool:
        """Notes what a job left undone, and keeps its report; whether that could be, and the job has ended with it."""
        try:
            await self._settle(job)
            await self.reports.keep(job)
        except AlreadyKeptError:
            return True
        except UnavailableError:
            raise
        except Exception:
            if not job.ended:
                raise
            # What is gone stays gone: the job is closed all the same, and its records stay for whoever looks into it.
            _log.exception("job_left_without_report", job=job.id)
            return False
        # One that was halted meanwhile has not ended; whoever goes on with it closes it.
        return await self.store.kept(job) in ENDED

    async def _settle(self, job: Job) -> None:
        """Notes which searches of its library a job left undone, and which it has done that were so before."""
        if not job.library_id or job.part is None:
            return
        before = dict.fromkeys(await self.parked.of(job.library_id))
        undone = dict(before)
        async for search, settled in settled_searches(job, self.store, self.shelf, self.turns):
            if settled is None or settled.outcome is Outcome.PARKED:
                undone[search] = None
            else:
                undone.pop(search, None)
        if list(undone) != list(before):
            await self.parked.keep(job.library_id, list(undone))
