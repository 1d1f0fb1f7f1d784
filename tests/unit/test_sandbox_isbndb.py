"""What ISBNdb's books look like, clean and spoilt."""

import json

import pytest

from sandbox.catalogue import Book
from sandbox.dirt import spoilt
from sandbox.isbn import check13
from sandbox.isbndb import MAX_RESULTS, book_json, error, page, total

FULL = Book(
    isbn13="9780441013593",
    title="Dune",
    subtitle="a novel",
    authors=("Frank Herbert",),
    publisher="Ace",
    year=2005,
    pages=528,
    language="en",
    binding="Paperback",
    edition="1st",
    dewey="813.54",
    price="7.99",
    subjects=("Deserts",),
    summary="Sand. Worms.",
)


def _many(language: str = "en", count: int = 2000) -> list[Book]:
    """Books that differ in nothing but the ISBN."""
    bodies = [f"978{number:09}" for number in range(count)]
    return [
        Book(
            isbn13=f"{body}{check13(body)}",
            title="Title",
            authors=("Given Family",),
            publisher="P",
            year=1999,
            pages=7,
            language=language,
            dewey="813",
            subjects=("S",),
            summary="One. Two.",
        )
        for body in bodies
    ]


def test_a_clean_book_has_isbndbs_fields() -> None:
    """Names and types are those of a recorded answer."""
    other = Book(isbn13="9780441172719", title="Dune", binding="Hardcover")
    assert book_json(FULL, [other]) == {
        "publisher": "Ace",
        "synopsis": "Sand. Worms.",
        "language": "en",
        "image": "https://images.isbndb.com/covers/35/93/9780441013593.jpg",
        "title_long": "Dune: a novel",
        "edition": "1st",
        "pages": 528,
        "date_published": "2005",
        "dewey_decimal": "813.54",
        "subjects": ["Deserts"],
        "authors": ["Frank Herbert"],
        "title": "Dune",
        "isbn13": "9780441013593",
        "msrp": "7.99",
        "binding": "Paperback",
        "isbn": "0441013597",
        "isbn10": "0441013597",
        "other_isbns": [{"isbn": "9780441172719", "binding": "Hardcover"}],
    }


def test_what_is_unknown_is_left_out() -> None:
    """A book of title and ISBN shows little else; one of the 979 range has no ISBN-10."""
    assert {"image", "title_long", "title", "isbn13", "msrp", "isbn"} == set(
        book_json(Book(isbn13="9791034742783", title="T"))
    )


def test_spoiling_never_touches_isbn_and_title() -> None:
    """Whatever else is wrong with a book, it is the book that was asked for."""
    books = _many()
    assert [(book.isbn13, "Title") for book in books] == [
        (shown["isbn13"], shown["title"]) for shown in map(spoilt, books)
    ]


def test_spoiling_is_the_same_in_every_run() -> None:
    """No chance is in it: the first books of the row have always these dates."""
    assert [spoilt(book)["date_published"] for book in _many(count=6)] == [
        "1999-01",
        1999,
        "1999",
        "1999",
        "1999",
        "1999",
    ]


@pytest.mark.parametrize("form", [1999, "1999", "1999-01", "1999-01-01", "1999-01-01T00:00:01Z", None])
def test_dates_come_in_every_form(form: object) -> None:
    """Year, month, day, instant, number and nothing: a reader must know all of them."""
    assert form in {spoilt(book).get("date_published") for book in _many()}


@pytest.mark.parametrize(
    "authors", [["Given Family ~autofilled~"], ["Family, Given, Ph.D."], ["Family, Given"], ["Given Family"], None]
)
def test_authors_come_in_every_form(authors: list[str] | None) -> None:
    """Marked by a machine, turned round, with a degree, as they are, and not at all."""
    assert authors in [spoilt(book).get("authors") for book in _many()]


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "en_US"), ("fr", "fre"), ("ja", "en"), ("en", None), ("de", "de"), ("ja", "ja")]
)
def test_languages_come_in_every_form(language: str, shown: str | None) -> None:
    """With a country, in three letters, wrong, missing and right."""
    assert shown in {spoilt(book).get("language") for book in _many(language)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("msrp", "0.00"),
        ("msrp", 0.0),
        ("dewey_decimal", "813"),
        ("dewey_decimal", ["813"]),
        ("subjects", ["PQ", "878"]),
        ("synopsis", "One.<br/><br/>Two."),
        ("synopsys", "One. Two."),
        ("publisher", None),
        ("pages", None),
        ("binding", "Audio CD"),
        ("binding", "DVD"),
    ],
)
def test_other_fields_come_in_every_form(field: str, value: object) -> None:
    """Each trait of the real data falls to some books."""
    edition = Book(isbn13="9780441013593", title="Title")
    shown = [spoilt(book, [edition]) for book in _many()]
    assert json.dumps(value) in {json.dumps(one[field]) for one in shown if field in one}


def test_covers_have_odd_schemes() -> None:
    """Some have a capital, some no encryption."""
    images = [str(shown["image"]) for book in _many() if (shown := spoilt(book)).get("image")]
    assert {"https", "Https", "http"} == {image.partition(":")[0] for image in images}


def test_a_work_never_consists_of_a_recording() -> None:
    """A book without other editions stays a book."""
    assert {None} == {spoilt(book).get("binding") for book in _many()}


def test_most_of_a_book_is_clean() -> None:
    """Dirt is sprinkled, not poured: nine of ten books have their authors and language right."""
    shown = [spoilt(book) for book in _many()]
    assert len(shown) * 8 < 10 * sum(one.get("authors") == ["Given Family"] for one in shown)


@pytest.mark.parametrize(
    ("number", "size", "expected"), [(1, 2, [0, 1]), (3, 2, [4]), (4, 2, []), (1, 1000, [0, 1, 2, 3, 4])]
)
def test_pages_are_counted_from_one(number: int, size: int, expected: list[int]) -> None:
    """The last page is short, the one behind it empty."""
    assert expected == list(page(range(5), number, size))


def test_nothing_lies_beyond_the_ten_thousandth_result() -> None:
    """However the pages are cut, the list ends there, and so does its total."""
    many = range(MAX_RESULTS + 500)
    assert (
        total(many),
        list(page(many, 10_000, 1)),
        list(page(many, 11, 1000)),
    ) == (MAX_RESULTS, [MAX_RESULTS - 1], [])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"message": "Unauthorized"}),
        (403, {"message": "User is not authorized to access this resource with an explicit deny"}),
        (404, {"errorMessage": "Not Found"}),
        (429, {"message": "Limit Exceeded"}),
        (500, {"message": "Internal server error"}),
        (503, {"message": "Internal server error"}),
        (400, {"errorMessage": "Bad Request"}),
    ],
)
def test_each_error_has_its_body(status: int, body: dict[str, str]) -> None:
    """The key of the message differs from status to status, as it does at ISBNdb."""
    assert body == error(status)
