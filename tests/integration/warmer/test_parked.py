"""What jobs leave undone of a library, and the job that runs just that."""

from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from tests.integration.warmer.house import DUNE, House, Process, settled

DOWN = CallError(code="UNAVAILABLE", reason="ALL_PROVIDERS_FAILED", message="isbndb is down")


async def warmed(process: Process, library_id: str, **more: object) -> pb.WarmJob:
    """A job on a library, as it ended."""
    return await process.finished((await process.warm(library_id, **more)).id)


async def test_just_what_was_parked(house: House) -> None:
    """A job on the parked rows asks for what an earlier one parked, and for nothing else."""
    house.books.errors = {DUNE: [DOWN] * 4, "Jane Austen": [DOWN] * 4}
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        first = await warmed(process, library_id)
        before = len(house.books.asked)
        second = await warmed(process, library_id, rows=pb.ROW_SELECTION_PARKED)
    assert (first.progress.parked_count, second.progress.search_count, second.progress.warmed_count) == (2, 2, 2)
    assert sorted(house.books.asked[before:]) == [DUNE, "Jane Austen"]


async def test_what_is_settled_is_parked_no_more(house: House) -> None:
    """What a later job settled is not asked for again by a job on the parked rows."""
    house.books.errors = {DUNE: [DOWN] * 4}
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        await warmed(process, library_id)
        await warmed(process, library_id)
        third = await warmed(process, library_id, rows=pb.ROW_SELECTION_PARKED)
    assert (third.state, third.progress.search_count) == (pb.WARM_JOB_STATE_SUCCEEDED, 0)


async def test_what_stays_down_stays_parked(house: House) -> None:
    """A search that fails again is parked again."""
    house.books.errors = {DUNE: [DOWN] * 99}
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        counts = [
            (await warmed(process, library_id, rows=rows)).progress.parked_count
            for rows in (pb.ROW_SELECTION_ALL, pb.ROW_SELECTION_PARKED, pb.ROW_SELECTION_PARKED)
        ]
    assert counts == [1, 1, 1]


async def test_a_cancelled_job_leaves_its_rest(house: House) -> None:
    """What a cancelled job did not come to is what a job on the parked rows does."""
    many = "Title\n" + "".join(f"title {number}\n" for number in range(100))
    async with house.process(WARM_CONCURRENCY=1) as process:
        library_id = (await process.upload(many)).library.id
        house.books.hold_at = 30
        job = await process.warm(library_id)
        await house.books.waiting.wait()
        await process.stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id=job.id))
        house.books.gate.set()
        left = 100 - settled((await process.job(job.id)).progress)
        second = await warmed(process, library_id, rows=pb.ROW_SELECTION_PARKED)
    assert (second.progress.search_count, settled(second.progress)) == (left, left)
    assert len(set(house.books.asked)) == 100


async def test_the_report_of_parked_rows(house: House) -> None:
    """The report of such a job tells of its own rows, and of no other."""
    house.books.errors = {DUNE: [DOWN] * 4}
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        await warmed(process, library_id)
        job = await warmed(process, library_id, rows=pb.ROW_SELECTION_PARKED)
        lines = (await process.report(job.id)).splitlines()
    assert [line.split(",")[:2] + line.split(",")[4:5] for line in lines[1:]] == [["2", DUNE, "warmed"]]


async def test_a_library_that_goes_takes_it_along(house: House) -> None:
    """With a library goes what is known of it: its jobs, their plans and reports, and what was left undone."""
    house.books.errors = {DUNE: [DOWN] * 4}
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        await warmed(process, library_id)
        await process.stub.DeleteLibrary(pb.DeleteLibraryRequest(library_id=library_id))
    left = [found.key async for found in house.bucket.list()]
    assert left == []
