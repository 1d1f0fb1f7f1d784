"""Makes reports out of libraries and checkpoints, and keeps those of jobs that are done."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import DataLossError, UnavailableError
from services.warmer.checks import checked_warm
from services.warmer.job import Job
from services.warmer.journal import Journal
from services.warmer.library.libraries import Libraries
from services.warmer.outcome import BatchRecord, Settled
from services.warmer.plan import Plan, Search, SearchKind
from services.warmer.planning import LibraryPlanner, events_of
from services.warmer.report import report_of

_log = structlog.get_logger("services.warmer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Reports of jobs."""

    libraries: Libraries
    """Where libraries and reports lie."""
    journal: Journal
    """Where checkpoints lie."""
    planner: LibraryPlanner
    """Tells which search a checkpoint speaks of."""

    async def made(
        self, request: pb.WarmRequest, plan: Plan, records: Sequence[BatchRecord]
    ) -> AsyncGenerator[bytes, None]:
        """The report of a job as it stands.

        Args:
            request: what the job came from.
            plan: its plan.
            records: what became of the batches so far.

        Raises:
            MeshError: the library can't be read.
        """
        known = dict(_settled(plan, records))

        def look(search: Search) -> Settled | None:
            return known[search.key]

        inline = checked_warm(request)
        if inline:
            for chunk in report_of(inline, look):
                yield chunk
            return
        async with self.libraries.opened(request.library_id) as file:
            chunks = report_of(events_of(file), look)
            while chunk := await asyncio.to_thread(lambda: next(chunks, b"")):
                yield chunk

    async def keep(self, job_id: str, request: pb.WarmRequest, plan: Plan, records: Sequence[BatchRecord]) -> None:
        """Keeps the report of a job that is done; one that can't be kept is made anew when it is asked for."""
        try:
            await self.libraries.keep_report(job_id, self.made(request, plan, records))
        except UnavailableError as error:
            _log.warning("report_not_kept", job=job_id, reason=error.reason)

    async def of_ended(self, job: Job) -> AsyncGenerator[bytes, None]:
        """The report of a job that has ended: the one that was kept, else one made of its checkpoints.

        Raises:
            MeshError: a store does not answer, or what is needed is gone.
        """
        is_kept = False
        async for chunk in self.libraries.report(job.id):
            is_kept = True
            yield chunk
        if is_kept:
            return
        request = await self.journal.asked(job.id)
        if request is None:
            raise _lost()
        plan, _ = await self.planner.plan(request)
        records = await self.journal.records_of(job.id, plan)
        if records is None and job.tally.settled:
            raise _lost()
        async for chunk in self.made(request, plan, records or ()):
            yield chunk


def _settled(plan: Plan, records: Sequence[BatchRecord]) -> list[tuple[tuple[SearchKind, str], Settled | None]]:
    """What became of each search, by its key; with no records, nothing has."""
    found: list[tuple[tuple[SearchKind, str], Settled | None]] = []
    for number, batch in enumerate(plan.batches):
        record = records[number] if records else None
        found += [(plan.searches[at].key, record.get(place) if record else None) for place, at in enumerate(batch)]
    return found


def _lost() -> DataLossError:
    return DataLossError(ERROR_REASON_INTERNAL, "what this job's checkpoints speak of can't be told any more")
