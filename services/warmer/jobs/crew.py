"""What a replica does for the jobs of all: looks after each, and works on their batches side by side."""

import asyncio
from collections.abc import Sequence

import structlog

from mesh.call import Clock
from mesh.status import UnavailableError
from mesh.turns import PATIENT
from services.warmer.jobs.asking import Asker
from services.warmer.jobs.batch_work import BEAT_S, BatchWork
from services.warmer.jobs.duties import Duties
from services.warmer.jobs.guard import guarded
from services.warmer.jobs.job import Job, State
from services.warmer.jobs.store import JobStore
from services.warmer.plan.shelf import PlanShelf

POLL_S = 0.5
"""Seconds after which a replica looks what there is to do; what it begins itself it sees at once."""

_log = structlog.get_logger("services.warmer")


class Crew:
    """A replica at work.

    Args:
        store: where jobs lie.
        shelf: where their plans lie.
        asker: asks the proxy.
        duties: does what jobs need beside the work on their batches.
        clock: seconds since the epoch.
        concurrency: batches that are under way in this process at a time.
        poll_s: seconds after which it looks what there is to do.
        beat_s: seconds between two words of a batch to the store.
    """

    def __init__(
        self,
        store: JobStore,
        shelf: PlanShelf,
        asker: Asker,
        duties: Duties,
        *,
        clock: Clock,
        concurrency: int,
        poll_s: float = POLL_S,
        beat_s: float = BEAT_S,
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._asker = asker
        self._duties = duties
        self._clock = clock
        self._concurrency = concurrency
        self._poll_s = poll_s
        self._beat_s = beat_s
        self._at_work: Sequence[Job] = ()
        """The jobs whose batches may be taken."""
        self._turn = 0
        self._news = asyncio.Event()
        self._work = asyncio.Event()
        self._change = asyncio.Event()

    def wake(self) -> None:
        """Something changed, so there may be something to do, and to tell."""
        self._news.set()
        self._change.set()
        self._change = asyncio.Event()

    async def changed(self, seconds: float) -> None:
        """Waits until something changes in this process, so many seconds at most."""
        await _set_within(self._change, seconds)

    async def run(self) -> None:
        """Works until it is cancelled; batches in hand are let go of then, for another replica to go on with."""
        if not self._store.can_run:
            _log.warning("no_jobs", why="WARMING_CACHE is no Redis-protocol server")
            await asyncio.Event().wait()
        PATIENT.set(True)  # for nobody waits for the next batch
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep())
                for _ in range(self._concurrency):
                    group.create_task(self._take_turns())
        finally:
            await self._duties.leave()

    async def _keep(self) -> None:
        """Looks after all jobs, over and over."""
        while True:
            self._news.clear()
            try:
                found = [await self._store.job(job_id) for job_id in await self._store.open_ids()]
                jobs = [job for job in found if job is not None]
            except UnavailableError as error:
                _log.warning("jobs_out_of_sight", reason=error.reason)
                jobs = []
            self._at_work = [job for job in jobs if job.state is State.RUNNING and job.part and not job.is_done]
            if self._at_work:
                self._work.set()
            for job in jobs:
                self._duties.attend(job, self.wake)
            await _set_within(self._news, self._poll_s)

    async def _take_turns(self) -> None:
        """Takes one batch after the other, of each job in turn."""
        while True:
            if not await self._one_batch():
                self._work.clear()
                await _set_within(self._work, self._poll_s)

    async def _one_batch(self) -> bool:
        """Works on a batch; whether there was one."""
        jobs = self._at_work
        for turn in range(self._turn, self._turn + len(jobs)):
            job = jobs[turn % len(jobs)]
            if await guarded(self._store, job, self._batch_of(job, turn)):
                self.wake()
                return True
        return False

    async def _batch_of(self, job: Job, turn: int) -> bool:
        """Works on a batch of one job; whether there was one."""
        hand = await self._store.take(job.id)
        if hand is None or job.part is None:
            return False
        self._turn = turn + 1
        searches = await self._shelf.batch(job.part.plan_id, hand.number)
        await BatchWork(
            job,
            hand,
            searches,
            self._store,
            self._asker,
            wait=lambda seconds: self._wait(job, seconds),
            beat_s=self._beat_s,
        ).run()
        return True

    async def _wait(self, job: Job, seconds: float) -> None:
        """Has a job wait for a provider's next day."""
        try:
            await self._store.move(job, State.WAITING, resume_time=self._clock() + seconds)
        except UnavailableError as error:
            _log.warning("job_not_waiting", job=job.id, reason=error.reason)
        _log.info("job_waits_for_quota", job=job.id, seconds=round(seconds))


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Waits for an event, so long at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
