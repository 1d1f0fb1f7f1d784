"""Stored libraries: one, pages of them, forgetting one, and by which format they are read."""

import base64

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import AbortedError, InvalidArgumentError, MeshError, NotFoundError, UnavailableError
from tests.integration.warmer.house import House, Process

UNKNOWN_ID = "0" * 64

GERMAN = "Buch;Verfasser\nDune;Frank Herbert\n"
BOTH = "Title,Authors,Author\nDune,Frank Herbert & Ann Other,Somebody Else\n"
"""Any table takes `Author` for the author, and Calibre `authors`."""


async def failure_of(call: object) -> MeshError:
    """What a call fails with."""
    with pytest.raises(MeshError) as caught:
        await call  # type: ignore[misc]  # any call of a stub
    return caught.value


async def get(process: Process, library_id: str) -> pb.Library:
    """A library, as it is told of."""
    return (await process.stub.GetLibrary(pb.GetLibraryRequest(library_id=library_id))).library


async def listed(process: Process, size: int = 0, token: str = "") -> pb.ListLibrariesResponse:
    """A page of libraries."""
    return await process.stub.ListLibraries(pb.ListLibrariesRequest(page_size=size, page_token=token))


async def delete(process: Process, library_id: str) -> None:
    """Forgets a library."""
    await process.stub.DeleteLibrary(pb.DeleteLibraryRequest(library_id=library_id))


async def forced(process: Process, text: str, format_: pb.LibraryFormat.ValueType) -> pb.UploadLibraryResponse:
    """Uploads a library that is to be read by a format."""
    header = pb.UploadLibraryRequest(header=pb.LibraryHeader(file_name="forced.csv", format=format_))
    return await process.stub.UploadLibrary(iter([header, pb.UploadLibraryRequest(data=text.encode())]))


async def test_a_library_is_told_of_as_its_uploader_was(house: House) -> None:
    """What is told of a library later is what its uploader was told."""
    async with house.process() as process:
        library = (await process.upload()).library
        assert await get(process, library.id) == library


@pytest.mark.parametrize("library_id", [UNKNOWN_ID, "x", "../secrets"])
async def test_a_library_that_nobody_uploaded(house: House, library_id: str) -> None:
    """A library that is not there is not found."""
    async with house.process() as process:
        error = await failure_of(get(process, library_id))
    assert (type(error), error.reason) == (NotFoundError, "LIBRARY_NOT_FOUND")


async def test_pages(house: House) -> None:
    """Every library is on one page, by its id, and the last page has no token."""
    async with house.process() as process:
        made = sorted([(await process.upload(f"Title\nbook {number}\n")).library.id for number in range(5)])
        found, token, pages = [], "", 0
        while pages == 0 or token:
            page = await listed(process, 2, token)
            found += [library.id for library in page.libraries]
            token, pages = page.next_page_token, pages + 1
        assert (found, pages) == (made, 3)
        assert [library.id for library in (await listed(process)).libraries] == made


async def test_a_page_after_a_library_that_was_deleted(house: House) -> None:
    """A page goes on where the one before ended, even when that library is gone."""
    async with house.process() as process:
        made = sorted([(await process.upload(f"Title\nbook {number}\n")).library.id for number in range(3)])
        token = (await listed(process, 1)).next_page_token
        await delete(process, made[0])
        assert [library.id for library in (await listed(process, 5, token)).libraries] == made[1:]


@pytest.mark.parametrize("token", ["x", "ä", "====", "_w==", base64.urlsafe_b64encode(b"secrets").decode()])
async def test_a_token_of_nobody(house: House, token: str) -> None:
    """A page token that was not given out is refused."""
    async with house.process() as process:
        error = await failure_of(listed(process, 1, token))
    assert (type(error), error.reason) == (InvalidArgumentError, "INVALID_PAGE_TOKEN")


async def test_no_library(house: House) -> None:
    """Where nobody uploaded anything, the page is empty and the last."""
    async with house.process() as process:
        assert await listed(process) == pb.ListLibrariesResponse()


async def test_a_forgotten_library(house: House) -> None:
    """A library that is forgotten is gone from the store; forgetting it again changes nothing."""
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        await delete(process, library_id)
        await delete(process, library_id)
        error = await failure_of(get(process, library_id))
        assert (error.reason, await listed(process)) == ("LIBRARY_NOT_FOUND", pb.ListLibrariesResponse())
    assert [found.key async for found in house.bucket.list()] == []


async def test_forgetting_what_can_be_no_library(house: House) -> None:
    """An id that no library can have is told to be none, for it is a mistake of whoever sent it."""
    async with house.process() as process:
        error = await failure_of(delete(process, "library.csv"))
    assert (type(error), error.reason) == (NotFoundError, "LIBRARY_NOT_FOUND")


async def test_a_library_that_is_worked_on_stays(house: House) -> None:
    """While a job runs on a library it can't be forgotten, and the job is named."""
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        house.books.gate.clear()
        job = await process.warm(library_id)
        error = await failure_of(delete(process, library_id))
        house.books.gate.set()
        await process.finished(job.id)
        await delete(process, library_id)
    assert (type(error), error.reason, error.metadata["job_id"]) == (AbortedError, "JOB_ALREADY_RUNNING", job.id)


async def test_a_store_that_is_down(house: House) -> None:
    """Without the store nothing is told of libraries, and nothing is forgotten."""
    async with house.process() as process:
        library_id = (await process.upload()).library.id
        house.bucket.down = True
        errors = [
            await failure_of(call) for call in (get(process, library_id), listed(process), delete(process, library_id))
        ]
    assert {(type(error), error.reason) for error in errors} == {(UnavailableError, "STORE_UNAVAILABLE")}


async def test_a_forced_format_is_honoured(house: House) -> None:
    """A format that is forced gives its own columns, and is told."""
    async with house.process() as process:
        library = (await forced(process, BOTH, pb.LIBRARY_FORMAT_CALIBRE)).library
    assert (library.format, list(library.columns), library.author_count) == (
        pb.LIBRARY_FORMAT_CALIBRE,
        ["title=Title", "author=Authors"],
        2,
    )


async def test_a_format_that_the_file_does_not_have(house: House) -> None:
    """A file that can't be read by the format that is forced is refused, and not stored."""
    async with house.process() as process:
        error = await failure_of(forced(process, GERMAN, pb.LIBRARY_FORMAT_GOODREADS))
    assert (type(error), error.reason) == (InvalidArgumentError, "LIBRARY_NO_COLUMNS")
    assert "GOODREADS" in error.metadata["sought"]
    assert [found.key async for found in house.bucket.list()] == []


async def test_the_last_forced_format_counts(house: House) -> None:
    """A stored library is read anew by another format, and by that from then on, under its first name and time."""
    async with house.process() as process:
        first = (await process.upload(BOTH)).library
        house.clock.advance(60)
        second = await forced(process, BOTH, pb.LIBRARY_FORMAT_CALIBRE)
        again = await process.upload(BOTH)
        told = await get(process, first.id)
    assert (first.format, second.already_stored, second.library.author_count) == (pb.LIBRARY_FORMAT_GENERIC, True, 2)
    assert (second.library.file_name, second.library.create_time) == (first.file_name, first.create_time)
    assert again.library == told == second.library


async def test_a_refused_format_changes_nothing(house: House) -> None:
    """A stored library that can't be read by the format that is forced stays as it was."""
    async with house.process() as process:
        first = (await process.upload(GERMAN)).library
        error = await failure_of(forced(process, GERMAN, pb.LIBRARY_FORMAT_BOOKWYRM))
        assert await get(process, first.id) == first
    assert error.reason == "LIBRARY_NO_COLUMNS"


async def test_plans_and_reports_go_by_the_forced_format(house: House) -> None:
    """What a job asks for, and what its report tells, is what the format that is forced makes of the file."""
    async with house.process() as process:
        library = (await process.upload(BOTH)).library
        await process.finished((await process.warm(library.id, strategy=pb.STRATEGY_HYBRID)).id)
        await forced(process, BOTH, pb.LIBRARY_FORMAT_CALIBRE)
        job = await process.finished((await process.warm(library.id, strategy=pb.STRATEGY_HYBRID)).id)
        report = await process.report(job.id)
    assert {"Somebody Else", "Frank Herbert", "Ann Other"} <= set(house.books.asked)
    assert "Frank Herbert; Ann Other" in report


async def test_what_was_found_is_read_anew_when_it_is_lost(house: House) -> None:
    """Where what was found in a library is lost, its bytes tell it again."""
    async with house.process() as process:
        library = (await process.upload()).library
        await house.bucket.delete(f"libraries/{library.id}.{library.format}.events")
        job = await process.finished((await process.warm(library.id)).id)
    assert (job.state, job.progress.row_count) == (pb.WARM_JOB_STATE_SUCCEEDED, library.row_count)
