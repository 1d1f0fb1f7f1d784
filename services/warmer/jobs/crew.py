"""What a replica does for the jobs of all: keeps them moving, and works on their batches side by side."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from mesh.call import Clock
from mesh.status import MeshError, UnavailableError
from services.warmer.jobs.asking import Asker
from services.warmer.jobs.batch_work import BEAT_S, BatchWork
from services.warmer.jobs.closing import Closing
from services.warmer.jobs.job import Extent, Failure, Job, Part, State
from services.warmer.jobs.store import JobStore
from services.warmer.plan.planning import Planner
from services.warmer.plan.shelf import PlanShelf

POLL_S = 0.5
"""Seconds after which a replica looks what there is to do; what it begins itself it sees at once."""

LEASE_S = 10.0
"""Seconds after which whoever plans or closes a job without a word is taken for dead."""

_log = structlog.get_logger("services.warmer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What jobs are moved with."""

    store: JobStore
    planner: Planner
    shelf: PlanShelf
    closing: Closing
    asker: Asker
    clock: Clock
    """Seconds since the epoch."""


class Crew:
    """A replica at work.

    Args:
        tools: what jobs are moved with.
        concurrency: batches that are under way in this process at a time.
        poll_s: seconds after which it looks what there is to do.
        beat_s: seconds between two words of a batch to the store.
    """

    def __init__(self, tools: Tools, *, concurrency: int, poll_s: float = POLL_S, beat_s: float = BEAT_S) -> None:
        self._tools = tools
        self._concurrency = concurrency
        self._poll_s = poll_s
        self._beat_s = beat_s
        self._at_work: Sequence[Job] = ()
        """The jobs whose batches may be taken."""
        self._turn = 0
        self._news = asyncio.Event()
        self._work = asyncio.Event()
        self._duties: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something changed, so there may be something to do."""
        self._news.set()

    async def run(self) -> None:
        """Works until it is cancelled; batches in hand are let go of then, for another replica to go on with."""
        if not self._tools.store.can_run:
            _log.warning("no_jobs", why="WARMING_CACHE is no Redis-protocol server")
            await asyncio.Event().wait()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep())
                for _ in range(self._concurrency):
                    group.create_task(self._take_turns())
        finally:
            for duty in list(self._duties.values()):
                duty.cancel()
            await asyncio.gather(*self._duties.values(), return_exceptions=True)

    async def _keep(self) -> None:
        """Looks after all jobs, over and over."""
        while True:
            self._news.clear()
            try:
                found = [await self._tools.store.job(job_id) for job_id in await self._tools.store.open_ids()]
                jobs = [job for job in found if job is not None and not job.ended]
            except UnavailableError as error:
                _log.warning("jobs_out_of_sight", reason=error.reason)
                jobs = []
            self._at_work = [job for job in jobs if job.state is State.RUNNING and job.part and not job.is_done]
            if self._at_work:
                self._work.set()
            for job in jobs:
                self._attend(job)
            await _set_within(self._news, self._poll_s)

    def _attend(self, job: Job) -> None:
        """Begins what a job needs now, unless that is being done."""
        duty = self._duty_for(job)
        if duty is None or job.id in self._duties:
            return
        task = self._duties[job.id] = asyncio.create_task(self._guarded(job, duty))
        task.add_done_callback(lambda _: self._duties.pop(job.id, None))

    def _duty_for(self, job: Job) -> Callable[[Job], Awaitable[None]] | None:
        match job.state:
            case State.PENDING:
                return self._plan
            case State.WAITING if (job.resume_time or 0.0) <= self._tools.clock():
                return self._go_on
            case State.RUNNING if job.is_done:
                return self._close
            case State.RUNNING:
                return self._feed
        return None

    async def _guarded(self, job: Job, duty: Callable[[Job], Awaitable[None]]) -> None:
        try:
            await duty(job)
        except UnavailableError as error:
            # A store or a service is away; the next look finds the same duty.
            _log.warning("job_waits", job=job.id, reason=error.reason)
        except MeshError as error:
            await self._fail(job, Failure(code=error.code.name, reason=error.reason, message=error.message))
        except Exception:  # noqa: BLE001 - a job must not stay open with nobody at work, whatever broke
            await self._broke(job)

    async def _plan(self, job: Job) -> None:
        tools = self._tools
        async with self._leased("plan", job) as mine:
            if not mine:
                return
            request = await tools.store.asked(job.id)
            part, extent = job.part, job.extent
            if part is None:
                planned = await tools.planner.plan(request, job.id)
                head, library = planned.head, planned.library
                part = Part(plan_id=planned.plan_id, first=0, end=head.batches, is_own=planned.is_own)
                extent = Extent(
                    rows=library.row_count,
                    books=library.book_count,
                    authors=library.author_count,
                    rejects=library.reject_count,
                    duplicates=library.duplicate_count,
                    skipped=head.skipped,
                    searches=head.searches,
                )
            await tools.store.planned(job, part, extent)
            _log.info("job_planned", job=job.id, searches=extent.searches, batches=len(part.batches))
        self.wake()

    async def _feed(self, job: Job) -> None:
        """Puts batches on the stream that are not there; a store that lost the stream lost no more than the order."""
        tools = self._tools
        if job.is_fed and await tools.store.has_queue(job.id):
            return
        async with self._leased("feed", job) as mine:
            if mine:
                await tools.store.feed(job, anew=job.is_fed)
                self.wake()

    async def _close(self, job: Job) -> None:
        async with self._leased("close", job) as mine:
            if mine:
                await self._tools.closing.close(job)
                _log.info("job_ended", job=job.id, calls=job.tally.calls)

    async def _go_on(self, job: Job) -> None:
        await self._tools.store.move(job, State.RUNNING)
        self.wake()

    def _leased(self, work: str, job: Job) -> "_Leased":
        return _Leased(self._tools.store, work, job.id)

    async def _take_turns(self) -> None:
        """Takes one batch after the other, of each job in turn."""
        while True:
            if not await self._one_batch():
                self._work.clear()
                await _set_within(self._work, self._poll_s)

    async def _one_batch(self) -> bool:
        """Works on a batch; whether there was one."""
        tools = self._tools
        jobs = self._at_work
        for turn in range(len(jobs)):
            job = jobs[(self._turn + turn) % len(jobs)]
            try:
                hand = await tools.store.take(job.id)
                if hand is None or job.part is None:
                    continue
                self._turn += turn + 1
                searches = await tools.shelf.batch(job.part.plan_id, hand.number)
                await BatchWork(
                    job,
                    hand,
                    searches,
                    tools.store,
                    tools.asker,
                    wait=lambda seconds, job=job: self._wait(job, seconds),  # type: ignore[misc]  # bound at once
                    beat_s=self._beat_s,
                ).run()
            except UnavailableError as error:
                _log.warning("batch_waits", job=job.id, reason=error.reason)
                return False
            except MeshError as error:
                await self._fail(job, Failure(code=error.code.name, reason=error.reason, message=error.message))
            except Exception:  # noqa: BLE001 - what broke in a batch would break in the next replica as well
                await self._broke(job)
            self.wake()
            return True
        return False

    async def _wait(self, job: Job, seconds: float) -> None:
        """Has a job wait for a provider's next day."""
        try:
            await self._tools.store.move(job, State.WAITING, resume_time=self._tools.clock() + seconds)
        except UnavailableError as error:
            _log.warning("job_not_waiting", job=job.id, reason=error.reason)
        _log.info("job_waits_for_quota", job=job.id, seconds=round(seconds))

    async def _broke(self, job: Job) -> None:
        error_id = uuid.uuid4().hex
        _log.exception("job_broke", job=job.id, error_id=error_id)
        message = f"something broke inside the warmer; the log has it under {error_id}"
        await self._fail(job, Failure(code="INTERNAL", reason="INTERNAL", message=message))

    async def _fail(self, job: Job, failure: Failure) -> None:
        _log.warning("job_failed", job=job.id, code=failure.code, reason=failure.reason)
        try:
            await self._tools.store.move(job, State.FAILED, failure=failure)
        except UnavailableError as error:
            _log.warning("job_failure_not_noted", job=job.id, reason=error.reason)


class _Leased:
    """Work on a job that one replica does at a time; the lease is kept while it lasts, and dies with the process.

    Args:
        store: where jobs lie.
        work: what is done.
        job_id: for which job.
    """

    def __init__(self, store: JobStore, work: str, job_id: str) -> None:
        self._lease = store.lease(work, job_id, LEASE_S)
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> bool:
        """Whether it is this replica's work."""
        extend = await self._lease.__aenter__()
        if extend is None:
            return False
        self._keeping = asyncio.create_task(_extended(extend))
        return True

    async def __aexit__(self, *error: object) -> None:
        """Lets go."""
        try:
            if self._keeping is not None:
                self._keeping.cancel()
                await asyncio.gather(self._keeping, return_exceptions=True)
        finally:
            await self._lease.__aexit__(None, None, None)


async def _extended(extend: Callable[[], Awaitable[bool]]) -> None:
    while True:
        await asyncio.sleep(LEASE_S / 3)
        try:
            await extend()
        except UnavailableError as error:
            _log.warning("lease_not_extended", reason=error.reason)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Waits for an event, so long at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
