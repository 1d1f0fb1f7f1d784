"""The only place that watches a job, in whichever replica it is worked on: it is looked at, and changes are told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from mesh.status import UnavailableError
from services.warmer.jobs.job import Job

STEP_S = 0.2
"""Seconds between two looks; changes that come faster are told as one."""


async def changes(
    job: Job, look: Callable[[str], Awaitable[Job]], *, step_s: float = STEP_S
) -> AsyncGenerator[Job, None]:
    """A job as it is now, and again whenever it has changed, until it ends; the last is what it ended as.

    Args:
        job: as it is now.
        look: finds it by its id; while its store is away the watching goes on.
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
            await asyncio.sleep(step_s)
            try:
                job = await look(job.id)
            except UnavailableError:
                continue
