"""What is left of jobs when they have ended: their reports and counts, and nothing that grows."""

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import NotFoundError
from services.warmer.jobs import forgetting, leases
from tests.integration.warmer.house import DUNE, House, Process, settled, until

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(100))

CANCELLING = range(1, 14)
"""Writes of a process that cancels a job and closes it, before any of which it may die."""


async def keys_of(process: Process) -> set[str]:
    """The kinds of keys that lie in the store for jobs."""
    names = [name.decode() for name in await process.kv.raw.keys(process.kv.name("*"))]
    return {name.removeprefix(process.kv.name("")).partition(":")[0] for name in names}


async def test_what_is_left_of_a_job(house: House) -> None:
    """Of a job that has ended stay its counts and its report; its records, its stream and its plan go."""
    async with house.process() as process:
        job = (await process.stub.Warm(pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE])))).job
        before = await process.finished(job.id)
        await until_closed(process, job.id)
        after = await process.job(job.id)
        kept = await keys_of(process)
    assert (after, settled(after.progress)) == (before, 1)
    assert kept & {"queue", "hand", "record", "tally", "lease"} == set()
    assert [found.key async for found in house.bucket.list()] == [f"reports/{job.id}.csv"]


async def until_closed(process: Process, job_id: str) -> None:
    """Waits until nothing is left to do for a job."""

    async def closed() -> bool:
        return await process.kv.raw.zscore(process.kv.name("open"), job_id) is None

    await until(closed)


@pytest.mark.parametrize("writes", CANCELLING)
async def test_killed_while_it_cancels(house: House, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Whoever cancels a job may die at any moment: another replica closes it, and what it left undone is known."""
    monkeypatch.setattr(leases, "LEASE_S", 0.3)
    async with house.process(WARM_CONCURRENCY=1) as process:
        library_id = (await process.upload(MANY)).library.id
        house.books.hold_at = 30
        job = await process.warm(library_id)
        await house.books.waiting.wait()
        process.kv.wire.left = writes
        cancelling = process.stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id=job.id))
        try:
            await cancelling
        except Exception:  # noqa: BLE001 - it died, so whatever it told is no matter
            process.kv.wire.down = True
        await process.kill()
    house.books.gate.set()
    async with house.process(WARM_CONCURRENCY=1) as process:
        await process.stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id=job.id))
        await until_closed(process, job.id)
        ended = await process.job(job.id)
        left = 100 - settled(ended.progress)
        rows = (await process.report(job.id)).splitlines()
        rest = await process.warm(library_id, rows=pb.ROW_SELECTION_PARKED)
        second = await process.finished(rest.id)
    assert (ended.state, len(rows)) == (pb.WARM_JOB_STATE_CANCELLED, 101)
    assert (second.progress.search_count, settled(second.progress)) == (left, left)


async def test_what_a_failed_job_leaves(house: House) -> None:
    """A job that failed is closed as well: its library is free for the next one."""
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        for key in [found.key async for found in house.bucket.list("libraries/")]:
            if not key.endswith(".summary"):
                await house.bucket.delete(key)
        job = await process.warm(library_id)
        ended = await process.finished(job.id)
        again = await process.warm(library_id)
    assert (ended.state, again.id != job.id) == (pb.WARM_JOB_STATE_FAILED, True)


async def test_jobs_without_a_library_do_not_pile_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the jobs on books in the request the newest stay, with their reports; the others are forgotten."""
    monkeypatch.setattr(forgetting, "INLINE_KEPT", 2)
    async with house.process() as process:
        jobs = []
        for number in range(4):
            inline = pb.InlineLibrary(authors=[f"Author {number}"])
            jobs.append((await process.stub.Warm(pb.WarmRequest(inline=inline))).job.id)
            await process.finished(jobs[-1])
            await until_closed(process, jobs[-1])
            house.clock.advance(1)
        listed = await process.stub.ListWarmJobs(pb.ListWarmJobsRequest())
        with pytest.raises(NotFoundError):
            await process.job(jobs[0])
    assert [job.id for job in listed.jobs] == [jobs[3], jobs[2]]
    assert sorted([found.key async for found in house.bucket.list("reports/")]) == [
        f"reports/{one}.csv" for one in jobs[2:]
    ]
