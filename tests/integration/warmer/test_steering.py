"""Jobs that are halted, resumed and ended, by whichever replica."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import FailedPreconditionError
from tests.integration.warmer.house import House, Process, settled, until

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(100))
"""Five batches."""


async def pause(process: Process, job_id: str) -> pb.WarmJob:
    """Halts a job."""
    return (await process.stub.PauseWarmJob(pb.PauseWarmJobRequest(job_id=job_id))).job


async def resume(process: Process, job_id: str) -> pb.WarmJob:
    """Goes on with a job."""
    return (await process.stub.ResumeWarmJob(pb.ResumeWarmJobRequest(job_id=job_id))).job


async def cancel(process: Process, job_id: str) -> pb.WarmJob:
    """Ends a job."""
    return (await process.stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id=job_id))).job


async def held(house: House, process: Process, at: int = 30) -> pb.WarmJob:
    """A job that waits at the gate after so many searches."""
    house.books.hold_at = at
    job = await process.warm((await process.upload(MANY)).library.id)
    await house.books.waiting.wait()
    return job


async def test_a_pause_takes_hold(house: House) -> None:
    """After a pause by any replica all let go of their batches, and nothing more is asked for."""
    async with house.process(WARM_CONCURRENCY=1) as process, house.process(WARM_CONCURRENCY=1) as other:
        job = await held(house, process)
        told = await pause(other, job.id)
        await until(lambda: house.books.active == 0)
        asked = len(house.books.asked)
        house.books.gate.set()
        await asyncio.sleep(0.2)
        now = await process.job(job.id)
    assert (told.state, now.state, len(house.books.asked)) == (
        pb.WARM_JOB_STATE_PAUSED,
        pb.WARM_JOB_STATE_PAUSED,
        asked,
    )
    assert settled(now.progress) <= asked


async def test_resumed_goes_on_where_it_was(house: House) -> None:
    """A paused job that is resumed comes to its end, and asks for nothing twice."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await held(house, process)
        await pause(process, job.id)
        await until(lambda: house.books.active == 0)
        house.books.gate.set()
        told = await resume(process, job.id)
        ended = await process.finished(job.id)
    assert (told.state, ended.state, settled(ended.progress)) == (
        pb.WARM_JOB_STATE_RUNNING,
        pb.WARM_JOB_STATE_SUCCEEDED,
        100,
    )
    assert len(house.books.asked) == len(set(house.books.asked)) == 100


async def test_a_job_can_be_paused_before_it_begins(house: House) -> None:
    """A pause that comes before the plan is made holds all the same."""
    async with house.process() as process:
        await process.end()
        job = await process.warm((await process.upload(MANY)).library.id)
        await pause(process, job.id)
    async with house.process() as process:
        await asyncio.sleep(0.2)
        before = ((await process.job(job.id)).state, list(house.books.asked))
        await resume(process, job.id)
        ended = await process.finished(job.id)
    assert (before, ended.state) == ((pb.WARM_JOB_STATE_PAUSED, []), pb.WARM_JOB_STATE_SUCCEEDED)


async def test_moving_twice_is_moving_once(house: House) -> None:
    """Pause and resume may be sent again."""
    async with house.process() as process:
        job = await held(house, process)
        states = [(await move(process, job.id)).state for move in (pause, pause, resume, resume)]
        house.books.gate.set()
    assert states == [
        pb.WARM_JOB_STATE_PAUSED,
        pb.WARM_JOB_STATE_PAUSED,
        pb.WARM_JOB_STATE_RUNNING,
        pb.WARM_JOB_STATE_RUNNING,
    ]


async def test_cancelled_keeps_what_is_settled(house: House) -> None:
    """A job that is cancelled ends, asks nothing more within moments, keeps its counts, and lets go of its library."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await held(house, process)
        await until(lambda: len(house.books.asked) >= 20)
        ended = await cancel(process, job.id)
        await until(lambda: house.books.active == 0)
        asked = len(house.books.asked)
        house.books.gate.set()
        await asyncio.sleep(0.2)
        again = await process.job(job.id)
        next_job = await process.warm(job.library_id)
    assert ended.state == again.state == pb.WARM_JOB_STATE_CANCELLED
    assert settled(ended.progress) == settled(again.progress) >= 20
    assert (asked, next_job.state) == (30, pb.WARM_JOB_STATE_PENDING)


async def test_cancelling_twice_is_cancelling_once(house: House) -> None:
    """A cancelled job may be cancelled again."""
    async with house.process() as process:
        job = await held(house, process)
        first = await cancel(process, job.id)
        second = await cancel(process, job.id)
        house.books.gate.set()
    assert first == second


@pytest.mark.parametrize("move", [pause, resume, cancel])
async def test_what_has_ended_stays(house: House, move: Callable[[Process, str], Awaitable[pb.WarmJob]]) -> None:
    """A job that succeeded can't be halted, resumed or cancelled."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        with pytest.raises(FailedPreconditionError) as caught:
            await move(process, job.id)
    assert (caught.value.reason, caught.value.metadata) == ("JOB_STATE", {"job_id": job.id, "state": "SUCCEEDED"})


@pytest.mark.parametrize("wait_s", [0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12])
async def test_a_pause_at_any_moment(house: House, wait_s: float) -> None:
    """Whenever a pause comes, the job is paused or done, and is done in the end with every search counted once."""
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        await asyncio.sleep(wait_s)
        try:
            await pause(process, job.id)
            await resume(process, job.id)
        except FailedPreconditionError:
            pass  # it was done before
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress)) == (pb.WARM_JOB_STATE_SUCCEEDED, 100)
