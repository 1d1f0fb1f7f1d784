"""What the warmer answers: its default entrypoint, its Admin, and what both live on."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_BUILT
from bookmesh.warmer.v1 import admin_service_pb2 as admin_pb
from bookmesh.warmer.v1 import warmer_service_pb2 as pb
from bookmesh.warmer.v1.admin_service_pb2_grpc import AdminServiceServicer
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceServicer

from mesh.admin import AdminMethods
from mesh.background import Background
from mesh.call import Clock
from mesh.context import Context
from mesh.schedule.schedule import Schedule
from mesh.schedule.state import KEPT
from mesh.status import UnimplementedError
from services.warmer import checks, faults
from services.warmer.asking import Asker, Sleep
from services.warmer.env import Env
from services.warmer.estimate import estimate
from services.warmer.job import Job
from services.warmer.jobs import Jobs
from services.warmer.journal import Journal
from services.warmer.library.intake import Intake
from services.warmer.library.libraries import Libraries
from services.warmer.messages import job_message
from services.warmer.planning import LibraryPlanner
from services.warmer.reporting import Reports
from services.warmer.running import Run
from services.warmer.settings import Settings, settings_of
from services.warmer.tools import Tools
from services.warmer.trigger_messages import firing_message, trigger_messages
from services.warmer.triggers import handle
from services.warmer.watch import changes


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What both entrypoints live on."""

    settings: Settings
    """The settings, checked."""
    libraries: Libraries
    """Libraries at rest."""
    intake: Intake
    """Takes libraries in."""
    planner: LibraryPlanner
    """Plans jobs."""
    reports: Reports
    """Reports of jobs."""
    jobs: Jobs
    """The jobs."""
    schedule: Schedule
    """What is done by the clock."""
    sleep: Sleep
    """Waits for so many seconds."""


@asynccontextmanager
async def lifespan(env: Env) -> AsyncIterator[State]:
    """Opens what the warmer needs, goes on with jobs that have not ended, and leaves them where they are at the end.

    Raises:
        ConfigurationError: some settings make no sense, each of them a problem.
    """
    settings = settings_of(env)
    async with Background() as background:
        state = state_of(env, settings, background)
        background.spawn(state.jobs.resume_unended(), name="resume jobs")
        state.schedule.start()
        yield state


def state_of(
    env: Env,
    settings: Settings,
    background: Background,
    *,
    clock: Clock = time.time,
    monotonic: Clock = time.monotonic,
    sleep: Sleep = asyncio.sleep,
    random_hex: Callable[[int], str] = secrets.token_hex,
) -> State:
    """What the entrypoints live on, put together; tests give their own time and randomness."""
    libraries, journal = Libraries(env.LIBRARY_DATA), Journal(env.WARMING_CACHE)
    planner = LibraryPlanner(libraries)
    reports = Reports(libraries=libraries, journal=journal, planner=planner)
    tools = Tools(
        journal=journal,
        planner=planner,
        reports=reports,
        asker=Asker(env.BOOKS_API_PROXY, sleep=sleep),
        concurrency=settings.concurrency,
        clock=clock,
        monotonic=monotonic,
        sleep=sleep,
    )
    return State(
        settings=settings,
        libraries=libraries,
        intake=Intake(libraries, max_bytes=settings.max_library_bytes, max_rows=settings.max_library_rows, clock=clock),
        planner=planner,
        reports=reports,
        jobs=Jobs(tools, background, random_hex=random_hex),
        schedule=Schedule(
            env.WARMING_CACHE,
            env.MESH.crons,
            handle,
            background,
            prefix="trigger:",
            store="WARMING_CACHE",
            clock=clock,
            monotonic=monotonic,
            sleep=sleep,
            random_hex=random_hex,
        ),
        sleep=sleep,
    )


class Default(WarmerServiceServicer):
    """The warmer.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        self._books = env.BOOKS_API_PROXY
        self._state = state
        self._jobs = state.jobs

    async def UploadLibrary(
        self, request_iterator: AsyncIterator[pb.UploadLibraryRequest], context: Context
    ) -> pb.UploadLibraryResponse:
        """Takes a library in."""
        return await self._state.intake.take(request_iterator)

    async def Warm(self, request: pb.WarmRequest, context: Context) -> pb.WarmResponse:
        """Begins a job, or tells what it would do."""
        if not checks.checked_warm(request):
            if not checks.is_library_id(request.library_id):
                raise faults.not_found(request.library_id)
            await self._state.libraries.require(request.library_id)
        if request.dry_run:
            plan, _ = await self._state.planner.plan(request)
            return pb.WarmResponse(plan=await estimate(plan, self._books, self._state.settings.pace))
        return pb.WarmResponse(job=_told(await self._jobs.start(request)))

    async def GetWarmJob(self, request: pb.GetWarmJobRequest, context: Context) -> pb.GetWarmJobResponse:
        """A job as it is now."""
        return pb.GetWarmJobResponse(job=_told(await self._jobs.find(request.job_id)))

    async def WatchWarmJob(
        self, request: pb.WatchWarmJobRequest, context: Context
    ) -> AsyncIterator[pb.WatchWarmJobResponse]:
        """A job as it is now, and again whenever it changes."""
        found = await self._jobs.find(request.job_id)
        if isinstance(found, Job):
            yield pb.WatchWarmJobResponse(job=_told(found))
            return
        async with aclosing(changes(found, lambda: _told(found), sleep=self._state.sleep)) as told:
            async for job in told:
                yield pb.WatchWarmJobResponse(job=job)

    async def ListWarmJobs(self, request: pb.ListWarmJobsRequest, context: Context) -> pb.ListWarmJobsResponse:
        """The jobs, newest first."""
        found, after = await self._jobs.page(checks.page_size_of(request.page_size), request.page_token)
        return pb.ListWarmJobsResponse(jobs=map(_told, found), next_page_token=after)

    async def PauseWarmJob(self, request: pb.PauseWarmJobRequest, context: Context) -> pb.PauseWarmJobResponse:
        """Halts a job."""
        return pb.PauseWarmJobResponse(job=_told(await self._jobs.pause(request.job_id)))

    async def ResumeWarmJob(self, request: pb.ResumeWarmJobRequest, context: Context) -> pb.ResumeWarmJobResponse:
        """Goes on with a job."""
        return pb.ResumeWarmJobResponse(job=_told(await self._jobs.resume(request.job_id)))

    async def CancelWarmJob(self, request: pb.CancelWarmJobRequest, context: Context) -> pb.CancelWarmJobResponse:
        """Ends a job."""
        return pb.CancelWarmJobResponse(job=_told(await self._jobs.cancel(request.job_id)))

    async def GetWarmReport(
        self, request: pb.GetWarmReportRequest, context: Context
    ) -> AsyncIterator[pb.GetWarmReportResponse]:
        """What became of every row, as far as it is known."""
        found = await self._jobs.find(request.job_id)
        reports = self._state.reports
        if isinstance(found, Job):
            chunks = reports.of_ended(found)
        else:
            plan = found.plan or (await self._state.planner.plan(found.request))[0]
            chunks = reports.made(found.request, plan, found.records)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield pb.GetWarmReportResponse(data=chunk)


class Admin(AdminMethods, AdminServiceServicer):
    """The warmer for operators.

    Args:
        env: the bindings.
        state: what `lifespan` opened.
    """

    def __init__(self, env: Env, state: State) -> None:
        super().__init__(env.MESH)
        self._schedule = state.schedule

    async def ListTriggers(
        self, request: admin_pb.ListTriggersRequest, context: Context
    ) -> admin_pb.ListTriggersResponse:
        """The cron lines, with what became of their last firings."""
        found = await self._schedule.list(request.firing_limit or KEPT)
        return admin_pb.ListTriggersResponse(triggers=trigger_messages(found))

    async def FireTrigger(self, request: admin_pb.FireTriggerRequest, context: Context) -> admin_pb.FireTriggerResponse:
        """Fires a trigger, and tells what came of it; a caller that goes away does not end it."""
        return admin_pb.FireTriggerResponse(firing=firing_message(await self._schedule.fire(request.cron)))

    async def VerifyCache(self, request: admin_pb.VerifyCacheRequest, context: Context) -> admin_pb.VerifyCacheResponse:
        """Is not built yet."""
        raise _not_built("VerifyCache")


def _told(found: Run | Job) -> pb.WarmJob:
    return job_message(found, 0.0) if isinstance(found, Job) else job_message(found.job, found.per_second())


def _not_built(method: str) -> UnimplementedError:
    return UnimplementedError(
        ERROR_REASON_NOT_BUILT, f"{method} is in the contract but not built yet", metadata={"method": method}
    )
