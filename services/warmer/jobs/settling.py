"""The only place that brings a job's plan and its records together: each search, and what became of it."""

from collections.abc import AsyncIterator, Sequence

from services.warmer.jobs.job import Job
from services.warmer.jobs.outcome import BatchRecord, Settled
from services.warmer.jobs.store import JobStore
from services.warmer.plan.searches import Search
from services.warmer.plan.shelf import PlanShelf

_TOGETHER = 64
"""Batches whose records are read in one round trip."""


async def settled_searches(job: Job, store: JobStore, shelf: PlanShelf) -> AsyncIterator[tuple[Search, Settled | None]]:
    """Each search of a job, and what became of it so far; a batch that was written by halves counts as it is.

    Raises:
        MeshError: a store does not answer, or what is needed is gone.
    """
    if job.part is None:
        return
    numbers = job.part.batches
    for at in range(0, len(numbers), _TOGETHER):
        some = numbers[at : at + _TOGETHER]
        stored: Sequence[bytes | None] = await store.records(job.id, some)
        for number, data in zip(some, stored, strict=True):
            searches = await shelf.batch(job.part.plan_id, number)
            record = BatchRecord.decode(data, len(searches)) if data else None
            for place, search in enumerate(searches):
                yield search, record.get(place) if record else None
