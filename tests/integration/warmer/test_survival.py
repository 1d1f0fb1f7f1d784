"""Jobs outlive processes and connections: nothing is lost, nothing counts twice, and next to nothing is paid twice."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import pytest
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from tests.integration.warmer.house import TEMPO, House, Process, settled, until

COUNT = 200

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(COUNT))
"""Ten batches of texts."""


async def begun(house: House, process: Process, at: int) -> pb.WarmJob:
    """A job that waits at the gate after so many searches."""
    house.books.hold_at = at
    job = await process.warm((await process.upload(MANY)).library.id)
    await house.books.waiting.wait()
    return job


async def finished(house: House, job_id: str) -> pb.WarmJob:
    """The job, after another life of the warmer."""
    house.books.gate.set()
    async with house.process() as process:
        return await process.finished(job_id)


@pytest.mark.parametrize("at", [1, 19, 20, 21, 115, COUNT - 1])
async def test_killed_and_taken_over(house: House, at: int) -> None:
    """Whenever a process is killed, the next one finishes the job: all is counted once, and nothing is asked twice."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await begun(house, process, at)
        await process.kill()
    progress = (await finished(house, job.id)).progress
    counts = (settled(progress), progress.fresh_count + progress.warmed_count, progress.search_count)
    assert counts == (COUNT, COUNT, COUNT)
    assert len(house.books.asked) == len(set(house.books.asked)) == COUNT


async def test_a_drained_process_loses_no_count(house: House) -> None:
    """A process that is asked to end writes down what it has, so that the next asks for the rest of the batch only."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await begun(house, process, 115)
    progress = (await finished(house, job.id)).progress
    assert (progress.fresh_count, progress.warmed_count) == (0, COUNT)


async def test_many_kills(house: House) -> None:
    """A job survives one kill after the other."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await begun(house, process, 30)
        await process.kill()
    for at in (50, 90, 130):
        house.books.waiting.clear()
        house.books.hold_at = at
        house.books.gate.set()
        async with house.process(WARM_CONCURRENCY=2) as process:
            await house.books.waiting.wait()
            await process.kill()
    assert settled((await finished(house, job.id)).progress) == COUNT


async def test_replicas_share_a_job(house: House) -> None:
    """Three replicas work on one job side by side, and each search is asked for once."""
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(house.process(WARM_CONCURRENCY=1)) for _ in range(3)]
        house.books.gate.clear()
        job = await replicas[0].warm((await replicas[0].upload(MANY)).library.id)
        await until(lambda: house.books.active == 3)
        house.books.gate.set()
        ended = await replicas[2].finished(job.id)
    assert (settled(ended.progress), len(house.books.asked), len(set(house.books.asked))) == (COUNT, COUNT, COUNT)


async def test_a_frozen_replica_counts_nothing_twice(house: House) -> None:
    """A replica that is frozen while another takes its batch over finds it lost when it wakes, and counts nothing."""
    frozen_tempo = type(TEMPO)(poll_s=0.02, beat_s=30.0, watch_s=0.01, dead_ms=TEMPO.dead_ms)
    async with house.process(WARM_CONCURRENCY=1, tempo=frozen_tempo) as frozen:
        job = await begun(house, frozen, 10)
        async with house.process(WARM_CONCURRENCY=1) as other:
            await until(lambda: house.books.active == 2)
            house.books.gate.set()
            ended = await other.finished(job.id)
        await until(lambda: house.books.active == 0)
        await asyncio.sleep(0.1)
        again = await frozen.job(job.id)
    assert (settled(ended.progress), ended) == (COUNT, again)


async def test_connections_that_are_cut(house: House) -> None:
    """A job goes on when the server throws every connection out, over and over."""
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        for _ in range(5):
            await process.kv.raw.client_kill_filter(skipme=True, _type="normal")
            await asyncio.sleep(0.03)
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress)) == (pb.WARM_JOB_STATE_SUCCEEDED, COUNT)


async def test_a_store_that_stands_still(house: House) -> None:
    """A job outlasts a store that does not answer for a while, and each search still counts once."""
    async with house.process() as process:
        job = await begun(house, process, 50)
        server = int((await process.kv.raw.info("server"))["process_id"])
        os.kill(server, signal.SIGSTOP)
        try:
            house.books.gate.set()
            await asyncio.sleep(1.5)
        finally:
            os.kill(server, signal.SIGCONT)
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress), len(set(house.books.asked))) == (
        pb.WARM_JOB_STATE_SUCCEEDED,
        COUNT,
        COUNT,
    )


async def test_a_lost_stream_is_fed_anew(house: House) -> None:
    """Where a store has lost the stream of a job, the batches that are not finished are put on it again."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await begun(house, process, 50)
        await process.kv.raw.delete(process.kv.name(f"queue:{job.id}"), process.kv.name(f"hand:{job.id}"))
        house.books.gate.set()
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress)) == (pb.WARM_JOB_STATE_SUCCEEDED, COUNT)


async def test_a_torn_record_is_run_again(house: House) -> None:
    """A record that can't be read costs its batch another look, and no search its count."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await begun(house, process, 30)
        await until(lambda: len(house.books.asked) >= 30)
        await process.kill()
    async with house.process(WARM_CONCURRENCY=1) as process:
        await process.kv.raw.hset(process.kv.name(f"record:{job.id}"), "1", b'{"outcomes":"WW')
        house.books.gate.set()
        ended = await process.finished(job.id)
    assert settled(ended.progress) == COUNT


async def test_a_spent_quota_is_waited_out(house: House) -> None:
    """A job whose provider's day is spent waits, says until when, and goes on by itself then; nothing is parked."""
    spent = CallError(code="RESOURCE_EXHAUSTED", reason="QUOTA_SPENT", message="spent")
    spent.metadata["retry_after_ms"] = "3600000"
    house.books.errors = {"title 25": [spent]}
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)

        async def waits() -> bool:
            return (await process.job(job.id)).state == pb.WARM_JOB_STATE_WAITING

        await until(waits)
        waiting = await process.job(job.id)
        now = house.clock()
        house.clock.advance(3_601)
        ended = await process.finished(job.id)
    assert now < waiting.resume_time.ToMilliseconds() / 1000 <= now + 3_600
    assert (ended.state, settled(ended.progress), ended.progress.parked_count) == (
        pb.WARM_JOB_STATE_SUCCEEDED,
        COUNT,
        0,
    )


async def test_two_libraries_share_the_replicas(house: House) -> None:
    """Jobs on two libraries go on side by side; neither waits for the other's end."""
    async with house.process(WARM_CONCURRENCY=2) as process:
        house.books.gate.clear()
        libraries = [(await process.upload(MANY + extra)).library.id for extra in ("", "one more\n")]
        jobs = [await process.warm(library_id) for library_id in libraries]
        await until(lambda: house.books.active == 2)
        house.books.gate.set()
        ended = await asyncio.gather(*(process.finished(job.id) for job in jobs))
    assert [settled(each.progress) for each in ended] == [COUNT, COUNT + 1]
