"""A process may die before any of its writes, or with its store: the next one makes of the job what had to come."""

import asyncio
from pathlib import Path

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.hosting.embedded import embedded_valkey
from services.warmer.jobs import leases
from tests.integration.warmer.house import House, settled, until

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(100))
"""Five batches."""

LONG = "Title\n" + "".join(f"title {number}\n" for number in range(800))
"""Forty batches, each of which takes two writes at least."""


@pytest.mark.parametrize("writes", range(26))
async def test_killed_before_any_write(house: House, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Killed while it plans, feeds, takes, notes or closes: the job ends right, nothing is counted or asked twice."""
    # As `dead_ms` in the house: what died is found to be dead sooner.
    monkeypatch.setattr(leases, "LEASE_S", 0.3)
    async with house.process(WARM_CONCURRENCY=1) as process:
        library_id = (await process.upload()).library.id
        job = await process.warm(library_id)
        process.kv.wire.left = writes
        await until(lambda: process.kv.wire.down)
        await process.kill()
    async with house.process(WARM_CONCURRENCY=1) as process:
        ended = await process.finished(job.id)
        rows = (await process.report(job.id)).splitlines()
        again = await process.finished((await process.warm(library_id)).id)
    progress = ended.progress
    assert (ended.state, settled(progress), progress.search_count) == (pb.WARM_JOB_STATE_SUCCEEDED, 8, 8)
    assert (progress.fresh_count + progress.warmed_count, progress.not_found_count) == (6, 2)
    assert progress.provider_call_count <= house.books.call_count
    assert (len(house.books.asked), len(set(house.books.asked))) == (8, 8)
    assert (len(rows), again.progress.fresh_count + again.progress.not_found_count) == (8, 8)


async def test_many_die_one_after_the_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose processes all die after a few writes comes to its end all the same."""
    monkeypatch.setattr(leases, "LEASE_S", 0.3)
    async with house.process() as process:
        job = await process.warm((await process.upload(LONG)).library.id)
        await process.kill()
    for _ in range(6):
        async with house.process() as process:
            process.kv.wire.left = 7
            await until(lambda: process.kv.wire.down)
            await process.kill()
    async with house.process() as process:
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress)) == (pb.WARM_JOB_STATE_SUCCEEDED, 800)
    assert len(house.books.asked) == len(set(house.books.asked)) == 800


async def test_the_store_is_restarted(tmp_path: Path) -> None:
    """A job goes on within seconds when its store comes back with its data; what was counted stays counted."""
    async with embedded_valkey(tmp_path) as url:
        house = House(url, "warming")
        process_of = house.process(WARM_CONCURRENCY=1)
        process = await process_of.__aenter__()
        house.books.hold_at = 50
        job = await process.warm((await process.upload(MANY)).library.id)
        await house.books.waiting.wait()
        before = settled((await process.job(job.id)).progress)
    house.books.gate.set()
    # The batch in hand is done, and can't be noted.
    await until(lambda: house.books.active == 0)
    async with embedded_valkey(tmp_path) as again, asyncio.timeout(10):
        ended = await process.finished(job.id)
        await process_of.__aexit__(None, None, None)
    assert (again, before >= 40, ended.state) == (url, True, pb.WARM_JOB_STATE_SUCCEEDED)
    assert (settled(ended.progress), len(house.books.asked), len(set(house.books.asked))) == (100, 100, 100)
