"""Jobs: begun, found, listed, halted and ended."""

import asyncio
from contextlib import suppress

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_SERVICE_UNREACHABLE
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import AbortedError, AlreadyExistsError, FailedPreconditionError, MeshError, UnavailableError
from tests.unit.warmer_house import DUNE, EMMA, LIBRARY, House, Process, SlowKv, settled

SMALL = f"Title,Author,ISBN13\nDune,Frank Herbert,{DUNE}\n"

MANY = "Title\n" + "".join(f"title {number}\n" for number in range(100))
"""Five batches."""


async def code_of(call: object) -> tuple[type[MeshError], str, dict[str, str]]:
    """What a call fails with."""
    with pytest.raises(MeshError) as caught:
        await call  # type: ignore[misc]  # any call of a stub
    return type(caught.value), caught.value.reason, dict(caught.value.metadata)


async def pause(process: Process, job_id: str) -> pb.WarmJob:
    """Halts a job."""
    return (await process.stub.PauseWarmJob(pb.PauseWarmJobRequest(job_id=job_id))).job


async def resume(process: Process, job_id: str) -> pb.WarmJob:
    """Goes on with a job."""
    return (await process.stub.ResumeWarmJob(pb.ResumeWarmJobRequest(job_id=job_id))).job


async def cancel(process: Process, job_id: str) -> pb.WarmJob:
    """Ends a job."""
    return (await process.stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id=job_id))).job


async def held(house: House, process: Process, library: str = MANY) -> pb.WarmJob:
    """A job whose first answers wait at the gate."""
    library_id = (await process.upload(library)).library.id
    house.books.gate.clear()
    job = await process.warm(library_id)
    await house.books.waiting.wait()
    return job


async def test_warm_answers_at_once() -> None:
    """A job is accepted before anything is searched for."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        job = await process.warm(library.id, request_id="r")
        told = (job.state, job.library_id, job.strategy, job.request_id, house.books.asked)
    assert told == (pb.WARM_JOB_STATE_PENDING, library.id, pb.STRATEGY_HYBRID, "r", [])


async def test_progress_adds_up() -> None:
    """The counts of a job that is done are those of its library and its plan."""
    async with House().process() as process:
        job = await process.warm((await process.upload()).library.id)
        progress = (await process.finished(job.id)).progress
    expected = pb.WarmProgress(
        row_count=7,
        book_count=5,
        author_count=3,
        search_count=8,
        warmed_count=6,
        not_found_count=2,
        provider_call_count=11,
        reject_count=1,
        duplicate_count=1,
    )
    assert expected == progress


async def test_calls_are_the_proxys() -> None:
    """The provider calls that a job tells are those that were made."""
    house = House()
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        ended = await process.finished(job.id)
    assert house.books.call_count == ended.progress.provider_call_count


async def test_a_second_job_finds_all_fresh() -> None:
    """What one job warmed costs the next one nothing."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        await process.finished((await process.warm(library.id)).id)
        progress = (await process.finished((await process.warm(library.id)).id)).progress
    assert (progress.fresh_count, progress.warmed_count, progress.provider_call_count) == (6, 0, 0)


async def test_after_warming_every_search_is_a_hit() -> None:
    """Each ISBN and each author of the library is in the proxy's cache when its job has succeeded."""
    house = House()
    async with house.process() as process:
        await process.finished((await process.warm((await process.upload()).library.id)).id)
    assert {DUNE, EMMA, "frank herbert", "jane austen", "persuasion by jane austen"} <= set(house.books.cache)


async def test_authors_of_repeated_rows() -> None:
    """An author whom only a repeated row names is warmed as well."""
    house = House()
    async with house.process() as process:
        library = (await process.upload(f"Title,Author,ISBN\n,,{DUNE}\nDune,Frank Herbert,{DUNE}\n")).library
        await process.finished((await process.warm(library.id)).id)
    assert house.books.asked == [DUNE, "Frank Herbert"]


async def test_inline() -> None:
    """ISBNs and authors that stand in the request are warmed without a library."""
    house = House()
    async with house.process() as process:
        inline = pb.InlineLibrary(isbns=["0441013597", DUNE], authors=["Jane Austen"])
        job = (await process.stub.Warm(pb.WarmRequest(inline=inline, strategy=pb.STRATEGY_ISBN))).job
        progress = (await process.finished(job.id)).progress
    assert (progress.row_count, progress.book_count, progress.author_count, progress.duplicate_count) == (3, 1, 1, 1)
    assert house.books.asked == [DUNE, "Jane Austen"]


@pytest.mark.parametrize("library_id", ["ab" * 32, "nothing", "../../etc/passwd", "x" * 10_000])
async def test_unknown_library(library_id: str) -> None:
    """A library that nobody uploaded is not found."""
    async with House().process() as process:
        _, reason, _ = await code_of(process.stub.Warm(pb.WarmRequest(library_id=library_id)))
    assert reason == "LIBRARY_NOT_FOUND"


async def test_bounded_concurrency() -> None:
    """No more batches are under way than the setting says."""
    house = House()
    async with house.process(WARM_CONCURRENCY=3) as process:
        await process.finished((await process.warm((await process.upload(MANY)).library.id)).id)
    assert house.books.most_active == 3


async def test_a_second_job_on_a_library_is_aborted() -> None:
    """While a job runs on a library, another is refused, and the first is named."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        failure = await code_of(process.stub.Warm(pb.WarmRequest(library_id=job.library_id)))
    assert failure == (
        AbortedError,
        "JOB_ALREADY_RUNNING",
        {"job_id": job.id, "library_id": job.library_id},
    )


async def test_an_ended_job_lets_go_of_its_library() -> None:
    """When a job is cancelled, another may begin on its library."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        await cancel(process, job.id)
        house.books.gate.set()
        ended = await process.finished((await process.warm(job.library_id)).id)
    assert ended.state == pb.WARM_JOB_STATE_SUCCEEDED


async def test_a_library_that_a_dead_job_holds_is_free() -> None:
    """A claim on a library whose job has ended, or never was, binds nobody."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        await house.kv.put(f"running:{library.id}", b"warm-dead")
        ended = await process.finished((await process.warm(library.id)).id)
    assert ended.state == pb.WARM_JOB_STATE_SUCCEEDED


async def test_the_same_request_is_the_same_job() -> None:
    """A request that is sent again, at once or much later, makes no second job."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        jobs = await asyncio.gather(*(process.warm(library.id, request_id="r") for _ in range(3)))
        await process.finished(jobs[0].id)
        jobs.append(await process.warm(library.id, request_id="r"))
    assert len({job.id for job in jobs}) == 1


async def test_a_request_id_is_for_one_request() -> None:
    """An id that was used for something else is refused, and the job that has it is named."""
    async with House().process() as process:
        library = (await process.upload()).library
        job = await process.warm(library.id, request_id="r")
        other = pb.WarmRequest(library_id=library.id, request_id="r", strategy=pb.STRATEGY_ISBN)
        failure = await code_of(process.stub.Warm(other))
    assert failure == (AlreadyExistsError, "REQUEST_ID_REUSED", {"request_id": "r", "job_id": job.id})


async def test_an_aborted_request_may_come_again() -> None:
    """A request that was refused for another job is taken when that job has ended."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        request = pb.WarmRequest(library_id=job.library_id, request_id="r")
        await code_of(process.stub.Warm(request))
        await cancel(process, job.id)
        again = (await process.stub.Warm(request)).job
    assert again.state == pb.WARM_JOB_STATE_PENDING


async def test_an_aborted_request_takes_no_id() -> None:
    """The id of a request that was refused for another job may be used for another request."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        await code_of(process.stub.Warm(pb.WarmRequest(library_id=job.library_id, request_id="r")))
        other = pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE]), request_id="r")
        again = (await process.stub.Warm(other)).job
    assert again.state == pb.WARM_JOB_STATE_PENDING


async def test_the_same_request_at_once_is_one_job() -> None:
    """Requests that come while the first is still being written down find its job."""
    house = House()
    house.kv = SlowKv(house.clock)
    async with house.process() as process:
        library = (await process.upload()).library
        jobs = await asyncio.gather(*(process.warm(library.id, request_id="r") for _ in range(3)))
        await process.finished(jobs[0].id)
    assert len(house.books.batches) == 3


@pytest.mark.parametrize("turns", range(80))
async def test_a_pause_at_any_moment(turns: int) -> None:
    """Whenever a pause comes, even while the end is written, the job is paused or done, and is done in the end."""
    house = House()
    house.kv = SlowKv(house.clock)
    async with house.process() as process:
        job = (await process.stub.Warm(pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE], authors=["Homer"])))).job
        for _ in range(turns):
            await asyncio.sleep(0)
        with suppress(FailedPreconditionError):
            await pause(process, job.id)
            await resume(process, job.id)
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress)) == (pb.WARM_JOB_STATE_SUCCEEDED, 2)


async def test_a_claim_without_a_job_is_kept() -> None:
    """A process that died between a request's claim and its job leaves a name, which the next try takes."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        job = await process.warm(library.id, request_id="r")
        await process.finished(job.id)
        await house.kv.delete(f"job:{job.id}")
        again = await process.warm(library.id, request_id="r")
    assert job.id == again.id


async def test_ids_sort_by_time() -> None:
    """A later job's id comes after an earlier one's."""
    house = House()
    async with house.process() as process:
        ids = []
        for _ in range(5):
            house.clock.advance(7.001)
            inline = pb.InlineLibrary(isbns=[DUNE])
            ids.append((await process.stub.Warm(pb.WarmRequest(inline=inline))).job.id)
    assert sorted(ids) == ids


async def test_unknown_job() -> None:
    """A job that never was is not found, whatever is asked of it."""
    async with House().process() as process:
        reasons = [
            (await code_of(call))[1]
            for call in (
                process.stub.GetWarmJob(pb.GetWarmJobRequest(job_id="x")),
                process.watch("x"),
                process.report("x"),
                pause(process, "x"),
                resume(process, "x"),
                cancel(process, "x"),
            )
        ]
    assert reasons == ["JOB_NOT_FOUND"] * 6


async def test_a_job_that_ended_is_still_told() -> None:
    """The counts of a job outlive it."""
    async with House().process() as process:
        job = await process.warm((await process.upload()).library.id)
        ended = await process.finished(job.id)
        again = await process.job(job.id)
    assert ended == again


async def test_paused_is_paused() -> None:
    """After a pause the batches in hand are finished, and no other begins."""
    house = House()
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await held(house, process)
        told = await pause(process, job.id)
        house.books.gate.set()
        for _ in range(200):
            await asyncio.sleep(0)
        now = await process.job(job.id)
    assert (told.state, now.state, settled(now.progress)) == (
        pb.WARM_JOB_STATE_PAUSED,
        pb.WARM_JOB_STATE_PAUSED,
        20,
    )


async def test_resumed_goes_on() -> None:
    """A paused job that is resumed comes to its end."""
    house = House()
    async with house.process(WARM_CONCURRENCY=1) as process:
        job = await held(house, process)
        await pause(process, job.id)
        house.books.gate.set()
        told = await resume(process, job.id)
        ended = await process.finished(job.id)
    assert (told.state, ended.state, settled(ended.progress)) == (
        pb.WARM_JOB_STATE_RUNNING,
        pb.WARM_JOB_STATE_SUCCEEDED,
        100,
    )


async def test_a_job_can_be_paused_before_it_begins() -> None:
    """A pause that comes before the plan is made holds all the same."""
    house = House()
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await pause(process, job.id)
        for _ in range(200):
            await asyncio.sleep(0)
        assert house.books.asked == []
        await resume(process, job.id)
        ended = await process.finished(job.id)
    assert ended.state == pb.WARM_JOB_STATE_SUCCEEDED


async def test_a_job_paused_in_its_last_batch_does_not_succeed() -> None:
    """A job whose last batch ends while it is paused stays paused until it is resumed."""
    house = House()
    async with house.process() as process:
        job = await held(house, process, SMALL)
        await pause(process, job.id)
        house.books.gate.set()
        for _ in range(200):
            await asyncio.sleep(0)
        before = await process.job(job.id)
        await resume(process, job.id)
        after = await process.finished(job.id)
    assert (before.state, after.state) == (pb.WARM_JOB_STATE_PAUSED, pb.WARM_JOB_STATE_SUCCEEDED)


async def test_pausing_twice_is_pausing_once() -> None:
    """Pause and resume may be sent again."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        states = [(await move(process, job.id)).state for move in (pause, pause, resume, resume)]
    assert states == [
        pb.WARM_JOB_STATE_PAUSED,
        pb.WARM_JOB_STATE_PAUSED,
        pb.WARM_JOB_STATE_RUNNING,
        pb.WARM_JOB_STATE_RUNNING,
    ]


async def test_cancelled_keeps_what_is_settled() -> None:
    """A job that is cancelled ends where it is, asks nothing more, and keeps its counts."""
    house = House()
    async with house.process(WARM_CONCURRENCY=1) as process:
        library_id = (await process.upload(MANY)).library.id
        house.books.hold_at = 30
        job = await process.warm(library_id)
        await house.books.waiting.wait()
        ended = await cancel(process, job.id)
        asked = len(house.books.asked)
        again = await process.job(job.id)
    assert ended.state == pb.WARM_JOB_STATE_CANCELLED
    assert (settled(ended.progress), len(house.books.asked)) == (settled(again.progress), asked)
    assert 20 <= settled(ended.progress) <= asked


async def test_cancelling_twice_is_cancelling_once() -> None:
    """A cancelled job may be cancelled again."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        first = await cancel(process, job.id)
        second = await cancel(process, job.id)
    assert first == second


@pytest.mark.parametrize("move", [pause, resume, cancel])
async def test_what_has_ended_stays(move: object) -> None:
    """A job that succeeded can't be halted, resumed or cancelled."""
    async with House().process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        failure = await code_of(move(process, job.id))  # type: ignore[operator]  # one of three functions
    assert failure == (FailedPreconditionError, "JOB_STATE", {"job_id": job.id, "state": "SUCCEEDED"})


async def listed(process: Process, size: int = 0, token: str = "") -> pb.ListWarmJobsResponse:
    """A page of jobs."""
    return await process.stub.ListWarmJobs(pb.ListWarmJobsRequest(page_size=size, page_token=token))


async def test_pages_hold_every_job_once() -> None:
    """The pages of a list hold all jobs, newest first."""
    house = House()
    async with house.process() as process:
        made = []
        for _ in range(7):
            house.clock.advance(1)
            request = pb.WarmRequest(inline=pb.InlineLibrary(isbns=[DUNE]))
            made.append((await process.stub.Warm(request)).job.id)
        found, token, pages = [], "", 0
        while pages == 0 or token:
            page = await listed(process, 3, token)
            found += [job.id for job in page.jobs]
            token, pages = page.next_page_token, pages + 1
    assert (found, pages) == (made[::-1], 3)


async def test_no_jobs() -> None:
    """Where there are no jobs, the list is empty and has no next page."""
    async with House().process() as process:
        assert pb.ListWarmJobsResponse() == await listed(process)


@pytest.mark.parametrize("token", ["x", "ä", "====", "_w=="])
async def test_a_token_of_nobody(token: str) -> None:
    """A page token that was not given out is refused."""
    async with House().process() as process:
        _, reason, _ = await code_of(listed(process, 1, token))
    assert reason == "INVALID_PAGE_TOKEN"


async def test_the_journal_down() -> None:
    """A job that can't be written down is not accepted."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        house.kv.down = True
        failure = await code_of(process.stub.Warm(pb.WarmRequest(library_id=library.id)))
    assert failure[1:] == ("STORE_UNAVAILABLE", {"store": "WARMING_CACHE"})


async def test_a_pause_that_is_not_written_has_not_happened() -> None:
    """A pause that a crash would undo is refused, and the job goes on."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        house.kv.down = True
        failure = await code_of(pause(process, job.id))
        house.kv.down = False
        now = await process.job(job.id)
    assert (failure[1], now.state) == ("STORE_UNAVAILABLE", pb.WARM_JOB_STATE_RUNNING)


async def test_a_journal_that_comes_back() -> None:
    """A job outlasts the outage of its journal, and each search still counts once."""
    house = House()
    async with house.process() as process:
        job = await held(house, process)
        house.kv.down = True

        def heal() -> None:
            house.kv.down = len(house.slept) < 30

        house.while_asleep = heal
        house.books.gate.set()
        ended = await process.finished(job.id)
    assert (ended.state, settled(ended.progress), len(house.books.asked)) == (
        pb.WARM_JOB_STATE_SUCCEEDED,
        100,
        100,
    )


async def test_a_library_that_is_gone_fails_its_job() -> None:
    """A job whose library can't be found any more says so, and lets go of it."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        await house.bucket.delete(f"libraries/{library.id}.csv")
        ended = await process.finished((await process.warm(library.id)).id)
        await process.upload(LIBRARY)
    assert (ended.state, ended.error.code, ended.error.reason) == (
        pb.WARM_JOB_STATE_FAILED,
        "NOT_FOUND",
        "LIBRARY_NOT_FOUND",
    )


async def test_an_outage_of_the_proxy_does_not_fail_a_job() -> None:
    """A proxy that is away for long delays a job and costs it nothing."""
    house = House()
    async with house.process() as process:
        library = (await process.upload()).library
        house.books.refusals = [UnavailableError(ERROR_REASON_SERVICE_UNREACHABLE, "nobody there")] * 20
        ended = await process.finished((await process.warm(library.id)).id)
    assert (ended.state, ended.progress.parked_count) == (pb.WARM_JOB_STATE_SUCCEEDED, 0)
