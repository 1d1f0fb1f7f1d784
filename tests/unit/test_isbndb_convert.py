from typing import Any

import pytest
from bookmesh.type.v1.book_pb2 import FORMAT_PAPERBACK, Edition, Identifier
from hypothesis import given
from hypothesis import strategies as st

from services.cataloguing.subjects import subjects_of
from services.cataloguing.titles import Title
from services.isbndb.convert import Record, record_of
from services.isbndb.works import works_of

CLEAN: dict[str, Any] = {
    "title": "Dune",
    "title_long": "Dune: The Illustrated Story",
    "isbn": "0441013597",
    "isbn10": "0441013597",
    "isbn13": "9780441013593",
    "dewey_decimal": "813.54",
    "binding": "Paperback",
    "publisher": "Ace",
    "language": "en",
    "date_published": "2005-08",
    "edition": "1",
    "pages": 528,
    "dimensions": "Height: 9 Inches",
    "dimensions_structured": {"height": {"unit": "inches", "value": 9.0}},
    "overview": "",
    "image": "https://images.isbndb.com/covers/35/93/9780441013593.jpg",
    "image_original": "https://images.isbndb.com/covers/original/x.jpg?Signature=short-lived",
    "msrp": "0.00",
    "excerpt": "",
    "synopsis": "Set on the desert planet Arrakis.<br/><br/>(trimmed)",
    "authors": ["Frank Herbert"],
    "subjects": ["Science Fiction", "science fiction", "Deserts &amp; sand"],
    "reviews": [],
    "prices": [],
    "related": {},
    "other_isbns": [{"isbn": "9780593099322", "binding": "Hardcover"}],
}


def converted(**changes: Any) -> Record:
    """The record of the clean book with some fields changed."""
    record = record_of({**CLEAN, **changes})
    assert record is not None
    return record


def test_clean_book() -> None:
    """A book without faults becomes a record with everything that it says."""
    expected = Record(
        title=Title("Dune", "The Illustrated Story"),
        authors=("Frank Herbert",),
        edition=Edition(
            isbn_13="9780441013593",
            isbn_10="0441013597",
            publisher="Ace",
            publication_date="2005-08",
            page_count=528,
            format=FORMAT_PAPERBACK,
            language="en",
            cover_uri="https://images.isbndb.com/covers/35/93/9780441013593.jpg",
            provider="isbndb",
            identifiers=[
                Identifier(scheme="isbndb", value="9780441013593"),
                Identifier(scheme="dewey_decimal", value="813.54"),
            ],
        ),
        year=2005,
        subjects=("Science Fiction", "Deserts & sand"),
        synopsis="Set on the desert planet Arrakis.\n(trimmed)",
    )
    assert expected == record_of(CLEAN)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"isbn13": "9780441013594"}, "9780441013593"),
        ({"isbn13": "0441013597", "isbn": "9780441013593"}, "9780441013593"),
        ({"isbn13": None, "isbn10": None, "isbn": "0-441-01359-7"}, "9780441013593"),
        ({"isbn13": 9780441013593, "isbn10": 5, "isbn": []}, "9780441013593"),
        ({"isbn13": "9780000000002", "isbn10": "", "isbn": ""}, ""),
        ({"isbn13": "9780000000002"}, "9780441013593"),
        ({"isbn13": "978044101359", "isbn10": "x", "isbn": "1"}, ""),
    ],
)
def test_isbn(fields: dict[str, Any], expected: str) -> None:
    """The valid ISBN is found in whichever field it stands; an invalid one is no ISBN."""
    assert expected == converted(**fields).edition.isbn_13


def test_isbn10_of_979() -> None:
    """An ISBN of 979 has no ISBN-10, whatever the record says."""
    assert converted(isbn13="9791032305690", isbn="0441013597", isbn10="0441013597").edition.isbn_10 == ""


def test_asked_isbn_fills_the_gap() -> None:
    """A record without a valid ISBN has the one that it was asked for by."""
    record = record_of({"title": "Dune", "isbn13": "wrong"}, asked_isbn13="9780441013593")
    assert record is not None
    assert record.edition.isbn_13 == "9780441013593"


def test_asked_isbn_does_not_overrule() -> None:
    """A record of another book keeps its own ISBN, whatever was asked for."""
    record = record_of(CLEAN, asked_isbn13="9780593099322")
    assert record is not None
    assert record.edition.isbn_13 == "9780441013593"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("Https://images.isbndb.com/a.jpg", "https://images.isbndb.com/a.jpg"),
        ("http://images.isbndb.com/a.jpg", "https://images.isbndb.com/a.jpg"),
        ("HTTP://images.isbndb.com/a.jpg?x=1&amp;y=2", "https://images.isbndb.com/a.jpg?x=1&y=2"),
        ("//images.isbndb.com/a.jpg", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://[", ""),
        ("https://a b/", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_cover(image: object, expected: str) -> None:
    """A cover is an https address or nothing."""
    assert expected == converted(image=image).edition.cover_uri


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        (309, 309),
        ("309", 309),
        ("xi, 309 p.", 309),
        ("1,309 pages", 1309),
        (309.0, 309),
        (-5, 0),
        ("", 0),
        (None, 0),
        (10**9, 0),
        (999_999, 0),
        ([309], 0),
    ],
)
def test_pages(pages: object, expected: int) -> None:
    """Pages are a plausible number or 0."""
    assert expected == converted(pages=pages).edition.page_count


@pytest.mark.parametrize(
    ("dewey", "expected"),
    [
        ("813.54", "813.54"),
        (["813.54", "9"], "813.54"),
        ("813/.54", "813.54"),
        (813.54, "813.54"),
        ("[Fic]", ""),
        ([], ""),
    ],
)
def test_dewey(dewey: object, expected: str) -> None:
    """Dewey's class comes as text, list or number, and only a class is taken."""
    found = [one.value for one in converted(dewey_decimal=dewey).edition.identifiers if one.scheme == "dewey_decimal"]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"synopsis": None, "synopsys": "Old <b>schema</b>"}, "Old schema"),
        ({"synopsis": "", "overview": "Overview"}, "Overview"),
        ({"synopsis": "Short", "overview": "A longer one"}, "A longer one"),
        ({"synopsis": {"type": "text"}}, ""),
    ],
)
def test_synopsis(fields: dict[str, Any], expected: str) -> None:
    """The longest text is the synopsis, whatever its field is called."""
    assert expected == converted(**fields).synopsis


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["PQ", "878", "PQ7297.G3", "QA 76.9", "QA76"], ()),
        (["Self Service", "Custom Stores", "Humor"], ("Humor",)),
        (["Art", "LAW", "法律"], ("Art", "LAW", "法律")),
        (["Subjects"], ()),
        ("Humor", ("Humor",)),
        ([None, 5, {}, ["x"], ""], ()),
        (None, ()),
    ],
)
def test_subjects(value: object, expected: tuple[str, ...]) -> None:
    """Numbers, shelf marks and departments of a shop are no subjects."""
    assert expected == subjects_of(value)


def test_language_of_japanese_title() -> None:
    """A Japanese title that is called English is Japanese."""
    assert converted(title="ノルウェイの森", title_long=None, language="en").edition.language == "ja"


@pytest.mark.parametrize("book", [None, [], "Dune", 5, {}, {"title": ""}, {"title": None, "isbn13": "9780441013593"}])
def test_no_book(book: object) -> None:
    """What has no title is no book."""
    assert record_of(book) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
HINTS = st.sampled_from(
    [
        "9780441013593",
        "<p",
        "&lt;br",
        "&#xD800;",
        "Https://[",
        "2015-13-99",
        "King, , Jr.",
        ", ",
        "~",
        "(#1",
        "(#1)",
        "\ud800",
    ]
)


@given(JSON)
def test_any_json_is_converted(value: object) -> None:
    """No JSON value in the place of a book makes the conversion raise."""
    record_of(value)


@given(st.fixed_dictionaries({}, optional={name: JSON | HINTS | st.lists(HINTS, max_size=3) for name in CLEAN}))
def test_any_field_is_converted(book: dict[str, Any]) -> None:
    """No value in any field of a book makes the conversion raise, and what comes of it is a work that can be sent."""
    record = record_of({"title": "Dune", **book})
    works = works_of([] if record is None else [record], author="Frank Herbert")
    assert all(work.SerializeToString() and work.title for work in works)
