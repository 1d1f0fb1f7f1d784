"""How catalogue files of any shape are read."""

from pathlib import Path

import pytest

from sandbox.catalogue import Book
from sandbox.shelf import CatalogueError, parse, read

GOODBOOKS = (
    "book_id,isbn,isbn13,authors,original_publication_year,original_title,title,language_code,ratings_count\n"
    "1,439023483,9.78043902348e+12,Suzanne Collins,2008.0,The Hunger Games,"
    '"The Hunger Games (The Hunger Games, #1)",eng,1\n'
    '2,080442957X,,"Ann Leckie, Martin Luther King, Jr.",-750.0,,Ancillary,en-US,2\n'
    "3,,9.78e+12,Nobody,2000.0,,No number,eng,3\n"
)


def test_a_goodbooks_file_is_made_whole() -> None:
    """Lost zeros come back, the rounded ISBN-13 is recomputed, and the series moves from title to long title."""
    assert (
        Book(
            isbn13="9780439023481",
            title="The Hunger Games",
            long_title="The Hunger Games (The Hunger Games, #1)",
            authors=("Suzanne Collins",),
            year=2008,
            language="en",
        )
        == parse(GOODBOOKS)[0]
    )


def test_a_generation_stays_with_its_name() -> None:
    """A comma before "Jr." parts no authors."""
    assert parse(GOODBOOKS)[1].authors == ("Ann Leckie", "Martin Luther King Jr.")


def test_a_year_before_christ_is_a_year() -> None:
    """Homer's year is negative, and a number all the same."""
    assert parse(GOODBOOKS)[1].year == -750


def test_a_row_without_a_number_is_no_book() -> None:
    """What cannot be asked for by ISBN is not in the catalogue."""
    assert [book.isbn13 for book in parse(GOODBOOKS)] == ["9780439023481", "9780804429573"]


def test_columns_are_found_by_name_in_any_order() -> None:
    """Case, blanks and order of the header do not matter; semicolons part authors; a formula is undone."""
    text = 'ISBN 13,Author,Book Title,Number of Pages\n"=""9780306406157""",A; B,"T, with\ntwo lines",412.0\n'
    assert [Book(isbn13="9780306406157", title="T, with\ntwo lines", authors=("A", "B"), pages=412)] == parse(text)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    """Files from spreadsheets begin with one."""
    path = tmp_path / "books.csv"
    path.write_text("title,author,isbn\nT,A,0306406152\n", encoding="utf-8-sig")
    assert read(path)[0].title == "T"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column for title and authors among nothing"),
        (b"name,isbn\nT,0306406152\n", "no column for authors among name, isbn"),
        (b"title,author\nT,A\n", "no column for isbn among title, author"),
        (b"title,author,isbn\nT,A,123\n", "no row has a title and a valid ISBN"),
        (b"title,author,isbn\n\xff\xfe,A,123\n", "no UTF-8 text (byte 18)"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    """The message says what was looked for and what was found."""
    path = tmp_path / "books.csv"
    path.write_bytes(content)
    with pytest.raises(CatalogueError) as caught:
        read(path)
    assert said in str(caught.value)


def test_an_absent_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """The message says why it cannot be read."""
    with pytest.raises(CatalogueError, match="cannot be read: No such file or directory"):
        read(tmp_path / "absent.csv")
