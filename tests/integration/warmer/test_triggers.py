"""What the warmer does by the clock, and what a verification finds and repairs."""

import pytest
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.warmer.v1 import admin_service_pb2 as pb
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer_pb

from mesh.config.problems import ConfigurationError
from mesh.status import InvalidArgumentError, NotFoundError
from tests.integration.warmer.house import DUNE, EMMA, House, Process, settled

MICRO, NIGHTLY = "*/15 * * * *", "0 2 * * *"
DOWN = CallError(code="UNAVAILABLE", reason="ALL_PROVIDERS_FAILED", message="isbndb is down")


@pytest.fixture
def house(house: House) -> House:
    """A house with the manifest's triggers."""
    house.crons = (MICRO, NIGHTLY)
    return house


async def fired(process: Process, cron: str) -> pb.Firing:
    """A firing by hand."""
    return (await process.admin.FireTrigger(pb.FireTriggerRequest(cron=cron))).firing


async def newest(process: Process) -> warmer_pb.WarmJob:
    """The job that was begun last, as it ended."""
    jobs = (await process.stub.ListWarmJobs(warmer_pb.ListWarmJobsRequest())).jobs
    return await process.finished(jobs[0].id)


async def warmed_library(process: Process) -> str:
    """A library that was warmed."""
    library_id = (await process.upload()).library.id
    await process.finished((await process.warm(library_id)).id)
    return library_id


async def test_no_library(house: House) -> None:
    """Where there is no library the triggers say so, and begin nothing."""
    async with house.process() as process:
        outcomes = [(await fired(process, cron)).outcome for cron in (MICRO, NIGHTLY)]
    assert outcomes == ["there is no library"] * 2


async def test_the_undone_comes_first(house: House) -> None:
    """A micro-batch tries again what earlier jobs parked."""
    house.books.errors = {DUNE: [DOWN] * 4}
    async with house.process() as process:
        await warmed_library(process)
        house.clock.advance(1)
        firing = await fired(process, MICRO)
        job = await newest(process)
    assert (firing.reason, job.trigger, job.progress.search_count, job.progress.warmed_count) == ("", MICRO, 1, 1)


async def test_round_and_round(house: House) -> None:
    """Micro-batches go through a library batch by batch, and begin anew behind its end."""
    counts = []
    async with house.process(MICRO_BATCH_SEARCHES=3) as process:
        await warmed_library(process)
        for _ in range(3):
            house.clock.advance(1)
            await fired(process, MICRO)
            job = await newest(process)
            counts.append((job.progress.search_count, settled(job.progress), job.progress.provider_call_count))
    assert counts == [(3, 3, 0), (5, 5, 0), (3, 3, 0)]


async def test_what_expires_is_asked_for_ahead(house: House) -> None:
    """A micro-batch wants answers that stay fresh until the next night."""
    async with house.process(REFRESH_AHEAD_S=3_600) as process:
        await warmed_library(process)
        house.clock.advance(1)
        await fired(process, MICRO)
        await newest(process)
    assert (house.books.min_fresh[0], house.books.min_fresh[-1]) == (0, 3_600)


async def test_a_verification_counts_by_tier(house: House) -> None:
    """A verification tells for each library what lies in each tier, what is missing and what will expire."""
    async with house.process() as process:
        library_id = await warmed_library(process)
        del house.books.cache[DUNE]
        house.books_admin.fresh_until_s[EMMA] = 1_000_100
        report = await process.verify()
    (found,) = report.libraries
    assert (found.library_id, found.library_key_count, found.key_count) == (library_id, 8, 8)
    assert (found.present_count, found.hot_count, found.cold_count, found.expiring_count) == (7, 7, 7, 1)
    assert found.job_id == ""


async def test_a_sample(house: House) -> None:
    """A verification looks at no more keys of a library than it was told to."""
    async with house.process() as process:
        await warmed_library(process)
        report = await process.verify(sample=3)
    assert [found.key_count for found in report.libraries] == [3]


async def test_the_night_repairs(house: House) -> None:
    """What a nightly verification finds missing is warmed by a job that it begins, and its report is kept."""
    async with house.process() as process:
        await warmed_library(process)
        del house.books.cache[DUNE]
        house.clock.advance(1)
        firing = await fired(process, NIGHTLY)
        job = await newest(process)
        reports = (await process.admin.ListCoverageReports(pb.ListCoverageReportsRequest())).reports
    assert firing.outcome == "7 of 8 keys of 1 libraries were cached; 1 repairs begun"
    assert (job.trigger, job.progress.warmed_count, DUNE in house.books.cache) == (NIGHTLY, 1, True)
    assert [report.libraries[0].job_id for report in reports] == [job.id]


async def test_nothing_to_repair(house: House) -> None:
    """Where all is cached for long enough no job is begun."""
    async with house.process() as process:
        await warmed_library(process)
        report = await process.verify(repair=True)
    assert [found.job_id for found in report.libraries] == [""]


async def test_reports_come_in_pages(house: House) -> None:
    """The reports of many nights are told newest first, a page at a time."""
    async with house.process() as process:
        for _ in range(3):
            house.clock.advance(86_400)
            await process.verify()
        first = await process.admin.ListCoverageReports(pb.ListCoverageReportsRequest(page_size=2))
        request = pb.ListCoverageReportsRequest(page_size=2, page_token=first.next_page_token)
        second = await process.admin.ListCoverageReports(request)
    times = [report.verify_time.seconds for report in [*first.reports, *second.reports]]
    assert (times, second.next_page_token) == ([1_000_000 + 86_400 * day for day in (3, 2, 1)], "")


async def test_a_token_of_nobody(house: House) -> None:
    """A page token that was not given out is refused."""
    async with house.process() as process:
        with pytest.raises(InvalidArgumentError) as caught:
            await process.admin.ListCoverageReports(pb.ListCoverageReportsRequest(page_token="x"))
    assert caught.value.reason == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize("library_id", ["nothing", "ab" * 32])
async def test_an_unknown_library(house: House, library_id: str) -> None:
    """A library that nobody uploaded can't be verified."""
    async with house.process() as process:
        with pytest.raises(NotFoundError) as caught:
            await process.verify(library_id)
    assert caught.value.reason == "LIBRARY_NOT_FOUND"


async def test_a_line_that_nothing_is_tied_to(house: House) -> None:
    """A manifest with a line for which the warmer has nothing to do is refused, and the line is named."""
    house.crons = (MICRO, "0 3 * * *")
    with pytest.raises(ConfigurationError, match=r"0 3 \* \* \*"):
        async with house.process():
            pass
