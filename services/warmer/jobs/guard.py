"""The only place that says what becomes of a job when the work on it breaks: it waits for its stores, or has failed."""

import uuid
from collections.abc import Awaitable

import structlog

from mesh.status import MeshError, UnavailableError
from services.warmer.jobs.job import Failure, Job, State
from services.warmer.jobs.store import JobStore

_log = structlog.get_logger("services.warmer")


async def guarded(store: JobStore, job: Job, work: Awaitable[bool]) -> bool:
    """What came of the work on a job; where it breaks for good, the job has failed, and that is something, too.

    Args:
        store: where jobs lie.
        job: the job.
        work: tells whether it changed anything.

    Returns:
        Whether there may be more to do at once; False when a store or a service is away, for the next look finds the
        same work.
    """
    try:
        return await work
    except UnavailableError as error:
        _log.warning("job_waits", job=job.id, reason=error.reason)
        return False
    except MeshError as error:
        await _fail(store, job, Failure(code=error.code.name, reason=error.reason, message=error.message))
    except Exception:  # noqa: BLE001 - a job must not stay open with nobody at work, and the next replica breaks as well
        error_id = uuid.uuid4().hex
        _log.exception("job_broke", job=job.id, error_id=error_id)
        message = f"something broke inside the warmer; the log has it under {error_id}"
        await _fail(store, job, Failure(code="INTERNAL", reason="INTERNAL", message=message))
    return True


async def _fail(store: JobStore, job: Job, failure: Failure) -> None:
    _log.warning("job_failed", job=job.id, code=failure.code, reason=failure.reason)
    try:
        await store.move(job, State.FAILED, failure=failure)
    except UnavailableError as error:
        _log.warning("job_failure_not_noted", job=job.id, reason=error.reason)
