"""Reading libraries: every row that holds a book is understood, and nothing else is made of it."""

from pathlib import Path

import pytest
from bookmesh.warmer.v1.warmer_service_pb2 import (
    LIBRARY_FORMAT_GENERIC,
    LIBRARY_FORMAT_GOODREADS,
    LIBRARY_FORMAT_ISBN_LIST,
)
from hypothesis import given
from hypothesis import strategies as st

from services.warmer.library.decoding import LibraryError, NotTextError
from services.warmer.library.events import Duplicate, Event
from services.warmer.library.people import people
from services.warmer.library.reading import (
    MAX_ROWS,
    EmptyLibraryError,
    LibraryCounts,
    NoUsableColumnError,
    TooManyRowsError,
    read_library,
)
from services.warmer.library.rows import Reject, Repair, Row

SAMPLES = Path(__file__).parents[2] / "samples"

GOODREADS = (
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,"
    "Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,"
    "Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies\n"
)


def events(data: str | bytes, max_rows: int = MAX_ROWS) -> list[Event]:
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
    [(",X,", "NO_TITLE_OR_ISBN"), (",X,9780441013594", "WRONG_CHECK_DIGIT"), (",,abc", "NOT_AN_ISBN")],
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
        1,
        3,
    )
    assert counts.book_count + counts.duplicate_count + counts.reject_count == counts.row_count


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Frank Herbert", ("Frank Herbert",)),
        ("Le Guin, Ursula K.", ("Ursula K. Le Guin",)),
        ("Herbert, Frank", ("Frank Herbert",)),
        ("Bill Clinton & James Patterson", ("Bill Clinton", "James Patterson")),
        ("Neil Gaiman, Terry Pratchett", ("Neil Gaiman", "Terry Pratchett")),
        ("J.K. Rowling, John Tiffany, Jack Thorne", ("J.K. Rowling", "John Tiffany", "Jack Thorne")),
        ("A; B and C", ("A", "B", "C")),
        ("Kurt Vonnegut, Jr.", ("Kurt Vonnegut, Jr.",)),
        ("村上 春樹", ("村上 春樹",)),
        ("", ()),
    ],
)
def test_people(cell: str, names: tuple[str, ...]) -> None:
    """An author cell is parted into people, and a name that is turned round is turned back."""
    assert people(cell) == names


@given(st.binary(max_size=2_000))
def test_any_bytes(data: bytes) -> None:
    """Whatever a file holds, it is read or refused, and nothing else is raised."""
    try:
        events(data)
    except LibraryError:
        return


ROWS = st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20), st.text(max_size=15)), max_size=20)


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
