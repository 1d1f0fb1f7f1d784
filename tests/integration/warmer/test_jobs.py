"""Jobs: begun, found, listed, and what they count."""

import asyncio

import pytest
from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import AbortedError, AlreadyExistsError, MeshError, UnavailableError
from tests.integration.warmer.house import DUNE, EMMA, LIBRARY, House, Process, until

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(100))
"""Five batches."""


async def code_of(call: object) -> tuple[type[MeshError], str, dict[str, str]]:
    """What a call fails with."""
    with pytest.raises(MeshError) as caught:
        await call  # type: ignore[misc]  # any call of a stub
    return type(caught.value), caught.value.reason, dict(caught.value.metadata)


async def held(house: House, process: Process, library: str = MANY) -> pb.WarmJob:
    """A job whose first answers wait at the gate."""
    library_id = (await process.upload(library)).library.id
    house.books.gate.clear()
    job = await process.warm(library_id)
    await house.books.waiting.wait()
    return job


async def test_warm_answers_at_once(house: House) -> None:
    """A job is accepted before anything is searched for."""
    async with house.process() as process:
        library = (await process.upload()).library
        job = await process.warm(library.id, request_id="r")
        told = (job.state, job.library_id, job.strategy, job.request_id, house.books.asked)
    assert told == (pb.WARM_JOB_STATE_PENDING, library.id, pb.STRATEGY_HYBRID, "r", [])


async def test_progress_adds_up(house: House) -> None:
    """The counts of a job that is done are those of its library and its plan."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        ended = await process.finished(job.id)
    progress = ended.progress
    progress.searches_per_second = 0
    assert ended.state == pb.WARM_JOB_STATE_SUCCEEDED
    assert progress == pb.WarmProgress(
        row_count=7,
        book_count=5,
        author_count=3,
        search_count=8,
        warmed_count=6,
        not_found_count=2,
        provider_call_count=house.books.call_count,
        reject_count=1,
        duplicate_count=1,
    )


async def test_a_second_job_finds_all_fresh(house: House) -> None:
    """What one job warmed costs the next one nothing."""
    async with house.process() as process:
        library = (await process.upload()).library
        await process.finished((await process.warm(library.id)).id)
        progress = (await process.finished((await process.warm(library.id)).id)).progress
    assert (progress.fresh_count, progress.warmed_count, progress.provider_call_count) == (6, 0, 0)


async def test_after_warming_every_search_is_a_hit(house: House) -> None:
    """Each ISBN and each author of the library is in the proxy's cache when its job has succeeded."""
    async with house.process() as process:
        await process.finished((await process.warm((await process.upload()).library.id)).id)
    assert {DUNE, EMMA, "frank herbert", "jane austen", "persuasion by jane austen"} <= set(house.books.cache)


async def test_the_proxy_is_told_what_it_is_asked(house: House) -> None:
    """Each search says what it is made of, which spares the providers."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        library = await process.upload(f"Title,Author,ISBN\nDune,Frank Herbert,{DUNE}\nEmma,Jane Austen,\nUlysses,,\n")
        await process.finished((await process.warm(library.library.id)).id)
    assert house.books.kinds == [
        books_pb.QUERY_KIND_ISBN,
        books_pb.QUERY_KIND_AUTHOR,
        books_pb.QUERY_KIND_AUTHOR,
        books_pb.QUERY_KIND_TITLE_AND_AUTHOR,
        books_pb.QUERY_KIND_TITLE,
    ]


async def test_inline(house: House) -> None:
    """ISBNs and authors that stand in the request are warmed without a library."""
    async with house.process(WARM_CONCURRENCY=1) as process:
        inline = pb.InlineLibrary(isbns=["0441013597", DUNE], authors=["Jane Austen"])
        job = (await process.stub.Warm(pb.WarmRequest(inline=inline, strategy=pb.STRATEGY_ISBN))).job
        progress = (await process.finished(job.id)).progress
    assert (progress.row_count, progress.book_count, progress.author_count, progress.duplicate_count) == (3, 1, 1, 1)
    assert house.books.asked == [DUNE, "Jane Austen"]


@pytest.mark.parametrize("library_id", ["ab" * 32, "nothing", "../../etc/passwd", "x" * 10_000])
async def test_unknown_library(house: House, library_id: str) -> None:
    """A library that nobody uploaded is not found."""
    async with house.process() as process:
        _, reason, _ = await code_of(process.stub.Warm(pb.WarmRequest(library_id=library_id)))
    assert reason == "LIBRARY_NOT_FOUND"


async def test_bounded_concurrency(house: House) -> None:
    """No more batches are under way than the setting says."""
    async with house.process(WARM_CONCURRENCY=3) as process:
        job = await held(house, process)
        await until(lambda: house.books.active == 3)
        house.books.gate.set()
        await process.finished(job.id)
    assert house.books.most_active == 3


async def test_a_second_job_on_a_library_is_aborted(house: House) -> None:
    """While a job runs on a library, another is refused, and the first is named; by every replica."""
    async with house.process() as process, house.process() as other:
        job = await held(house, process)
        failures = [
            await code_of(each.stub.Warm(pb.WarmRequest(library_id=job.library_id))) for each in (process, other)
        ]
    expected = (AbortedError, "JOB_ALREADY_RUNNING", {"job_id": job.id, "library_id": job.library_id})
    assert failures == [expected, expected]


async def test_the_same_request_is_the_same_job(house: House) -> None:
    """A request that is sent again, at once or much later, to whichever replica, makes no second job."""
    async with house.process() as process, house.process() as other:
        library = (await process.upload()).library
        jobs = await asyncio.gather(*(each.warm(library.id, request_id="r") for each in (process, other, process)))
        await process.finished(jobs[0].id)
        jobs.append(await other.warm(library.id, request_id="r"))
    assert len({job.id for job in jobs}) == 1


async def test_a_request_id_is_for_one_request(house: House) -> None:
    """An id that was used for something else is refused, and the job that has it is named."""
    async with house.process() as process:
        library = (await process.upload()).library
        job = await process.warm(library.id, request_id="r")
        other = pb.WarmRequest(library_id=library.id, request_id="r", strategy=pb.STRATEGY_ISBN)
        failure = await code_of(process.stub.Warm(other))
    assert failure == (AlreadyExistsError, "REQUEST_ID_REUSED", {"request_id": "r", "job_id": job.id})


async def test_an_aborted_request_takes_no_id(house: House) -> None:
    """The id of a request that was refused for another job may be used for another request."""
    async with house.process() as process:
        job = await held(house, process)
        await code_of(process.stub.Warm(pb.WarmRequest(library_id=job.library_id, request_id="r")))
        other = pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE]), request_id="r")
        again = (await process.stub.Warm(other)).job
    assert again.state == pb.WARM_JOB_STATE_PENDING


async def test_unknown_job(house: House) -> None:
    """A job that never was is not found, whatever is asked of it."""
    async with house.process() as process:
        stub = process.stub
        reasons = [
            (await code_of(call))[1]
            for call in (
                stub.GetWarmJob(pb.GetWarmJobRequest(job_id="x")),
                process.watch("x"),
                process.report("x"),
                stub.PauseWarmJob(pb.PauseWarmJobRequest(job_id="x")),
                stub.ResumeWarmJob(pb.ResumeWarmJobRequest(job_id="x")),
                stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id="x")),
            )
        ]
    assert reasons == ["JOB_NOT_FOUND"] * 6


async def test_pages_hold_every_job_once(house: House) -> None:
    """The pages of a list hold all jobs, newest first."""
    async with house.process() as process:
        made = []
        for _ in range(7):
            house.clock.advance(1)
            request = pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE]))
            made.append((await process.stub.Warm(request)).job.id)
        found, token, pages = [], "", 0
        while pages == 0 or token:
            page = await process.stub.ListWarmJobs(pb.ListWarmJobsRequest(page_size=3, page_token=token))
            found += [job.id for job in page.jobs]
            token, pages = page.next_page_token, pages + 1
    assert (found, pages) == (made[::-1], 3)


@pytest.mark.parametrize("token", ["x", "ä", "====", "_w=="])
async def test_a_token_of_nobody(house: House, token: str) -> None:
    """A page token that was not given out is refused."""
    async with house.process() as process:
        call = process.stub.ListWarmJobs(pb.ListWarmJobsRequest(page_size=1, page_token=token))
        _, reason, _ = await code_of(call)
    assert reason == "INVALID_PAGE_TOKEN"


async def test_a_library_that_is_gone_fails_its_job(house: House) -> None:
    """A job whose library can't be found any more says so, and lets go of it."""
    async with house.process() as process:
        library = (await process.upload()).library
        for key in [found.key async for found in house.bucket.list("libraries/")]:
            if not key.endswith(".summary"):
                await house.bucket.delete(key)
        ended = await process.finished((await process.warm(library.id)).id)

        async def free() -> bool:
            return not await process.state.jobs.runs_on(library.id)

        await until(free)
    assert (ended.state, ended.error.code, ended.error.reason) == (
        pb.WARM_JOB_STATE_FAILED,
        "NOT_FOUND",
        "LIBRARY_NOT_FOUND",
    )


async def test_an_outage_of_the_proxy_does_not_fail_a_job(house: House) -> None:
    """A proxy that is away for long delays a job and costs it nothing."""
    async with house.process() as process:
        library = (await process.upload(LIBRARY)).library
        house.books.refusals = [UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there")] * 20
        ended = await process.finished((await process.warm(library.id)).id)
    assert (ended.state, ended.progress.parked_count) == (pb.WARM_JOB_STATE_SUCCEEDED, 0)
