from typing import Any

import pytest
from bookmesh.type.v1.book_pb2 import WORK_KIND_NOT_A_BOOK, WORK_KIND_UNSPECIFIED, Author, Work
from stdnum import ean

from services.isbndb.convert import Record, record_of
from services.isbndb.works import trim, works_of

SERIAL = iter(range(100_000))


def book(title: str = "Dune", *authors: str, **fields: Any) -> Record:
    """The record of a book that has an ISBN of its own, unless it is given one."""
    stem = f"978044{next(SERIAL):06}"
    isbn13 = stem + ean.calc_check_digit(stem)
    record = record_of({"title": title, "authors": list(authors or ("Frank Herbert",)), "isbn13": isbn13, **fields})
    assert record is not None
    return record


def titles(*records: Record, author: str = "") -> list[tuple[str, int]]:
    """Title and number of editions of each work."""
    return [(work.title, len(work.editions)) for work in works_of(records, author=author)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([book("Dune"), book("dune (Dune Chronicles, #1)"), book("Dune: A Novel")], [("Dune", 3)]),
        ([book("Dune"), book("Dune Messiah")], [("Dune", 1), ("Dune Messiah", 1)]),
        ([book("It", "Stephen King"), book("It", "Alexa Chung")], [("It", 1), ("It", 1)]),
        ([book("It", "Stephen King"), book("It", "King, Stephen")], [("It", 2)]),
        ([book("Sapiens"), book("Sapiens: A Brief History of Humankind")], [("Sapiens", 2)]),
        (
            [book("Mistborn"), book("Mistborn: The Final Empire"), book("Mistborn: The Well of Ascension")],
            [("Mistborn", 1), ("Mistborn: The Final Empire", 1), ("Mistborn: The Well of Ascension", 1)],
        ),
        ([book("雪国", "川端 康成"), book("山の音", "川端 康成")], [("雪国", 1), ("山の音", 1)]),
        ([], []),
    ],
)
def test_grouping(records: list[Record], expected: list[tuple[str, int]]) -> None:
    """Editions of one title and author are one work, in the order in which their first ones came; others are not."""
    assert expected == titles(*records)


def test_same_isbn_is_one_edition() -> None:
    """An edition that comes twice is there once."""
    assert titles(book(isbn13="9780441013593"), book(isbn13="9780441013593")) == [("Dune", 1)]


def test_books_without_isbn_stay_apart() -> None:
    """Editions that have no ISBN are not taken for one another."""
    assert titles(book(isbn13=""), book(isbn13="", publisher="Other")) == [("Dune", 2)]


def test_page_author_fills_gap() -> None:
    """On an author's page an edition that names nobody is that author's, and belongs to the same work."""
    nameless = book(authors=None)
    assert works_of([nameless, book()], author="Frank Herbert")[0].authors == [Author(name="Frank Herbert")]
    assert titles(nameless, book(), author="Frank Herbert") == [("Dune", 2)]


def test_first_year_is_the_least() -> None:
    """The year of a work is that of its earliest edition; those without a year say nothing."""
    works = works_of([book(date_published="2005"), book(date_published=1965), book()])
    assert works[0].first_publication_year == 1965


def test_print_stands_first() -> None:
    """Print comes before what is not known, before e-books, recordings and films; the fullest record first."""
    given = [
        book(publisher="film", binding="DVD"),
        book(publisher="sound", binding="Audio CD"),
        book(publisher="file", binding="Kindle Edition"),
        book(publisher="unsaid"),
        book(publisher="thin", binding="Paperback"),
        book(publisher="full", binding="Hardcover", pages=500, language="en"),
    ]
    order = [edition.publisher for edition in works_of(given)[0].editions]
    assert order == ["full", "thin", "unsaid", "file", "sound", "film"]


def test_order_among_equals_is_kept() -> None:
    """Editions whose records are equally good stand as ISBNdb gave them."""
    order = [edition.publisher for edition in works_of([book(publisher=name) for name in "cab"])[0].editions]
    assert order == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        (["DVD"], WORK_KIND_NOT_A_BOOK),
        (["DVD", "Paperback"], WORK_KIND_UNSPECIFIED),
        (["Audio CD"], WORK_KIND_UNSPECIFIED),
    ],
)
def test_kind(bindings: list[str], expected: int) -> None:
    """A work of which there is no book at all is marked as none; a recording of a book is one."""
    assert expected == works_of([book(binding=binding) for binding in bindings])[0].kind


def test_edition_has_own_title_only_where_it_differs() -> None:
    """An edition bears a title only where the work has another."""
    work = works_of([book("Sapiens: A Brief History of Humankind", pages=1), book("Sapiens")])[0]
    assert [edition.title for edition in work.editions] == ["Sapiens: A Brief History of Humankind", ""]


def test_subjects_are_gathered() -> None:
    """The subjects of all editions are the work's, each once, spelt as the best edition does."""
    works = works_of([book(subjects=["deserts", "Spice"]), book(subjects=["Deserts"], binding="Paperback")])
    assert list(works[0].subjects) == ["Deserts", "Spice"]


def test_id_is_stable() -> None:
    """The id of a work is the same in whatever edition, order and company it is met."""
    alone = works_of([book("The Dune", "Herbert, Frank")])[0].id
    in_company = works_of([book("Other"), book("DUNE (Dune, #1)", binding="DVD")])[1].id
    assert (alone, in_company) == ("w2e5b1121f4b1ccb2e4b1", "w2e5b1121f4b1ccb2e4b1")


def test_ids_differ() -> None:
    """Two works never share an id."""
    assert len({work.id for work in works_of([book("Dune"), book("Dune", "Someone Else"), book("Dune 2")])}) == 3


@pytest.mark.parametrize(("limit", "expected"), [(10_000, 900), (4_700, 500), (1_000, 100), (50, 0)])
def test_trim(limit: int, expected: int) -> None:
    """Synopses are cut as far as the size of a message calls for, and no further."""
    works = [Work(title=str(number), synopsis="x" * 900) for number in range(9)]
    trim(works, limit)
    assert [len(work.synopsis) for work in works] == [expected] * 9
