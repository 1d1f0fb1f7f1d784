"""Taking a library in."""

import hashlib

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import InvalidArgumentError, MeshError, UnavailableError
from tests.integration.warmer.house import LIBRARY, TEMPO, House, Process

HASH = hashlib.sha256(LIBRARY.encode()).hexdigest()

GOODREADS = (
    "Book Id,Title,Author,Author l-f,ISBN,ISBN13,Exclusive Shelf\n"
    '1,"Dune (Dune, #1)",Frank  Herbert,"Herbert, Frank","=""0441013597""","=""9780441013593""",read\n'
)


async def send(process: Process, *parts: pb.UploadLibraryRequest) -> pb.UploadLibraryResponse:
    """Uploads parts as they stand."""
    return await process.stub.UploadLibrary(iter(parts))


def part(data: bytes) -> pb.UploadLibraryRequest:
    """A part of a file."""
    return pb.UploadLibraryRequest(data=data)


def header(file_name: str = "", format_: int = 0) -> pb.UploadLibraryRequest:
    """What is said of a file."""
    return pb.UploadLibraryRequest(
        header=pb.LibraryHeader(file_name=file_name, format=pb.LibraryFormat.ValueType(format_))
    )


async def refused(house: House, *parts: pb.UploadLibraryRequest, **settings: int) -> MeshError:
    """Why an upload was refused."""
    async with house.process(tempo=TEMPO, **settings) as process:
        with pytest.raises(MeshError) as caught:
            await send(process, *parts)
    return caught.value


async def test_a_library_is_described(house: House) -> None:
    """The answer says what the library holds."""
    async with house.process() as process:
        library = (await process.upload()).library
    expected = pb.Library(
        id=HASH,
        file_name="library.csv",
        format=pb.LIBRARY_FORMAT_GENERIC,
        byte_count=len(LIBRARY),
        row_count=7,
        book_count=5,
        author_count=3,
        reject_count=1,
        duplicate_count=1,
        repair_count=1,
        columns=["title=Title", "author=Author", "isbn13=ISBN13"],
    )
    expected.create_time.FromSeconds(1_000_000)
    assert expected == library


async def test_rejects_are_told(house: House) -> None:
    """A row that can't be used is told with its line, reason and hint."""
    async with house.process() as process:
        (reject,) = (await process.upload()).rejects
    assert (reject.line, reject.reason, bool(reject.hint), reject.text) == (7, "NOT_AN_ISBN", True, "nothing")


async def test_repairs_are_told(house: House) -> None:
    """A row that was mended is told with its line, reason and hint."""
    async with house.process() as process:
        (repair,) = (await process.upload()).repairs
    assert (repair.line, repair.reason, bool(repair.hint)) == (8, "WRONG_CHECK_DIGIT", True)


async def test_only_the_first_hundred_rejects_are_told(house: House) -> None:
    """However many rejects there are, an answer shows a hundred, and their number in full."""
    async with house.process() as process:
        answer = await process.upload("Title,Author,ISBN\nDune,Frank Herbert,\n" + ",,nothing\n" * 250)
    assert (answer.library.reject_count, len(answer.rejects)) == (250, 100)


async def test_goodreads(house: House) -> None:
    """An export of Goodreads is known as such."""
    async with house.process() as process:
        library = (await process.upload(GOODREADS)).library
    assert (library.format, library.book_count) == (pb.LIBRARY_FORMAT_GOODREADS, 1)


async def test_the_bytes_are_stored_as_they_came(house: House) -> None:
    """The library lies in the store under its hash."""
    async with house.process() as process:
        await process.upload()
    stored = await house.bucket.get(f"libraries/{HASH}.csv")
    assert stored is not None
    assert LIBRARY.encode() == stored.data


async def test_the_same_file_is_one_library(house: House) -> None:
    """A file that comes again is the library that it was, under its first name."""
    async with house.process() as process:
        first = await process.upload()
        house.clock.advance(60)
        second = await process.upload(name="other.csv")
    first.already_stored = True
    assert first == second


async def test_a_header_is_not_needed(house: House) -> None:
    """Bytes alone are a library."""
    async with house.process() as process:
        library = (await send(process, part(LIBRARY[:100].encode()), part(LIBRARY[100:].encode()))).library
    assert library.id == HASH


async def test_store_down(house: House) -> None:
    """A library that can't be stored is not accepted."""
    house.bucket.down = True
    async with house.process() as process:
        with pytest.raises(UnavailableError) as caught:
            await process.upload()
    assert (caught.value.reason, caught.value.metadata["store"]) == ("STORE_UNAVAILABLE", "LIBRARY_DATA")


async def test_a_library_without_its_summary_is_none(house: House) -> None:
    """A store that dies between file and summary has accepted nothing; the next upload mends it."""
    async with house.process() as process:
        await process.upload()
        await house.bucket.delete(f"libraries/{HASH}.summary")
        again = await process.upload()
    assert not again.already_stored


@pytest.mark.parametrize(
    ("data", "reason", "metadata"),
    [
        (b"a,b\n1,2\n", "LIBRARY_NO_COLUMNS", {"sought": "title, author, isbn", "found": "a, b"}),
        (b"Title\nDune\x00\n", "LIBRARY_NOT_TEXT", {"offset": "10"}),
        (b"Title,Author\n", "LIBRARY_EMPTY", {}),
        (b" \n\n", "LIBRARY_EMPTY", {}),
    ],
)
async def test_no_library(house: House, data: bytes, reason: str, metadata: dict[str, str]) -> None:
    """A file that is no library is refused, naming what was looked for and what was found."""
    error = await refused(house, part(data))
    assert (InvalidArgumentError, reason, metadata) == (type(error), error.reason, error.metadata)


async def test_no_bytes(house: House) -> None:
    """An upload of nothing is an empty library."""
    assert (await refused(house, header("x.csv"))).reason == "LIBRARY_EMPTY"


async def test_too_many_bytes(house: House) -> None:
    """A file over the limit is refused, naming the limit."""
    error = await refused(house, part(b"Title\n"), part(b"x" * 20), MAX_LIBRARY_BYTES=20)
    assert (error.reason, error.metadata) == ("LIBRARY_TOO_LARGE", {"limit": "20", "unit": "bytes"})


async def test_as_many_bytes_as_allowed(house: House) -> None:
    """A file of exactly the limit is taken."""
    async with house.process(MAX_LIBRARY_BYTES=len(LIBRARY)) as process:
        assert (await process.upload()).library.id == HASH


async def test_too_many_rows(house: House) -> None:
    """A library with more rows than allowed is refused, naming the limit."""
    error = await refused(house, part(b"Title\na\nb\nc\n"), MAX_LIBRARY_ROWS=2)
    assert (error.reason, error.metadata) == ("LIBRARY_TOO_LARGE", {"limit": "2", "unit": "rows"})


@pytest.mark.parametrize(
    ("parts", "reason", "field"),
    [
        ([part(b"Title\n"), header()], "INVALID_FIELD", "header"),
        ([header(), header()], "INVALID_FIELD", "header"),
        ([pb.UploadLibraryRequest()], "INVALID_FIELD", "part"),
        ([header(format_=99)], "UNKNOWN_ENUM_VALUE", "header.format"),
    ],
)
async def test_parts_out_of_order(house: House, parts: list[pb.UploadLibraryRequest], reason: str, field: str) -> None:
    """A header comes first, once, and every part holds something."""
    error = await refused(house, *parts)
    assert (reason, field) == (error.reason, error.field)


async def test_naming_the_format_that_is_found(house: House) -> None:
    """A format that is forced and found as well is taken."""
    async with house.process() as process:
        answer = await send(process, header(format_=pb.LIBRARY_FORMAT_GENERIC), part(LIBRARY.encode()))
    assert answer.library.id == HASH


async def test_a_refused_library_leaves_nothing(house: House) -> None:
    """What was not accepted is not in the store."""
    async with house.process() as process:
        with pytest.raises(InvalidArgumentError):
            await process.upload("a,b\n1,2\n")
    assert [found.key async for found in house.bucket.list()] == []
