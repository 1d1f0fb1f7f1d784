"""All jobs, whichever replica works on them: begins them, finds them by their ids, halts and ends them."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_INVALID_PAGE_TOKEN,
    ERROR_REASON_JOB_ALREADY_RUNNING,
    ERROR_REASON_JOB_NOT_FOUND,
    ERROR_REASON_JOB_STATE,
    ERROR_REASON_REQUEST_ID_REUSED,
)
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.call import Clock
from mesh.status import (
    AbortedError,
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from services.warmer.jobs.job import Extent, Job, Part, State
from services.warmer.jobs.store import JobStore

PATIENCE_S = 1.0
"""Seconds that whoever cancels a job, or begins the next one on its library, waits for its closing at most."""

_LOOK_S = 0.02


class Jobs:
    """The jobs.

    Args:
        store: where they lie.
        wake: tells the crew of this replica that there may be work.
        clock: seconds since the epoch.
        random_hex: gives this many random bytes in hex.
    """

    def __init__(
        self,
        store: JobStore,
        *,
        wake: Callable[[], None],
        clock: Clock,
        random_hex: Callable[[int], str],
    ) -> None:
        self._store = store
        self._wake = wake
        self._clock = clock
        self._random_hex = random_hex

    async def start(
        self,
        request: pb.WarmRequest,
        *,
        trigger: str = "",
        min_fresh_s: float = 0.0,
        planned: tuple[Part, Extent] | None = None,
    ) -> Job:
        """Begins a job, or finds the one that this very request began before.

        Args:
            request: checked; its library exists.
            trigger: the cron line that starts it.
            min_fresh_s: seconds that an answer must stay fresh yet to be no work.
            planned: which part of a plan that is made already; None leaves the planning to the crew.

        Raises:
            AlreadyExistsError: REQUEST_ID_REUSED.
            AbortedError: JOB_ALREADY_RUNNING.
            UnavailableError: STORE_UNAVAILABLE.
        """
        now = self._clock()
        job = Job(
            id=self._new_id(now),
            library_id=request.library_id,
            strategy=request.strategy or pb.STRATEGY_HYBRID,
            rows=request.rows or pb.ROW_SELECTION_ALL,
            request_id=request.request_id,
            trigger=trigger,
            min_fresh_s=min_fresh_s,
            create_time=now,
            update_time=now,
            part=planned[0] if planned else None,
            extent=planned[1] if planned else Extent(),
        )
        claim = await self._store.begin(job, request, _fingerprint(request))
        if claim.word == "BUSY" and (await self.find(claim.job_id)).ended and await self._is_closed(claim.job_id):
            claim = await self._store.begin(job, request, _fingerprint(request))
        match claim.word:
            case "REUSED":
                raise _request_id_reused(request.request_id, claim.job_id)
            case "BUSY":
                raise already_running(request.library_id, claim.job_id)
            case "SAME":
                return await self.find(claim.job_id)
        self._wake()
        return job

    async def find(self, job_id: str) -> Job:
        """A job.

        Raises:
            NotFoundError: JOB_NOT_FOUND.
            UnavailableError: STORE_UNAVAILABLE.
        """
        job = await self._store.job(job_id)
        if job is None:
            raise NotFoundError(
                ERROR_REASON_JOB_NOT_FOUND, "there is no job of this id", metadata={"job_id": job_id[:100]}
            )
        return job

    async def runs_on(self, library_id: str) -> str:
        """The job that is at work on a library; empty when none is.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        return await self._store.runs_on(library_id)

    async def page(self, size: int, token: str) -> tuple[list[Job], str]:
        """Jobs, newest first, and the token of the next page; "" at the end.

        Raises:
            InvalidArgumentError: INVALID_PAGE_TOKEN.
            UnavailableError: STORE_UNAVAILABLE.
        """
        jobs = await self._store.page(size, _read_token(token) if token else "")
        return jobs[:size], _token(jobs[size - 1].id) if len(jobs) > size else ""

    async def pause(self, job_id: str) -> Job:
        """Halts a job; every replica has let go of its batches within a second.

        Raises:
            FailedPreconditionError: JOB_STATE.
            MeshError: as `find`.
        """
        return await self._steer(job_id, State.PAUSED)

    async def resume(self, job_id: str) -> Job:
        """Goes on with a job, one that waits for a quota too.

        Raises:
            FailedPreconditionError: JOB_STATE.
            MeshError: as `find`.
        """
        job = await self.find(job_id)
        if job.state is State.PENDING:
            return job
        return await self._steer(job_id, State.RUNNING if job.part is not None else State.PENDING)

    async def cancel(self, job_id: str) -> Job:
        """Ends a job; one that was cancelled before is left as it is.

        It is answered when the crew has closed the job, or after PATIENCE_S; then it is closed soon after.

        Raises:
            FailedPreconditionError: JOB_STATE.
            MeshError: as `find`.
        """
        job = await self._steer(job_id, State.CANCELLED)
        await self._is_closed(job_id)
        return job

    async def _is_closed(self, job_id: str) -> bool:
        """Waits until an ended job is closed, for as long as people like to wait."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while await self._store.is_open(job_id):  # noqa: ASYNC110 - it may be another replica that closes it
                    await asyncio.sleep(_LOOK_S)
                return True
        return False

    async def _steer(self, job_id: str, to: State) -> Job:
        job = await self.find(job_id)
        state = await self._store.move(job, to)
        if state is not to:
            now = state.value if state else "GONE"
            raise FailedPreconditionError(
                ERROR_REASON_JOB_STATE,
                f"a job that is {now} can't become {to.value}",
                metadata={"job_id": job_id, "state": now},
            )
        self._wake()
        return await self.find(job_id)

    def _new_id(self, now: float) -> str:
        """Ids sort by the time of their jobs, and can't be guessed."""
        time = datetime.fromtimestamp(now, UTC)
        return f"warm-{time:%Y%m%dT%H%M%S}{time.microsecond // 1000:03d}-{self._random_hex(6)}"


def already_running(library_id: str, job_id: str) -> AbortedError:
    """A job is at work on the library."""
    return AbortedError(
        ERROR_REASON_JOB_ALREADY_RUNNING,
        f"{job_id} is at work on this library already",
        metadata={"job_id": job_id, "library_id": library_id},
    )


def _fingerprint(request: pb.WarmRequest) -> str:
    """Tells whether two requests are the same."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()


def _request_id_reused(request_id: str, job_id: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        ERROR_REASON_REQUEST_ID_REUSED,
        "this request_id was used for another request",
        metadata={"request_id": request_id, "job_id": job_id},
    )


def _token(job_id: str) -> str:
    return base64.urlsafe_b64encode(job_id.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_PAGE_TOKEN, "page_token is none that this method gave out", field="page_token"
        ) from None
