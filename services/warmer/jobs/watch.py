"""The only place that watches a job, in whichever replica it is worked on: it is looked at, and changes are told."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from mesh.status import UnavailableError
from services.warmer.jobs.job import Job

STEP_S = 0.2
"""Seconds after which a job is looked at again; what this replica changes itself is seen at once."""


async def changes(
    job: Job,
    look: Callable[[str], Awaitable[Job]],
    rest: Callable[[float], Awaitable[None]],
    *,
    step_s: float = STEP_S,
) -> AsyncGenerator[Job, None]:
    """A job as it is now, and again whenever it has changed, until it ends; the last is what it ended as.

    Args:
        job: as it is now.
        look: finds it by its id; while its store is away the watching goes on.
        rest: waits until this replica changes something, so many seconds at most.
        step_s: seconds between two looks.

    Raises:
        NotFoundError: JOB_NOT_FOUND; it is gone.
    """
    while True:
        yield job
        told = job
        while job == told:
            if job.ended:
                return
            await rest(step_s)
            try:
                job = await look(job.id)
            except UnavailableError:
                continue
