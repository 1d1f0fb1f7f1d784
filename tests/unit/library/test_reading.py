"""Reading libraries: every row that holds a book is understood, and nothing else is made of it."""

from pathlib import Path

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import (
    LIBRARY_FORMAT_GENERIC,
    LIBRARY_FORMAT_GOODREADS,
    LIBRARY_FORMAT_ISBN_LIST,
    LibraryFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from services.warmer.library.decoding import LibraryError, NotTextError
from services.warmer.library.events import Duplicate, Event
from services.warmer.library.reading import (
    EmptyLibraryError,
    LibraryCounts,
    NoUsableColumnError,
    TooManyRowsError,
    read_library,
)
from services.warmer.library.rows import Reject, Repair, Row

SAMPLES = Path(__file__).parents[3] / "samples"

GOODREADS = (
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,"
    "Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,"
    "Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies\n"
)


def events(data: str | bytes, max_rows: int = 1_000) -> list[Event]:
    """What a file holds."""
    _, found = read_library([data.encode() if isinstance(data, str) else data], max_rows=max_rows)
    return list(found)


def test_columns_in_any_order() -> None:
    """Columns are found by their names, wherever they stand."""
    found = events("ISBN,Notes,Author Name,Book Title\n9780441013593,x,Frank Herbert,Dune\n")
    assert found == [Row(2, "Dune", ("Frank Herbert",), "9780441013593")]


def test_goodreads() -> None:
    """Goodreads' cells, series and blanks are taken off, and its additional authors are authors."""
    line = (
        '1,"Dune (Dune, #1)",Frank  Herbert,"Herbert, Frank","Brian Herbert, 谷口 ジロー","=""0441013597""","=""""",'
        + "," * 16
    )
    columns, found = read_library([(GOODREADS + line + "\n").encode()])
    assert (columns.format, list(found)) == (
        LIBRARY_FORMAT_GOODREADS,
        [Row(2, "Dune", ("Frank Herbert", "Brian Herbert", "谷口 ジロー"), "9780441013593")],
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    """Commas, semicolons, tabs and bars part cells alike."""
    text = "title,author,isbn\nDune,Frank Herbert,0441013597\n".replace(",", delimiter)
    assert events(text) == [Row(2, "Dune", ("Frank Herbert",), "9780441013593")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    """A file is read in the encoding that it is in."""
    assert events("Title,Author\nÉtoile,Günter Grass\n".encode(encoding)) == [Row(2, "Étoile", ("Günter Grass",), "")]


def test_line_numbers() -> None:
    """A row is numbered where it begins, past cells of several lines and empty lines."""
    text = 'Title,Author\n"A\nB",X\n\n"C ""quoted""",Y\r\nD,Z\n'
    assert [(row.line, row.title) for row in events(text) if isinstance(row, Row)] == [
        (2, "A B"),
        (5, 'C "quoted"'),
        (6, "D"),
    ]


def test_wrong_check_digit_with_a_title() -> None:
    """A wrong ISBN is set aside with a word, and its row goes on by title and author."""
    found = events("Title,Author,ISBN\nDune,Frank Herbert,9780441013594\n")
    assert [type(event) for event in found] == [Row, Repair]
    assert (found[0], found[1].line, getattr(found[1], "reason", "")) == (
        Row(2, "Dune", ("Frank Herbert",), ""),
        2,
        "WRONG_CHECK_DIGIT",
    )


def test_wrong_check_digit_with_a_sibling() -> None:
    """A wrong ISBN is replaced by that of the other column."""
    found = events("Title,ISBN13,ISBN10\nDune,9.78044E+12,0441013597\n")
    assert (found[0], getattr(found[1], "reason", "")) == (Row(2, "Dune", (), "9780441013593"), "ISBN_ROUNDED")


@pytest.mark.parametrize(
    ("line", "reason"),
    [(",Various,", "NO_TITLE_OR_ISBN"), (",,9780441013594", "WRONG_CHECK_DIGIT"), (",,abc", "NOT_AN_ISBN")],
)
def test_rejects(line: str, reason: str) -> None:
    """A row that nothing can be searched by is refused with its line, a word and a hint; the rest goes on."""
    found = events(f"Title,Author,ISBN\n{line}\nDune,Y,\n")
    assert isinstance(found[0], Reject)
    assert (found[0].line, found[0].reason, bool(found[0].hint), found[1]) == (
        2,
        reason,
        True,
        Row(3, "Dune", ("Y",), ""),
    )


def test_duplicates() -> None:
    """A book that comes again, by ISBN of either length or by title and author, is counted and not read twice."""
    text = (
        "Title,Author,ISBN\nDune,Frank Herbert,9780441013593\nx,y,0441013597\nDUNE,frank herbert,\n"
        "Emma,Jane Austen,\nEmma!,Jane  Austen,\nDune,Frank Herbert,9780441172719\n"
    )
    assert [(event.line, event.of_line) for event in events(text) if isinstance(event, Duplicate)] == [
        (3, 2),
        (4, 2),
        (6, 5),
    ]


def test_list_of_isbns() -> None:
    """A plain list of ISBNs is a library, its first line included."""
    columns, found = read_library([b"9780441013593\n0-441-17271-7\n"])
    assert (columns.format, [event.isbn13 for event in found if isinstance(event, Row)]) == (
        LIBRARY_FORMAT_ISBN_LIST,
        ["9780441013593", "9780441172719"],
    )


def test_no_usable_column() -> None:
    """A header that names nothing known is refused, with what was looked for and what was found."""
    with pytest.raises(NoUsableColumnError) as caught:
        read_library([b"year,rating\n1999,5\n"])
    assert (caught.value.sought, caught.value.found) == ("title, author, isbn", "year, rating")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_empty(data: bytes) -> None:
    """A file without a line is refused as empty."""
    with pytest.raises(EmptyLibraryError):
        read_library([data])


def test_header_alone() -> None:
    """A header without a row is refused as empty."""
    with pytest.raises(EmptyLibraryError):
        events("Title,Author\n")


def test_not_text() -> None:
    """A file with a zero byte is no text; its place is told."""
    with pytest.raises(NotTextError) as caught:
        read_library([b"\x89PNG\r\n\x1a\n\0\0"])
    assert caught.value.offset == 8


def test_too_many_rows() -> None:
    """A library over the limit is refused."""
    with pytest.raises(TooManyRowsError):
        events("Title\na\nb\nc\n", max_rows=2)


def test_quote_that_is_never_closed() -> None:
    """A quote that is never closed costs its row, and no memory without bound."""
    found = events('Title\nfine\n"open' + "x" * 300_000 + "\n")
    assert [type(event) for event in found] == [Row, Reject]


def test_sample_library() -> None:
    """The sample library has the rows, traps and repairs that its README tells of."""
    counts = LibraryCounts()
    columns, found = read_library([(SAMPLES / "library.csv").read_bytes()])
    for event in found:
        counts.add(event)
    assert (columns.format, counts.row_count, counts.reject_count, counts.repair_count) == (
        LIBRARY_FORMAT_GENERIC,
        298,
        0,
        3,
    )
    assert counts.book_count + counts.duplicate_count + counts.reject_count == counts.row_count


def test_an_author_alone() -> None:
    """A row that names nothing but an author is no reject: its author can be searched for."""
    assert events("Title,Author,ISBN\n,Jane Austen,\n,Jane Austen,9780441013594\n,jane austen,\n") == [
        Row(2, "", ("Jane Austen",), ""),
        Duplicate(3, 2, ("Jane Austen",)),
        Duplicate(4, 2, ("jane austen",)),
    ]


PIECES = st.sampled_from(
    [b"Title", b"Author", b"ISBN", b"9780441013593", b"0441013597", b"9.78044E+12", b"Herbert, Frank", b'"', b'""']  # noqa: RUF005 - three lines of pieces read better than thirty of one
    + [b",", b";", b"\t", b"|", b"\n", b"\r\n", b"\r", b" ", b"=", b"&", b" and ", b"(", b"#1)", b"\xe9", b"\xc3\xa9"]
    + [b"sep=;", b"Primary Author", b"Secondary Author", b"identifiers", b"isbn:", b"Last Name", b"\xff\xfe", b"\0"]
)
FORMATS = st.sampled_from(LibraryFormat.values())


@given(st.one_of(st.binary(max_size=500), st.lists(PIECES, max_size=60).map(b"".join)), FORMATS)
def test_any_bytes(data: bytes, format_: LibraryFormat.ValueType) -> None:
    """Whatever a file holds, and by whatever format, it is read or refused; every row is a book or a reject."""
    counts = LibraryCounts()
    try:
        for event in read_library([data], format_=format_)[1]:
            counts.add(event)
    except LibraryError:
        return
    assert counts.row_count == counts.book_count + counts.duplicate_count + counts.reject_count


@given(st.lists(PIECES, max_size=60).map(b"".join))
def test_what_was_found_reads_the_same_when_it_is_forced(data: bytes) -> None:
    """The format that was found, named the next time, gives what was found without it."""
    try:
        columns, found = read_library([data])
        first = list(found)
    except LibraryError:
        return
    again, found = read_library([data], format_=columns.format)
    assert (columns, first) == (again, list(found))


ROWS = st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20), st.text(max_size=15)), max_size=20)


@settings(deadline=None)  # other work on the machine is no fault of this
@given(ROWS, st.integers(1, 50))
def test_chunks_do_not_matter(rows: list[tuple[str, str, str]], size: int) -> None:
    """Where a file is parted makes no difference, and every record is a book, a duplicate or a reject."""
    cells = ((cell.replace("\0", "").replace('"', '""') for cell in row) for row in rows)
    data = ("Title,Author,ISBN\n" + "".join('"' + '","'.join(row) + '"\n' for row in cells)).encode("utf-8", "replace")
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    try:
        whole = events(data)
    except LibraryError as error:
        with pytest.raises(type(error)):
            list(read_library(parts)[1])
        return
    counts = LibraryCounts()
    for event in whole:
        counts.add(event)
    assert list(read_library(parts)[1]) == whole
    assert counts.row_count == counts.book_count + counts.duplicate_count + counts.reject_count


def test_two_files_put_together() -> None:
    """The header of a second file is refused with its line, and the books behind it are read."""
    found = events("Title,Author\nDune,Frank Herbert\nTitle,Author\nEmma,Jane Austen\n")
    assert [(type(each), each.line) for each in found] == [(Row, 2), (Reject, 3), (Row, 4)]


def test_ruled_lines() -> None:
    """A line of a table that only rules it off holds nothing, and is not counted."""
    found = events("| Title | Author |\n|-------|:------:|\n| Dune | Frank Herbert |\n")
    assert found == [Row(3, "Dune", ("Frank Herbert",), "")]


def test_several_isbns_in_a_line() -> None:
    """Each ISBN of a line in a list of them is a book, and one that came before repeats it."""
    found = events("9780441013593, 9780141439587\n0441013597 9780141439600\n")
    assert found == [
        Row(1, "", (), "9780441013593"),
        Row(1, "", (), "9780141439587"),
        Duplicate(2, 1),
        Row(2, "", (), "9780141439600"),
    ]
