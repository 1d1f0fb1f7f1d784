"""All jobs of this process: begins them, goes on with what an earlier process left, and finds them by their ids."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_INVALID_PAGE_TOKEN,
    ERROR_REASON_JOB_ALREADY_RUNNING,
    ERROR_REASON_JOB_NOT_FOUND,
    ERROR_REASON_JOB_STATE,
    ERROR_REASON_REQUEST_ID_REUSED,
)
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.background import Background
from mesh.status import (
    AbortedError,
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from services.warmer.job import Failure, Job, JobStateError, State
from services.warmer.journal import Claim, PageTokenError
from services.warmer.running import Run
from services.warmer.tools import Tools

_RESUME_WAIT_S = 2.0
"""Seconds before the journal is asked again for unfinished jobs, when it did not answer at the start."""

_log = structlog.get_logger("services.warmer")


class Jobs:
    """The jobs.

    Args:
        tools: what they are run with.
        background: where they run.
        random_hex: gives this many random bytes in hex.
    """

    def __init__(self, tools: Tools, background: Background, *, random_hex: Callable[[int], str]) -> None:
        self._tools = tools
        self._background = background
        self._random_hex = random_hex
        self._runs: dict[str, Run] = {}
        self._beginning = asyncio.Lock()

    async def start(self, request: pb.WarmRequest) -> Run | Job:
        """Begins a job, or finds the one that this very request began before.

        Args:
            request: checked; its library exists.

        Raises:
            AlreadyExistsError: REQUEST_ID_REUSED.
            AbortedError: JOB_ALREADY_RUNNING.
            UnavailableError: STORE_UNAVAILABLE.
        """
        journal = self._tools.journal
        async with self._beginning:
            own = Claim(self._new_id(), _fingerprint(request))
            claim = await journal.claim_request(request.request_id, own) if request.request_id else own
            if claim.fingerprint != own.fingerprint:
                raise _request_id_reused(request.request_id, claim.job_id)
            if claim is not own:
                known = self._runs.get(claim.job_id) or await journal.job(claim.job_id)
                if known is not None:
                    return known
                # Whoever made the claim died before the job came to be, so it comes to be now, under its name.
            if request.library_id:
                other = await journal.claim_library(request.library_id, claim.job_id)
                if other is not None:
                    if request.request_id:
                        await journal.release_request(request.request_id)
                    raise _already_running(request.library_id, other.id)
            return await self._begin(claim.job_id, request)

    async def _begin(self, job_id: str, request: pb.WarmRequest) -> Run:
        now = self._tools.clock()
        job = Job(
            id=job_id,
            library_id=request.library_id,
            strategy=request.strategy or pb.STRATEGY_HYBRID,
            request_id=request.request_id,
            create_time=now,
            update_time=now,
        )
        await self._tools.journal.begin(job, request)
        return self._spawn(job, request)

    async def resume_unended(self) -> None:
        """Goes on with the jobs that have not ended; waits for the journal, if it must."""
        while True:
            try:
                for job in await self._tools.journal.unended():
                    await self.find(job.id)
            except UnavailableError as error:
                _log.warning("resuming_waits", reason=error.reason)
                await self._tools.sleep(_RESUME_WAIT_S)
            else:
                return

    async def find(self, job_id: str) -> Run | Job:
        """A job at work, or one that has ended.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
            UnavailableError: STORE_UNAVAILABLE.
        """
        run = self._runs.get(job_id)
        if run is not None:
            return run
        async with self._beginning:
            run = self._runs.get(job_id)
            if run is not None:
                return run
            journal = self._tools.journal
            job = await journal.job(job_id)
            if job is None:
                raise NotFoundError(
                    ERROR_REASON_JOB_NOT_FOUND, "there is no job of this id", metadata={"job_id": job_id[:100]}
                )
            if job.ended:
                return job
            request = await journal.asked(job_id)
            if request is None:
                failure = Failure(code="DATA_LOSS", reason="INTERNAL", message="what this job was asked to do is lost")
                job = job.failed(failure, self._tools.clock())
                await journal.end(job)
                return job
            return self._spawn(job, request)

    async def page(self, size: int, token: str) -> tuple[list[Run | Job], str]:
        """Jobs, newest first, and the token of the next page; "" at the end.

        Raises:
            InvalidArgumentError: INVALID_PAGE_TOKEN.
            UnavailableError: STORE_UNAVAILABLE.
        """
        try:
            jobs, after = await self._tools.journal.page(size, token)
        except PageTokenError:
            raise InvalidArgumentError(
                ERROR_REASON_INVALID_PAGE_TOKEN, "page_token is none that this method gave out", field="page_token"
            ) from None
        return [self._runs.get(job.id, job) for job in jobs], after

    async def pause(self, job_id: str) -> Run | Job:
        """Halts a job.

        Raises:
            FailedPreconditionError: JOB_STATE.
            MeshError: as `find`.
        """
        return await self._steer(job_id, State.PAUSED, Run.pause)

    async def resume(self, job_id: str) -> Run | Job:
        """Goes on with a job.

        Raises:
            FailedPreconditionError: JOB_STATE.
            MeshError: as `find`.
        """
        return await self._steer(job_id, State.RUNNING, Run.resume)

    async def cancel(self, job_id: str) -> Run | Job:
        """Ends a job; one that was cancelled before is left as it is.

        Raises:
            FailedPreconditionError: JOB_STATE.
            MeshError: as `find`.
        """
        return await self._steer(job_id, State.CANCELLED, Run.cancel)

    async def _steer(self, job_id: str, state: State, move: Callable[[Run], Awaitable[None]]) -> Run | Job:
        found = await self.find(job_id)
        try:
            if isinstance(found, Run):
                await move(found)
                return found
            found.moved(state, self._tools.clock())
        except JobStateError as error:
            now = (found.job if isinstance(found, Run) else found).state.value
            raise FailedPreconditionError(
                ERROR_REASON_JOB_STATE, str(error), metadata={"job_id": job_id, "state": now}
            ) from None
        return found

    def _spawn(self, job: Job, request: pb.WarmRequest) -> Run:
        run = self._runs[job.id] = Run(job, request, self._tools)
        task = self._background.spawn(run.work(), name=f"job {job.id}")
        # A task that is cancelled before it began never runs a line of its own, so the run must know of it before.
        run.task = task
        task.add_done_callback(lambda _: self._runs.pop(job.id, None))
        return run

    def _new_id(self) -> str:
        """Ids sort by the time of their jobs, and can't be guessed."""
        now = datetime.fromtimestamp(self._tools.clock(), UTC)
        return f"warm-{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{self._random_hex(6)}"


def _fingerprint(request: pb.WarmRequest) -> str:
    """Tells whether two requests are the same."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()


def _request_id_reused(request_id: str, job_id: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        ERROR_REASON_REQUEST_ID_REUSED,
        "this request_id was used for another request",
        metadata={"request_id": request_id, "job_id": job_id},
    )


def _already_running(library_id: str, job_id: str) -> AbortedError:
    return AbortedError(
        ERROR_REASON_JOB_ALREADY_RUNNING,
        f"{job_id} is at work on this library already",
        metadata={"job_id": job_id, "library_id": library_id},
    )
