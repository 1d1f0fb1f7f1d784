"""The only place that decides what is asked for a book and for an author. Pure."""

import enum
import unicodedata
from collections.abc import Sequence
from typing import Protocol

import msgspec

QUERY_LENGTH = 512
"""Characters of a query that the proxy takes, by its contract."""


class SearchKind(enum.Enum):
    """What a search is made of."""

    ISBN = "isbn"
    TITLE = "title"
    """A title, with the author where one is known."""
    AUTHOR = "author"


class Search(msgspec.Struct, frozen=True, array_like=True):
    """A search that a job has to settle."""

    kind: SearchKind
    """What it is made of."""
    q: str
    """What the proxy is asked."""
    author: str = ""
    """Whose bibliography covers it, for a title; empty where nobody's does."""

    @property
    def key(self) -> str:
        """Equal for what is the same search beyond doubt: in letters of another case, or with other blanks.

        Spellings that differ in more are two searches: only the proxy knows which texts share a key, and whoever types
        the second must find an answer as well.
        """
        return folded(self.q)


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
    author = book.authors[0] if book.authors else ""
    suffix = f" by {author}" if author else ""
    room = QUERY_LENGTH - len(suffix)
    if room <= 0:
        # An author beyond all measure goes, a title beyond all measure is cut: some answer is better than a refusal.
        return Search(SearchKind.TITLE, book.title[:QUERY_LENGTH])
    return Search(SearchKind.TITLE, book.title[:room] + suffix, author)


def author_search(name: str) -> Search:
    """The search for somebody who wrote a book."""
    return Search(SearchKind.AUTHOR, name[:QUERY_LENGTH])


def folded(text: str) -> str:
    """A text without regard to case and blanks."""
    if text.isascii():
        # The same as below, and much faster for most of the world's libraries.
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
