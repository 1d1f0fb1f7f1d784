"""What became of every row."""

import csv
import io

import pytest
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import DataLossError
from services.warmer.jobs.outcome import Outcome, Settled
from services.warmer.jobs.report import CHUNK, report_of
from services.warmer.library.events import Duplicate, Event
from services.warmer.library.rows import Reject, Repair, Row
from services.warmer.plan.searches import Search
from tests.integration.warmer.house import DUNE, EMMA, LIBRARY, House, settled, until
from tests.integration.warmer.neighbours import UNKNOWN

NOTHING = "the ISBN cell holds something else; correct it, or add a title: nothing"
DOWN = CallError(code="UNAVAILABLE", reason="ALL_PROVIDERS_FAILED", message="isbndb is down")


def rows_of(report: str) -> list[list[str]]:
    """A report's rows, without the header."""
    return list(csv.reader(io.StringIO(report)))[1:]


async def test_every_row_of_the_library(house: House) -> None:
    """Each row of the library is told with its line, and what became of it."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        report = await process.report(job.id)
    assert rows_of(report) == [
        ["2", DUNE, "Dune", "Frank Herbert", "warmed", "", ""],
        ["3", EMMA, "Emma", "Jane Austen", "warmed", "", ""],
        ["4", "", "Persuasion", "Jane Austen", "warmed", "", ""],
        ["5", UNKNOWN, "Nobody wrote this", "Nobody", "not_found", "", ""],
        ["6", "", "", "Jane Austen", "duplicate", "", "repeats line 3"],
        ["7", "", "", "", "rejected", "NOT_AN_ISBN", NOTHING],
        [
            "8",
            "",
            "Mended",
            "Jane Austen",
            "warmed",
            "WRONG_CHECK_DIGIT",
            "the check digit of the ISBN is wrong; the book is searched for by title and author",
        ],
    ]


async def test_header(house: House) -> None:
    """The columns are the contract's."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        report = await process.report(job.id)
    assert report.startswith("line,isbn_13,title,authors,outcome,reason,hint\r\n")


async def test_a_parked_row_says_why(house: House) -> None:
    """A row whose search was given up tells the reason and what the provider said."""
    house.books.errors = {DUNE: [DOWN] * 99}
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        row = rows_of(await process.report(job.id))[0]
    assert row[4:] == ["parked", "ALL_PROVIDERS_FAILED", "isbndb is down"]


async def test_a_parked_author_shows_at_the_book(house: House) -> None:
    """A book whose author could not be warmed says so, though the book itself is warm."""
    house.books.errors = {"Frank Herbert": [DOWN] * 99}
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        row = rows_of(await process.report(job.id))[0]
    assert row[4:] == ["warmed", "ALL_PROVIDERS_FAILED", "the search for Frank Herbert parked: isbndb is down"]


async def test_a_parked_author_shows_at_a_repeated_row(house: House) -> None:
    """A row that repeats a book but names another author says when that author could not be warmed."""
    house.books.errors = {"Frank Herbert": [DOWN] * 99}
    async with house.process() as process:
        job = await process.warm(
            (await process.upload(f"Title,Author,ISBN\n,,{DUNE}\nDune,Frank Herbert,{DUNE}\n")).library.id
        )
        await process.finished(job.id)
        row = rows_of(await process.report(job.id))[1]
    hint = "repeats line 2; the search for Frank Herbert parked: isbndb is down"
    assert row[3:] == ["Frank Herbert", "duplicate", "ALL_PROVIDERS_FAILED", hint]


async def test_a_job_under_way(house: House) -> None:
    """The report of a job that runs tells what is known, and the rest is pending."""
    async with house.process() as process:
        house.books.gate.clear()
        job = await process.warm((await process.upload()).library.id)
        await house.books.waiting.wait()
        outcomes = [row[4] for row in rows_of(await process.report(job.id))]
        house.books.gate.set()
    assert outcomes == ["pending", "pending", "pending", "pending", "duplicate", "rejected", "pending"]


async def test_inline(house: House) -> None:
    """The rows of a request are told, too: its ISBNs, then its authors."""
    async with house.process() as process:
        inline = pb.InlineLibrary(isbns=[DUNE], authors=["Jane Austen", "Nobody"])
        job = (await process.stub.Warm(pb.WarmRequest(inline=inline))).job
        await process.finished(job.id)
        report = await process.report(job.id)
    assert rows_of(report) == [
        ["1", DUNE, "", "", "warmed", "", ""],
        ["2", "", "", "Jane Austen", "warmed", "", ""],
        ["3", "", "", "Nobody", "not_found", "", ""],
    ]


async def test_the_report_is_kept(house: House) -> None:
    """The report of a job that is done lies in the store."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        report = await process.report(job.id)
    kept = await house.bucket.get(f"reports/{job.id}.csv")
    assert kept is not None
    assert report.encode() == kept.data


async def test_a_report_that_is_lost(house: House) -> None:
    """A report that was kept and is gone is told to be gone, for what it was made of went when it was kept."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
        await house.bucket.delete(f"reports/{job.id}.csv")
        with pytest.raises(DataLossError):
            await process.report(job.id)


async def test_an_outage_of_the_store_delays_the_end(house: House) -> None:
    """A job whose report can't be kept waits for the store, and ends with its report when the store is back."""
    async with house.process() as process:
        house.books.gate.clear()
        job = await process.warm((await process.upload()).library.id)
        await house.books.waiting.wait()
        house.bucket.down = True
        house.books.gate.set()

        async def all_settled() -> bool:
            progress = (await process.job(job.id)).progress
            return settled(progress) == progress.search_count

        await until(all_settled)
        state = (await process.job(job.id)).state
        house.bucket.down = False
        ended = await process.finished(job.id)
        count = len(rows_of(await process.report(job.id)))
    assert (state, ended.state) == (pb.WARM_JOB_STATE_RUNNING, pb.WARM_JOB_STATE_SUCCEEDED)
    assert count == LIBRARY.count("\n") - 1


async def test_a_report_that_nobody_can_make(house: House) -> None:
    """Where the plan of a job is gone, the report says so instead of making something up."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id)
        await process.finished(job.id)
    async with house.process() as process:
        for found in [found.key async for found in house.bucket.list()]:
            if found.startswith(("plans/", "reports/")):
                await house.bucket.delete(found)
        with pytest.raises(DataLossError):
            await process.report(job.id)


async def test_what_a_strategy_leaves_out_is_skipped(house: House) -> None:
    """A row without an ISBN is told as skipped by a job that asks by nothing else, and why."""
    async with house.process() as process:
        job = await process.warm((await process.upload()).library.id, strategy=pb.STRATEGY_ISBN)
        await process.finished(job.id)
        rows = rows_of(await process.report(job.id))
    assert [row[4:6] for row in rows if row[2] == "Persuasion"] == [["skipped", "NO_ISBN"]]


async def test_a_cancelled_job_has_a_report(house: House) -> None:
    """What a cancelled job did not come to is pending."""
    async with house.process() as process:
        house.books.gate.clear()
        job = await process.warm((await process.upload()).library.id)
        await house.books.waiting.wait()
        await process.stub.CancelWarmJob(pb.CancelWarmJobRequest(job_id=job.id))
        outcomes = {row[4] for row in rows_of(await process.report(job.id))}
    assert outcomes == {"pending", "duplicate", "rejected"}


def nothing(_: Search) -> Settled | None:
    """Nothing is settled yet."""
    return None


def test_a_repair_belongs_to_its_row() -> None:
    """A repair is told with the row before it, and a row without one has none."""
    events: list[Event] = [Row(2, "a", (), ""), Repair(2, "WHY", "how"), Row(3, "b", (), "")]
    report = b"".join(report_of(events, nothing)).decode()
    assert [row[5:] for row in rows_of(report)] == [["WHY", "how"], ["", ""]]


def test_a_failure_is_told_before_a_repair() -> None:
    """Where a row was mended and failed all the same, the failure is what counts."""
    events: list[Event] = [Row(2, "a", (), ""), Repair(2, "WHY", "how")]
    report = b"".join(report_of(events, lambda _: Settled(Outcome.FAILED, "EMPTY_QUERY", "no"))).decode()
    assert rows_of(report)[0][4:] == ["failed", "EMPTY_QUERY", "no"]


def test_large_reports_come_in_parts() -> None:
    """A large report comes in parts of about 64 KB, and together they are one CSV."""
    events = [Reject(line, "R", "hint", "x" * 100) for line in range(2, 3_002)]
    parts = list(report_of(events, nothing))
    sizes = [len(part) for part in parts]
    assert (len(rows_of(b"".join(parts).decode())), all(CHUNK <= size < CHUNK + 1_000 for size in sizes[:-1])) == (
        3_000,
        True,
    )


def test_cells_are_quoted() -> None:
    """Commas, quotes and line breaks in a title come back as they were."""
    title = 'a, "b"\nc'
    report = b"".join(report_of([Row(2, title, ("x, y", "z"), ""), Duplicate(5, 2)], nothing)).decode()
    assert rows_of(report)[0][2:4] == [title, "x, y; z"]
