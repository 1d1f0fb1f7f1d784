"""Jobs outlive their process: what one life of the warmer leaves, the next one finishes."""

import asyncio

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.asking import Asker
from services.warmer.plan import TEXT_BATCH
from tests.unit.warmer_house import House, Process, settled

COUNT = 200

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(COUNT))
"""Ten batches of texts."""


async def half_done(house: House, at: int, *, is_clean: bool) -> pb.WarmJob:
    """A job whose process ends when so many searches were answered.

    Args:
        house: what outlives the process.
        at: searches that are asked for.
        is_clean: the process may still write a checkpoint when it ends.
    """
    async with house.process(WARM_CONCURRENCY=1) as process:
        house.books.hold_at = at
        job = await process.warm((await process.upload(MANY)).library.id)
        await house.books.waiting.wait()
        house.kv.down = not is_clean
    house.kv.down = False
    house.books.gate.set()
    return job


async def finished(house: House, job_id: str) -> pb.WarmJob:
    """The job, after another life of the warmer."""
    async with house.process() as process:
        return await process.finished(job_id)


@pytest.mark.parametrize("at", [1, 19, 20, 21, 115, COUNT - 1])
async def test_killed_and_resumed(at: int) -> None:
    """Whenever the process is killed, the next one finishes the job: nothing is lost, and nothing counts twice."""
    house = House()
    job = await half_done(house, at, is_clean=False)
    progress = (await finished(house, job.id)).progress
    counts = (settled(progress), progress.fresh_count + progress.warmed_count, progress.search_count)
    assert counts == (COUNT, COUNT, COUNT)


@pytest.mark.parametrize("at", [1, 20, 115])
async def test_no_search_is_paid_for_twice(at: int) -> None:
    """After a kill no search goes to the providers again: what they answered is in the proxy's cache."""
    house = House()
    job = await half_done(house, at, is_clean=False)
    await finished(house, job.id)
    assert len(house.books.asked) == len(set(house.books.asked)) == COUNT


async def test_settled_batches_are_not_asked_for_again() -> None:
    """A batch that is checkpointed is done, whoever dies after."""
    house = House()
    job = await half_done(house, 115, is_clean=False)
    before = len(house.books.batches)
    await finished(house, job.id)
    assert [len(batch) for batch in house.books.batches[before:]] == [TEXT_BATCH] * 5


async def test_a_drained_process_loses_no_count() -> None:
    """A process that is asked to end writes down what it has, so the next asks for the rest of the batch only."""
    house = House()
    job = await half_done(house, 115, is_clean=True)
    progress = (await finished(house, job.id)).progress
    assert (progress.fresh_count, progress.warmed_count, progress.provider_call_count) == (0, COUNT, 2 * COUNT)


async def test_many_kills() -> None:
    """A job survives one kill after the other."""
    house = House()
    job = await half_done(house, 30, is_clean=False)
    for at in (31, 60, 100, 140):
        house.books.waiting.clear()
        house.books.hold_at = at
        async with house.process(WARM_CONCURRENCY=2) as process:
            await house.books.waiting.wait()
            assert (await process.job(job.id)).state == pb.WARM_JOB_STATE_RUNNING
            house.kv.down = True
        house.kv.down = False
        house.books.gate.set()
    assert settled((await finished(house, job.id)).progress) == COUNT


async def test_killed_before_the_plan() -> None:
    """A job that was accepted is done, though its process died before it began."""
    house = House()
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
    assert (await finished(house, job.id)).state == pb.WARM_JOB_STATE_SUCCEEDED


async def test_start_time_is_the_first() -> None:
    """A job that goes on has begun when it first began."""
    house = House()
    job = await half_done(house, 30, is_clean=False)
    house.clock.advance(3_600)
    ended = await finished(house, job.id)
    assert (ended.start_time.seconds, ended.end_time.seconds > ended.start_time.seconds) == (1_000_000, True)


async def test_inline_jobs_resume_too() -> None:
    """A job whose books stood in its request goes on as well."""
    house = House()
    async with house.process() as process:
        house.books.gate.clear()
        inline = pb.InlineLibrary(authors=[f"Author {number}" for number in range(50)])
        job = (await process.stub.Warm(pb.WarmRequest(inline=inline))).job
        await house.books.waiting.wait()
    house.books.gate.set()
    assert (await finished(house, job.id)).progress.warmed_count == 50


async def test_a_paused_job_stays_paused() -> None:
    """A job that was paused is not resumed by a new process, but by a person."""
    house = House()
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        await process.stub.PauseWarmJob(pb.PauseWarmJobRequest(job_id=job.id))
    async with house.process() as process:
        for _ in range(200):
            await asyncio.sleep(0)
        before = (await process.job(job.id)).state
        await process.stub.ResumeWarmJob(pb.ResumeWarmJobRequest(job_id=job.id))
        after = (await process.finished(job.id)).state
    assert (before, after, len(house.books.asked)) == (pb.WARM_JOB_STATE_PAUSED, pb.WARM_JOB_STATE_SUCCEEDED, COUNT)


async def test_an_ended_job_is_not_run_again() -> None:
    """A job that has ended stays so, even where its end was not tidied up after."""
    house = House()
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        await process.finished(job.id)
    await house.kv.put(f"open:{job.id}", b"")
    batches = len(house.books.batches)
    await finished(house, job.id)
    assert (len(house.books.batches), await house.kv.get(f"open:{job.id}")) == (batches, None)


async def test_the_checkpoints_of_another_plan_are_worth_nothing() -> None:
    """Where a newer version plans otherwise, the job begins anew, and what is warm already costs nothing."""
    house = House()
    job = await half_done(house, 115, is_clean=False)
    await house.kv.put(f"plan:{job.id}", b"another")
    progress = (await finished(house, job.id)).progress
    assert (progress.fresh_count, progress.warmed_count) == (115, COUNT - 115)


async def test_a_torn_checkpoint_is_run_again() -> None:
    """A checkpoint that can't be read costs its batch another look, and no search its count."""
    house = House()
    job = await half_done(house, 115, is_clean=False)
    await house.kv.put(f"batch:{job.id}:000002", b'{"outcomes":"WW')
    assert settled((await finished(house, job.id)).progress) == COUNT


async def test_a_lost_request_fails_its_job() -> None:
    """A job of which nobody knows any more what it was to do ends, and says so."""
    house = House()
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
    await house.kv.delete(f"asked:{job.id}")
    ended = await finished(house, job.id)
    assert (ended.state, ended.error.code) == (pb.WARM_JOB_STATE_FAILED, "DATA_LOSS")


async def test_the_journal_is_waited_for_at_the_start() -> None:
    """A process that starts before its journal goes on with the jobs when the journal is there."""
    house = House()
    job = await half_done(house, 30, is_clean=False)
    house.kv.down = True

    def heal() -> None:
        house.kv.down = len(house.slept) < 5

    house.while_asleep = heal
    assert (await finished(house, job.id)).state == pb.WARM_JOB_STATE_SUCCEEDED


async def test_what_nobody_foresaw_ends_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that breaks has failed with an id to find it by; it does not stay RUNNING with nobody at work."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Asker, "ask", broken)
    async with House().process() as process:
        ended = await _warmed(process)
    assert (ended.state, ended.error.code, ended.error.reason) == (pb.WARM_JOB_STATE_FAILED, "INTERNAL", "INTERNAL")


async def _warmed(process: Process) -> pb.WarmJob:
    job = await process.warm((await process.upload(MANY)).library.id)
    return await process.finished(job.id)
