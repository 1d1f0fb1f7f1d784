"""The only place that brings a job's plan and its records together: each search, and what became of it."""

from collections.abc import AsyncIterator, Sequence

from mesh.status import DataLossError
from mesh.turns import Turns
from services.warmer.jobs.job import Job
from services.warmer.jobs.outcome import BatchRecord, Settled
from services.warmer.jobs.store import JobStore
from services.warmer.plan.searches import Search
from services.warmer.plan.shelf import PlanShelf

_TOGETHER = 64
"""Batches whose records are read in one round trip."""


class AlreadyKeptError(Exception):
    """The report of the job is kept by now, or the job is forgotten: records go, so what was read may lack some."""


async def settled_searches(
    job: Job, store: JobStore, shelf: PlanShelf, turns: Turns
) -> AsyncIterator[tuple[Search, Settled | None]]:
    """Each search of a job, and what became of it so far; a batch that was written by halves counts as it is.

    Raises:
        AlreadyKeptError: at the end at the latest; the report has what was sought.
        MeshError: a store does not answer, or what is needed is gone.
    """
    try:
        numbers = job.part.batches if job.part is not None else range(0)
        # Whoever goes through them does as it likes between two, so this holds up nobody else's turn.
        turn = turns.turn(patient=False)
        for at in range(0, len(numbers), _TOGETHER):
            some = numbers[at : at + _TOGETHER]
            stored: Sequence[bytes | None] = await store.records(job.id, some)
            for number, data in zip(some, stored, strict=True):
                searches = await shelf.batch(job.part.plan_id, number) if job.part is not None else ()
                record = BatchRecord.decode(data, len(searches)) if data else None
                for place, search in enumerate(searches):
                    await turn.breathe()
                    yield search, record.get(place) if record else None
    except DataLossError:
        await _raise_if_kept(job, store)
        raise
    await _raise_if_kept(job, store)


async def _raise_if_kept(job: Job, store: JobStore) -> None:
    now = await store.job(job.id)
    if now is None or now.is_kept:
        raise AlreadyKeptError(job.id)
