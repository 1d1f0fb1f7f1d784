"""The books that surround real ones."""

import pytest

from sandbox.catalogue import Book, name_keys
from sandbox.derived import Kind, derive
from sandbox.isbn import check13, to10, to13
from sandbox.stock import Stock


def _isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"9781{number:08}{check13(f'9781{number:08}')}"


def _books(authors: int = 60, works: int = 6) -> list[Book]:
    """Some authors with some works each."""
    return [
        Book(isbn13=_isbn(at * works + of), title=f"Volume {at} {of}", authors=(f"Given Family{at}",), language="en")
        for at in range(authors)
        for of in range(works)
    ]


def test_every_isbn_is_valid_and_nobody_elses() -> None:
    """They clash neither with the catalogue nor with one another, and each has both lengths."""
    books = _books()
    derived = [it.book.isbn13 for it in derive(books)]
    assert (
        [to13(isbn) for isbn in derived],
        len({*derived, *(book.isbn13 for book in books)}),
        all(map(to10, derived)),
    ) == (
        derived,
        len(derived) + len(books),
        True,
    )


def test_they_are_the_same_in_every_run() -> None:
    """What there is hangs on the catalogue alone."""
    assert derive(_books()) == derive(_books())


@pytest.mark.parametrize("kind", list(Kind))
def test_there_are_some_of_each_kind_and_not_too_many(kind: Kind) -> None:
    """Sixty authors of six works have each kind around them, but fewer of it than real books."""
    found = sum(it.kind is kind for it in derive(_books()))
    assert 5 <= found <= 120


def test_only_sets_are_by_the_author() -> None:
    """A life is somebody else's work, and so is a guide; a set is the author's own."""
    for it in derive(_books()):
        own = name_keys(it.author) == name_keys(it.book.authors[0])
        assert own == (it.kind is Kind.SET), it


def test_a_book_without_an_author_has_nothing_around_it() -> None:
    """There is nobody to write about."""
    assert derive([Book(isbn13=_isbn(1), title="Title")]) == []


def test_each_provider_lacks_another_part() -> None:
    """The draws are independent: neither lacks what the other lacks, more often than chance has it."""
    stock = Stock(_books(authors=500))
    google, library = stock.lacking("google", 6), stock.lacking("open library", 9)
    count = len(stock.records)
    assert (
        0.04 < len(google) / count < 0.08,
        0.07 < len(library) / count < 0.11,
        len(google & library) / count < 0.02,
    ) == (True, True, True)
