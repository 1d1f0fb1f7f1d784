"""Watching a job."""

import asyncio

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from tests.integration.warmer.house import House, settled

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(200))


async def test_progress_only_grows(house: House) -> None:
    """What is told of a job never goes back and never exceeds the plan, and its last word is its end."""
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        told = await process.watch(job.id)
    counts = [settled(change.progress) for change in told]
    assert (counts == sorted(counts), counts[-1], told[-1].state) == (True, 200, pb.WARM_JOB_STATE_SUCCEEDED)


async def test_every_replica_tells(house: House) -> None:
    """Everybody who watches hears the end, whichever replica they ask and whichever does the work."""
    async with house.process() as process, house.process() as other:
        job = await process.warm((await process.upload(MANY)).library.id)
        ends = [told[-1].state for told in await asyncio.gather(*(each.watch(job.id) for each in (process, other) * 2))]
    assert ends == [pb.WARM_JOB_STATE_SUCCEEDED] * 4


async def test_watching_what_has_ended(house: House) -> None:
    """A job that has ended is told once."""
    async with house.process() as process:
        job = await process.warm((await process.upload(MANY)).library.id)
        await process.finished(job.id)
        told = await process.watch(job.id)
    assert [change.state for change in told] == [pb.WARM_JOB_STATE_SUCCEEDED]


async def test_a_watcher_that_goes_harms_nobody(house: House) -> None:
    """A job goes on when its watcher has gone."""
    async with house.process() as process:
        house.books.gate.clear()
        job = await process.warm((await process.upload(MANY)).library.id)
        watching = asyncio.ensure_future(process.watch(job.id))
        await house.books.waiting.wait()
        watching.cancel()
        await asyncio.wait({watching})
        house.books.gate.set()
        ended = await process.finished(job.id)
    assert ended.state == pb.WARM_JOB_STATE_SUCCEEDED
