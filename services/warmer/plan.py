"""The only place that decides which searches warm a library, in which order, and in which batches. Pure."""

import enum
import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bookmesh.warmer.v1.warmer_service_pb2 import (
    STRATEGY_AUTHOR_FIRST,
    STRATEGY_HYBRID,
    STRATEGY_ISBN,
    STRATEGY_UNSPECIFIED,
    Strategy,
)

QUERY_LENGTH = 512
"""Characters of a query that the proxy takes, by its contract."""

ISBN_BATCH = 1_000
"""Searches by ISBN in one batch: as many as one bulk look-up covers, so a large batch costs the fewest calls."""

TEXT_BATCH = 20
"""Searches by text in one batch: each costs calls of its own, and a crash costs at most the batch in hand."""


class SearchKind(enum.Enum):
    """What a search is made of."""

    ISBN = "isbn"
    TITLE = "title"
    AUTHOR = "author"


@dataclass(frozen=True, slots=True)
class Search:
    """A search that a job has to settle."""

    kind: SearchKind
    """What it is made of."""
    q: str
    """What the proxy is asked."""

    @property
    def key(self) -> tuple[SearchKind, str]:
        """Equal for what is the same search beyond doubt: in letters of another case, or with other blanks.

        Spellings that differ in more are two searches: only the proxy knows which texts share a key, and whoever types
        the second must find an answer as well.
        """
        return self.kind, _folded(self.q)


class Wanted(Protocol):
    """A book as a library has it; what is not known is empty."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def authors(self) -> Sequence[str]:
        """Who wrote it."""

    @property
    def isbn13(self) -> str:
        """Its ISBN-13, proven by its check digit."""


def book_search(book: Wanted) -> Search | None:
    """The search for a book: its ISBN, else its title and first author; None for one that has neither ISBN nor title.

    The text reads "title by author", which is what a person types and the proxy can take apart.
    """
    if book.isbn13:
        return Search(SearchKind.ISBN, book.isbn13)
    if not book.title:
        return None
    author = f" by {book.authors[0]}" if book.authors else ""
    room = QUERY_LENGTH - len(author)
    # An author beyond all measure goes, a title beyond all measure is cut: some answer is better than a refusal.
    return Search(SearchKind.TITLE, book.title[:room] + author if room > 0 else book.title[:QUERY_LENGTH])


def author_searches(authors: Iterable[str]) -> list[Search]:
    """The searches for people who wrote a book."""
    return [Search(SearchKind.AUTHOR, author[:QUERY_LENGTH]) for author in authors]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job does, in its order."""

    searches: Sequence[Search]
    """Each once."""
    batches: Sequence[range]
    """Which searches are asked for together, and checkpointed together; every search is in one batch."""

    def digest(self) -> str:
        """A hash that tells whether two plans are the same; a checkpoint is only worth anything with its own plan."""
        digest = hashlib.sha256()
        for batch in self.batches:
            digest.update(b"%d\n" % len(batch))
        for search in self.searches:
            digest.update(f"{search.kind.value}\0{search.q}\n".encode())
        return digest.hexdigest()

    def count(self, kind: SearchKind) -> int:
        """Searches of a kind."""
        return sum(search.kind is kind for search in self.searches)


def plan_of(books: Iterable[Wanted], strategy: Strategy.ValueType) -> Plan:
    """The searches for a library.

    ISBN asks for each book, AUTHOR_FIRST for each author and then each book, HYBRID, which is the default, for each
    book and then each author. Books with an ISBN come before those without, since one look-up covers a thousand of
    them. A row that names nothing but authors is asked for by them, whatever the strategy.

    Args:
        books: in the library's order; duplicates cost nothing.
        strategy: a value that the contract knows.

    Raises:
        ValueError: the strategy is unknown.
    """
    if strategy not in _ORDERS:
        raise ValueError(f"{strategy} is no strategy")
    found: dict[SearchKind, dict[str, Search]] = {kind: {} for kind in SearchKind}
    known: set[str] = set()
    for book in books:
        search = book_search(book)
        if search is not None:
            found[search.kind].setdefault(search.key[1], search)
        if search is None or strategy != STRATEGY_ISBN:
            # Most authors stand in many rows, and comparing spellings costs more than knowing one.
            for author in author_searches(name for name in book.authors if name not in known):
                known.add(author.q)
                found[SearchKind.AUTHOR].setdefault(author.key[1], author)
    searches: list[Search] = []
    batches: list[range] = []
    for kind in _ORDERS[strategy]:
        start = len(searches)
        searches += found[kind].values()
        size = ISBN_BATCH if kind is SearchKind.ISBN else TEXT_BATCH
        batches += [range(at, min(at + size, len(searches))) for at in range(start, len(searches), size)]
    return Plan(searches, batches)


def _folded(text: str) -> str:
    if text.isascii():
        # The same as below, and much faster for most of the world's libraries.
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


_BOOKS_FIRST = (SearchKind.ISBN, SearchKind.TITLE, SearchKind.AUTHOR)
_ORDERS: dict[Strategy.ValueType, Sequence[SearchKind]] = {
    STRATEGY_UNSPECIFIED: _BOOKS_FIRST,
    STRATEGY_ISBN: _BOOKS_FIRST,
    STRATEGY_HYBRID: _BOOKS_FIRST,
    STRATEGY_AUTHOR_FIRST: (SearchKind.AUTHOR, SearchKind.ISBN, SearchKind.TITLE),
}
