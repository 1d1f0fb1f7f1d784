"""The only place that holds what Google Books and Open Library choose from: books, those around them, and words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sandbox.catalogue import Book
from sandbox.derived import Kind, derive
from sandbox.dirt import draw, falls
from sandbox.inverted import Index
from sandbox.isbn import to13
from sandbox.spelling import Vocabulary

FIELDS = ("title", "author", "about", "publisher", "subject", "other")
"""Where a record's words stand; "about" holds the author whom a book is about, "other" whatever else it tells."""

_BEST_POPULARITY = 99


@dataclass(frozen=True, slots=True)
class Record:
    """One edition that a provider may hold."""

    number: int
    book: Book
    kind: Kind | None = None
    """What it is to another book; None is a book of the catalogue."""
    author: str = ""
    """The author whom a derived book goes back to."""

    @property
    def popularity(self) -> float:
        """From 0 to 1, by a draw: neither source of the sandbox's books tells it for all of them."""
        return draw(self.book.isbn13, "popularity") / _BEST_POPULARITY


class Stock:
    """The catalogue with all that surrounds it. Built once, then only read; each provider lacks a part of it."""

    def __init__(self, books: Sequence[Book]) -> None:
        """Derives and indexes; some seconds for fifty thousand books.

        Args:
            books: The catalogue.
        """
        real = [Record(number, book) for number, book in enumerate(books)]
        derived = derive(books)
        self.records = [
            *real,
            *(Record(len(real) + at, it.book, it.kind, it.author) for at, it in enumerate(derived)),
        ]
        self.index = Index(FIELDS)
        self._by_isbn = {record.book.isbn13: record for record in self.records}
        for record in self.records:
            for field, parts in _texts(record).items():
                self.index.add(record.number, field, parts)
        self.vocabulary = Vocabulary({word for field in FIELDS for word in self.index.words(field)})

    def by_isbn(self, isbn: str) -> Record | None:
        """The record of an ISBN of either length, or None."""
        return self._by_isbn.get(to13(isbn))

    def lacking(self, provider: str, percent: int) -> frozenset[int]:
        """The records that a provider does not hold, each by a draw of its own.

        Args:
            provider: Whose draw it is, so that what one lacks another may have.
            percent: How many of a hundred it lacks.
        """
        return frozenset(record.number for record in self.records if falls(record.book, f"{provider} lacks", percent))

    def covered(self, number: int, words: Collection[str]) -> float:
        """The share of a title's words that are among those of a query."""
        title = self.index.text("title", number)
        return sum(word in words for word in title) / len(title) if title else 0.0


def _texts(record: Record) -> dict[str, Iterable[str]]:
    """The parts of a record's fields."""
    book = record.book
    return {
        "title": (book.title, book.subtitle),
        "author": book.authors,
        "about": (record.author,) if record.kind is Kind.LIFE else (),
        "publisher": (book.publisher,),
        "subject": book.subjects,
        "other": (book.long_title, book.summary, *book.aliases),
    }
