"""Makes reports out of libraries and records, and keeps those of jobs that are done."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import DataLossError
from mesh.turns import Turns
from services.warmer.checks import inline_books
from services.warmer.jobs.job import Job
from services.warmer.jobs.known import Known
from services.warmer.jobs.outcome import Settled
from services.warmer.jobs.report import report_of
from services.warmer.jobs.settling import AlreadyKeptError, settled_searches
from services.warmer.jobs.store import JobStore
from services.warmer.library.libraries import Libraries
from services.warmer.plan.searches import Search
from services.warmer.plan.shelf import PlanShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Reports of jobs."""

    libraries: Libraries
    """Where libraries and reports lie."""
    store: JobStore
    """Where records lie."""
    shelf: PlanShelf
    """Tells which search a record speaks of."""
    turns: Turns
    """When many searches are gone through."""

    async def made(self, job: Job) -> AsyncGenerator[bytes, None]:
        """The report of a job as it stands.

        Raises:
            AlreadyKeptError: before the first part; it is kept by now.
            MeshError: a store does not answer, or what is needed is gone.
        """
        request = await self.store.asked(job.id)
        known = Known()
        async for search, settled in settled_searches(job, self.store, self.shelf, self.turns):
            known.add(search, settled)
        known.seal()
        # Nothing is known of a job whose plan is not made, not even what its searches are.
        look = known.look if job.part else _nothing
        is_whole = request.rows != pb.ROW_SELECTION_PARKED and not job.trigger
        if request.HasField("inline"):
            for chunk in report_of(inline_books(request), look, is_whole=True):
                yield chunk
            return
        library = await self.libraries.require(request.library_id)
        async with self.libraries.events(library) as events:
            chunks = report_of(events, look, is_whole=is_whole)
            while chunk := await asyncio.to_thread(lambda: next(chunks, b"")):
                yield chunk

    async def keep(self, job: Job) -> None:
        """Keeps the report of a job that has come to its end.

        Raises:
            AlreadyKeptError: it is kept by now.
            MeshError: a store does not answer, or what is needed is gone.
        """
        await self.libraries.keep_report(job.id, self.made(job))

    async def of(self, job: Job) -> AsyncGenerator[bytes, None]:
        """The report of a job: the one that was kept, else one made of what is known by now.

        Raises:
            DataLossError: INTERNAL; it was kept, and is gone.
            MeshError: a store does not answer, or what is needed is gone.
        """
        if not job.is_kept:
            try:
                async for chunk in self.made(job):
                    yield chunk
            except AlreadyKeptError:
                # The job was closed while it was looked at.
                pass
            else:
                return
        is_there = False
        async for chunk in self.libraries.report(job.id):
            is_there = True
            yield chunk
        if not is_there:
            raise DataLossError(ERROR_REASON_INTERNAL, "the report of this job is gone; warm the library again")


def _nothing(_: Search) -> Settled | None:
    return None
