"""One job at work: its plan, its batches side by side, and a checkpoint after each. The only place that runs jobs."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import MeshError, UnavailableError
from services.warmer.job import Failure, Job, State
from services.warmer.outcome import BatchRecord, Settled, Tally
from services.warmer.plan import Plan, Search
from services.warmer.rate import Rate
from services.warmer.tools import Tools
from services.warmer.watch import Bell

_log = structlog.get_logger("services.warmer")


class Run:
    """A job that has not ended, in this process.

    Args:
        job: as it was last written.
        request: what it came from.
        tools: what it is run with.
    """

    def __init__(self, job: Job, request: pb.WarmRequest, tools: Tools) -> None:
        self.job = job
        self.bell = Bell()
        self.request = request
        self.plan: Plan | None = None
        """None until it is made."""
        self.records: Sequence[BatchRecord] = ()
        """What became of each batch of the plan."""
        self._tools = tools
        self._rate = Rate(tools.monotonic)
        self._writing = asyncio.Lock()
        self._go = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        """What runs `work`; whoever spawns it says so here."""

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.job.ended

    def per_second(self) -> float:
        """Searches settled a second, lately."""
        return 0.0 if self.ended or self.job.state is State.PAUSED else self._rate.per_second()

    async def work(self) -> None:
        """Does the job to its end. Cancelling leaves it where it is, for the next process to go on."""
        if self.job.state is not State.PAUSED:
            self._go.set()
        try:
            await self._do()
        except MeshError as error:
            await self._fail(Failure(code=error.code.name, reason=error.reason, message=error.message))
        except Exception:  # noqa: BLE001 - a job must not stay RUNNING with nobody at work, whatever broke
            error_id = uuid.uuid4().hex
            _log.exception("job_broke", job=self.job.id, error_id=error_id)
            message = f"something broke inside the warmer; the log has it under {error_id}"
            await self._fail(Failure(code="INTERNAL", reason="INTERNAL", message=message))

    async def pause(self) -> None:
        """Lets nothing more begin.

        Raises:
            JobStateError: it has ended.
            UnavailableError: the journal can't be written, and nothing has changed.
        """
        await self._move(State.PAUSED)
        self._go.clear()

    async def resume(self) -> None:
        """Goes on.

        Raises:
            JobStateError: it has ended.
            UnavailableError: the journal can't be written, and nothing has changed.
        """
        if self.job.state is State.PAUSED:
            await self._move(State.RUNNING)
        self._go.set()

    async def cancel(self) -> None:
        """Ends it where it is, and keeps what is settled.

        Raises:
            JobStateError: it has ended otherwise.
            UnavailableError: the journal can't be written, and nothing has changed.
        """
        await self._move(State.CANCELLED)
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task})
        try:
            await self._tools.journal.end(self.job)
        except UnavailableError as error:
            # It is cancelled on disk already; what is left behind is a marker that the next start takes away.
            _log.warning("job_end_lost", job=self.job.id, reason=error.reason)

    async def _do(self) -> None:
        tools = self._tools
        plan, extent = await self._tools.patiently(lambda: tools.planner.plan(self.request))
        self.records = await self._tools.patiently(lambda: tools.journal.adopt(self.job.id, plan))
        self.plan = plan
        self.job = self.job.planned(extent, tools.clock())
        self._count()
        if self.job.state is State.PENDING:
            await self._tools.patiently(self._start)
        _log.info("job_running", job=self.job.id, searches=extent.searches, settled=self.job.tally.settled)
        numbers = iter([number for number, record in enumerate(self.records) if record.pending()])
        async with asyncio.TaskGroup() as group:
            for _ in range(tools.concurrency):
                group.create_task(self._batches(plan, numbers))
        await self._go.wait()
        await tools.reports.keep(self.job.id, self.request, plan, self.records)
        await self._tools.patiently(self._succeed)
        _log.info("job_ended", job=self.job.id, state=self.job.state.value, calls=self.job.tally.calls)

    async def _start(self) -> None:
        # Somebody may have paused it while its plan was made.
        if self.job.state is State.PENDING:
            await self._move(State.RUNNING)

    async def _batches(self, plan: Plan, numbers: Iterator[int]) -> None:
        """Takes one batch after the other, until there is none left."""
        while True:
            await self._go.wait()
            number = next(numbers, None)
            if number is None:
                return
            await self._batch(number, [plan.searches[at] for at in plan.batches[number]])

    async def _batch(self, number: int, searches: Sequence[Search]) -> None:
        record = self.records[number]
        journal = self._tools.journal
        try:
            await self._tools.asker.ask(searches, record.pending(), _Listener(self, record))
        except asyncio.CancelledError:
            # What was answered so far counts; should this fail, the batch is merely run again.
            try:
                await journal.put_batch(self.job.id, number, record)
            except UnavailableError as error:
                _log.warning("checkpoint_lost", job=self.job.id, batch=number, reason=error.reason)
            raise
        await self._tools.patiently(lambda: journal.put_batch(self.job.id, number, record))
        await self._tools.patiently(self._save)

    async def _save(self) -> None:
        async with self._writing:
            await self._tools.journal.put(self.job)

    async def _succeed(self) -> None:
        while not self.ended:
            await self._go.wait()
            async with self._writing:
                # It may have been paused between the two lines above.
                if self.job.state is State.RUNNING:
                    ended = self.job.moved(State.SUCCEEDED, self._tools.clock())
                    await self._tools.journal.end(ended)
                    self._become(ended)

    async def _fail(self, failure: Failure) -> None:
        async def fail() -> None:
            async with self._writing:
                ended = self.job.failed(failure, self._tools.clock())
                await self._tools.journal.end(ended)
                self._become(ended)

        if not self.ended:
            await self._tools.patiently(fail)
            _log.warning("job_failed", job=self.job.id, code=failure.code, reason=failure.reason)

    async def _move(self, state: State) -> None:
        """Moves the job on disk first, so that nobody is told what a crash would undo."""
        async with self._writing:
            now = self._tools.clock()
            await self._tools.journal.put(self.job.moved(state, now))
            # Counts may have come in while it was written.
            self._become(self.job.moved(state, now))

    def _become(self, job: Job) -> None:
        self.job = job
        self.bell.ring()

    def _count(self) -> None:
        """Adds all batches up; once, at the start."""
        self._retally(sum((record.tally() for record in self.records), Tally()))

    def _retally(self, tally: Tally) -> None:
        self.job = self.job.counted(tally, self._tools.clock())
        self._rate.note(tally.settled)
        self.bell.ring()

    def settle(self, record: BatchRecord, place: int, settled: Settled) -> None:
        """Counts a search, unless it counted already."""
        if record.settle(place, settled):
            self._retally(self.job.tally + Tally(**{settled.outcome.value: 1}))

    def spend(self, record: BatchRecord, calls: int) -> None:
        """Counts calls to providers."""
        if calls:
            record.calls += calls
            self._retally(self.job.tally + Tally(calls=calls))

    def retry(self, record: BatchRecord, count: int) -> None:
        """Counts searches that are tried again."""
        record.retries += count
        self._retally(self.job.tally + Tally(retries=count))


@dataclass(frozen=True, slots=True)
class _Listener:
    """Counts for one batch."""

    run: Run
    record: BatchRecord

    def settle(self, place: int, settled: Settled) -> None:
        self.run.settle(self.record, place, settled)

    def spend(self, calls: int) -> None:
        self.run.spend(self.record, calls)

    def retry(self, count: int) -> None:
        self.run.retry(self.record, count)
