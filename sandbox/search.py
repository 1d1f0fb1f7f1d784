"""The only place that decides which books answer a search of words."""

from collections.abc import Callable, Sequence

from sandbox.catalogue import Book
from sandbox.text import fold

COLUMNS = ("", "title", "author", "subject", "subjects", "date_published")
"""What `column` may be: one field, or "" for all."""


def _title(book: Book) -> str:
    return f"{book.title} {book.subtitle}"


def _authors(book: Book) -> str:
    return " ".join(book.authors)


_TEXTS: dict[str, Callable[[Book], str]] = {
    "title": lambda book: " ".join([_title(book), *book.aliases[:1]]),
    "author": lambda book: " ".join([_authors(book), *book.aliases]),
    "subject": lambda book: " ".join(book.subjects),
    "subjects": lambda book: " ".join(book.subjects),
    "date_published": lambda book: str(book.year or ""),
    "": lambda book: " ".join(
        [_title(book), _authors(book), *book.aliases, book.publisher, *book.subjects, book.isbn13],
    ),
}


class Search:
    """Word search over a catalogue; folds every book's text once, when a column is first asked for."""

    def __init__(self, books: Sequence[Book]) -> None:
        self._books = books
        self._folded: dict[str, list[tuple[str, frozenset[str]]]] = {}

    def find(self, query: str, *, column: str = "", match_all: bool = False) -> list[Book]:
        """The books that hold the query's words in a column, those with most of them first.

        Args:
            query: Words, case and accents aside.
            column: One of COLUMNS.
            match_all: Every word must be there; else one is enough, which floods as ISBNdb's does.
        """
        words = fold(query).split()
        if not words:
            return []
        hits = [
            (-count, at)
            for at, text in enumerate(self._texts(column))
            if (count := sum(_holds(text, word) for word in words)) >= (len(words) if match_all else 1)
        ]
        return [self._books[at] for _, at in sorted(hits)]

    def _texts(self, column: str) -> list[tuple[str, frozenset[str]]]:
        """The folded text of every book, whole and as words."""
        if column not in self._folded:
            folded = (fold(_TEXTS[column](book)) for book in self._books)
            self._folded[column] = [(text, frozenset(text.split())) for text in folded]
        return self._folded[column]


def _holds(text: tuple[str, frozenset[str]], word: str) -> bool:
    """A word is there whole; in scripts without spaces it is there anywhere."""
    return word in text[1] or (not word.isascii() and word in text[0])
