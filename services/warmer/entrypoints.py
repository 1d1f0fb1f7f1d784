"""What the warmer answers: its default entrypoint and its Admin."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from bookmesh.warmer.v1 import admin_service_pb2 as admin_pb
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceServicer
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceServicer

from mesh.admin import AdminMethods
from mesh.context import Context
from mesh.schedule.state import KEPT
from services.warmer import checks, faults
from services.warmer.env import Env
from services.warmer.jobs.job import Job
from services.warmer.jobs.messages import job_message
from services.warmer.jobs.watch import changes
from services.warmer.opening import State, lifespan
from services.warmer.triggers.messages import firing_message, trigger_messages

__all__ = ["Admin", "Default", "State", "lifespan"]


class Default(WarmerServiceServicer):
    """The warmer.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        self._state = state
        self._jobs = state.jobs

    async def UploadLibrary(
        self, request_iterator: AsyncIterator[pb.UploadLibraryRequest], context: Context
    ) -> pb.UploadLibraryResponse:
        """Takes a library in."""
        return await self._state.intake.take(request_iterator)

    async def GetLibrary(self, request: pb.GetLibraryRequest, context: Context) -> pb.GetLibraryResponse:
        """A stored library."""
        return pb.GetLibraryResponse(library=await self._state.desk.get(request.library_id))

    async def ListLibraries(self, request: pb.ListLibrariesRequest, context: Context) -> pb.ListLibrariesResponse:
        """The stored libraries, by id."""
        found, after = await self._state.desk.page(checks.page_size_of(request.page_size), request.page_token)
        return pb.ListLibrariesResponse(libraries=found, next_page_token=after)

    async def DeleteLibrary(self, request: pb.DeleteLibraryRequest, context: Context) -> pb.DeleteLibraryResponse:
        """Forgets a library."""
        await self._state.desk.delete(request.library_id)
        return pb.DeleteLibraryResponse()

    async def Warm(self, request: pb.WarmRequest, context: Context) -> pb.WarmResponse:
        """Begins a job, or tells what it would do."""
        if not checks.inline_books(request):
            if not checks.is_library_id(request.library_id):
                raise faults.not_found(request.library_id)
            await self._state.libraries.require(request.library_id)
        if not request.dry_run:
            return pb.WarmResponse(job=self._told(await self._jobs.start(request)))
        planned = await self._state.planner.plan(request, self._state.dry_name())
        try:
            return pb.WarmResponse(plan=await self._state.estimator.estimate(planned))
        finally:
            if planned.is_own:
                await self._state.shelf.forget(planned.plan_id)

    async def GetWarmJob(self, request: pb.GetWarmJobRequest, context: Context) -> pb.GetWarmJobResponse:
        """A job as it is now."""
        return pb.GetWarmJobResponse(job=self._told(await self._jobs.find(request.job_id)))

    async def WatchWarmJob(
        self, request: pb.WatchWarmJobRequest, context: Context
    ) -> AsyncIterator[pb.WatchWarmJobResponse]:
        """A job as it is now, and again whenever it changes."""
        found = await self._jobs.find(request.job_id)
        rest = self._state.crew.changed
        async with aclosing(changes(found, self._jobs.find, rest, step_s=self._state.watch_s)) as told:
            async for job in told:
                yield pb.WatchWarmJobResponse(job=self._told(job))

    async def ListWarmJobs(self, request: pb.ListWarmJobsRequest, context: Context) -> pb.ListWarmJobsResponse:
        """The jobs, newest first."""
        found, after = await self._jobs.page(checks.page_size_of(request.page_size), request.page_token)
        return pb.ListWarmJobsResponse(jobs=map(self._told, found), next_page_token=after)

    async def PauseWarmJob(self, request: pb.PauseWarmJobRequest, context: Context) -> pb.PauseWarmJobResponse:
        """Halts a job."""
        return pb.PauseWarmJobResponse(job=self._told(await self._jobs.pause(request.job_id)))

    async def ResumeWarmJob(self, request: pb.ResumeWarmJobRequest, context: Context) -> pb.ResumeWarmJobResponse:
        """Goes on with a job."""
        return pb.ResumeWarmJobResponse(job=self._told(await self._jobs.resume(request.job_id)))

    async def CancelWarmJob(self, request: pb.CancelWarmJobRequest, context: Context) -> pb.CancelWarmJobResponse:
        """Ends a job."""
        return pb.CancelWarmJobResponse(job=self._told(await self._jobs.cancel(request.job_id)))

    async def GetWarmReport(
        self, request: pb.GetWarmReportRequest, context: Context
    ) -> AsyncIterator[pb.GetWarmReportResponse]:
        """What became of every row, as far as it is known."""
        found = await self._jobs.find(request.job_id)
        async with aclosing(self._state.reports.of(found)) as chunks:
            async for chunk in chunks:
                yield pb.GetWarmReportResponse(data=chunk)

    def _told(self, job: Job) -> pb.WarmJob:
        return job_message(job, self._state.clock())


class Admin(AdminMethods, AdminServiceServicer):
    """The warmer for operators.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        super().__init__(env.MESH)
        self._state = state

    async def ListTriggers(
        self, request: admin_pb.ListTriggersRequest, context: Context
    ) -> admin_pb.ListTriggersResponse:
        """The cron lines, and what became of their last firings."""
        found = await self._state.schedule.list(request.firing_limit or KEPT)
        return admin_pb.ListTriggersResponse(triggers=trigger_messages(found))

    async def FireTrigger(self, request: admin_pb.FireTriggerRequest, context: Context) -> admin_pb.FireTriggerResponse:
        """Fires a trigger, and tells what came of it; a caller that goes away does not end it."""
        return admin_pb.FireTriggerResponse(firing=firing_message(await self._state.schedule.fire(request.cron)))

    async def VerifyCache(self, request: admin_pb.VerifyCacheRequest, context: Context) -> admin_pb.VerifyCacheResponse:
        """Looks whether what was warmed is still cached."""
        if request.library_id and not checks.is_library_id(request.library_id):
            raise faults.not_found(request.library_id)
        return await self._state.verifier.verify(request.library_id, request.sample_count, repair=request.repair)

    async def ListCoverageReports(
        self, request: admin_pb.ListCoverageReportsRequest, context: Context
    ) -> admin_pb.ListCoverageReportsResponse:
        """What the verifications found, newest first."""
        size = checks.page_size_of(request.page_size)
        reports, after = await self._state.coverage.page(size, request.page_token)
        return admin_pb.ListCoverageReportsResponse(reports=reports, next_page_token=after)
