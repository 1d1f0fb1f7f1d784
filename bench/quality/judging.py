"""The only place that says whether an answer is right, by rules of its own: none of what it judges is used here."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse
from bookmesh.type.v1.book_pb2 import Work

from sandbox.catalogue import Book, name_keys
from sandbox.text import fold

FIRST_TEN = 10
"""Works of an author's that are looked at."""

Judge = Callable[[SearchAutoResponse], int]
"""The place of what was sought among the results, from 0; -1 where it is not there."""

_BRACKETED = re.compile(r"\s*\([^()]*\)\s*$")
"""What a publisher adds: "(Movie Tie-In Edition)". A work may be called without it."""

_ARTICLE = re.compile(r"^(?:the|an?) (?=.)")


@dataclass(slots=True)
class Shelf:
    """The books of a catalogue by title and by author."""

    books: Sequence[Book]
    _titled: dict[str, list[Book]] = field(default_factory=lambda: defaultdict(list))
    _titles_by: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """Fills the indexes."""
        for book in self.books:
            self._titled[title_form(book.title)].append(book)
            for author in book.authors:
                for key in name_keys(author):
                    self._titles_by[key, book.language].add(title_form(book.title))

    def twins(self, book: Book) -> list[Book]:
        """All books of this very title, the book itself among them: nothing in a title tells them apart."""
        return self._titled[title_form(book.title)]

    def title_count(self, author: str, language: str) -> int:
        """How many titles there are by an author in a language, under the name as it is written, in any order."""
        key = name_keys(author)[0]
        return len(self._titles_by[key, language] | self._titles_by[key, ""])


def title_form(text: str) -> str:
    """Equal for spellings of one title."""
    return _ARTICLE.sub("", fold(text)) or text.strip().casefold()


def same_name(name: str, other: str) -> bool:
    """Whether two names are one, in any order, initials left out or not."""
    return not set(name_keys(name)).isdisjoint(name_keys(other))


def is_book(work: Work, book: Book) -> bool:
    """Whether a work is the work of a book: its title, and its author or its ISBN.

    A record may have lost its authors, so its ISBN will do for them; nothing will do for the title.
    """
    titles = {title_form(text) for text in (work.title, f"{work.title} {work.subtitle}")}
    titles |= _other_titles(work)
    forms = (book.title, f"{book.title} {book.subtitle}", book.long_title, _BRACKETED.sub("", book.title))
    wanted = {title_form(text) for text in forms if text}
    if titles.isdisjoint(wanted):
        return False
    return any(edition.isbn_13 == book.isbn13 for edition in work.editions) or any(
        same_name(author.name, other) for author in work.authors for other in book.authors
    )


def place_of(books: Sequence[Book]) -> Judge:
    """Judges by the first result that is any of some books."""

    def judge(answer: SearchAutoResponse) -> int:
        found = (at for at, work in enumerate(answer.results) if any(is_book(work, book) for book in books))
        return next(found, -1)

    return judge


def place_of_isbn(isbn13: str) -> Judge:
    """Judges by the first result that has an edition of an ISBN as its first edition."""

    def judge(answer: SearchAutoResponse) -> int:
        found = (at for at, work in enumerate(answer.results) if any(e.isbn_13 == isbn13 for e in work.editions))
        place = next(found, -1)
        return place if place < 0 or answer.results[place].editions[0].isbn_13 == isbn13 else -1

    return judge


def all_by(author: str, title_count: int) -> Judge:
    """Judges 0 where the first ten are all by an author, or as many as hold all titles of the author's; else -1.

    What comes after the last of the author's own works may be about the author. A work may go by several titles.
    """

    def judge(answer: SearchAutoResponse) -> int:
        own = list(takewhile(lambda work: any(same_name(author, other.name) for other in work.authors), answer.results))
        titles = sum(len({title_form(work.title), *_other_titles(work)}) for work in own)
        return 0 if own and (len(own) >= FIRST_TEN or titles >= title_count) else -1

    return judge


def _other_titles(work: Work) -> set[str]:
    return {title_form(edition.title) for edition in work.editions if edition.title}
