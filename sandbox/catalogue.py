"""The only place that knows what a book of the sandbox is, and how the books are found."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sandbox.text import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One edition, as a clean catalogue would have it; what ISBNdb makes of it is the business of isbndb.py."""

    isbn13: str
    title: str
    subtitle: str = ""
    long_title: str = ""
    """The title with its series, where the catalogue writes it so; "" is title and subtitle."""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    year: int | None = None
    pages: int | None = None
    language: str = ""
    """ISO 639-1 where there is such a code, else ISO 639-2; "" is unknown."""
    binding: str = ""
    edition: str = ""
    dewey: str = ""
    price: str = ""
    """US dollars with two decimals, or ""."""
    subjects: tuple[str, ...] = ()
    summary: str = ""
    aliases: tuple[str, ...] = ()
    """Other spellings of the title and of the authors' names: romanized ones."""
    work: str = ""
    """Equal for the editions of one work; "" when the catalogue does not tell."""


@dataclass(slots=True)
class Catalogue:
    """All books, found by ISBN, author, publisher, subject and words. Built once, then only read."""

    books: Sequence[Book]
    _by_isbn: dict[str, Book] = field(default_factory=dict)
    _by_name: dict[str, dict[str, list[Book]]] = field(default_factory=dict)
    _spellings: dict[str, dict[str, str]] = field(default_factory=dict)
    _shown: dict[str, dict[str, str]] = field(default_factory=dict)
    _by_work: dict[str, list[Book]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fills the indexes."""
        names: dict[str, defaultdict[str, dict[str, Book]]] = {kind: defaultdict(dict) for kind in _KINDS}
        shown: dict[str, defaultdict[str, Counter[str]]] = {kind: defaultdict(Counter) for kind in _KINDS}
        spelt: dict[str, defaultdict[str, Counter[str]]] = {kind: defaultdict(Counter) for kind in _KINDS}
        works: defaultdict[str, list[Book]] = defaultdict(list)
        for book in self.books:
            self._by_isbn[book.isbn13] = book
            if book.work:
                works[book.work].append(book)
            for kind, values in _names(book).items():
                for value in values:
                    shown[kind][fold(value)][value] += 1
                    for key in name_keys(value):
                        names[kind][key][book.isbn13] = book
                        spelt[kind][key][value] += 1
            for alias in book.aliases:
                for key in name_keys(alias):
                    names["authors"][key][book.isbn13] = book
        self._by_work = dict(works)
        self._by_name = {kind: {key: list(found.values()) for key, found in names[kind].items()} for kind in _KINDS}
        self._spellings = {kind: {key: _commonest(found) for key, found in spelt[kind].items()} for kind in _KINDS}
        self._shown = {kind: {key: _commonest(found) for key, found in sorted(shown[kind].items())} for kind in _KINDS}

    def by_isbn(self, isbn13: str) -> Book | None:
        """The book of an ISBN-13, or None."""
        return self._by_isbn.get(isbn13)

    def editions(self, book: Book) -> list[Book]:
        """The other editions of the same work."""
        return [other for other in self._by_work.get(book.work, ()) if other.isbn13 != book.isbn13]

    def named(self, kind: str, name: str) -> list[Book]:
        """The books of one author, publisher or subject, however its name is spelt.

        Args:
            kind: "authors", "publishers" or "subjects".
            name: Any case, any accents, words in any order, initials left out or not.
        """
        exact, *loose = name_keys(name)
        found = self._by_name[kind].get(exact)
        return found if found is not None else next((hit for key in loose if (hit := self._by_name[kind].get(key))), [])

    def shown(self, kind: str, name: str) -> str:
        """The spelling that the catalogue uses most for a name, or the name itself when it is only an alias."""
        return next((hit for key in name_keys(name) if (hit := self._spellings[kind].get(key))), name)

    def names(self, kind: str, query: str = "") -> list[str]:
        """The names of a kind that hold every word of the query, in alphabetical order of their folded form."""
        words = fold(query).split()
        return [name for key, name in self._shown[kind].items() if all(word in key for word in words)]


_KINDS = ("authors", "publishers", "subjects")


def _names(book: Book) -> dict[str, tuple[str, ...]]:
    """The names under which a book is found, by kind."""
    return {
        "authors": book.authors,
        "publishers": (book.publisher,) if book.publisher else (),
        "subjects": book.subjects,
    }


def name_keys(name: str) -> list[str]:
    """The forms under which a name is kept and asked for, the strictest first.

    Words in order of the alphabet, so that "King, Stephen" meets "Stephen King"; then without initials, so that
    "Ursula Le Guin" meets "Ursula K. Le Guin"; then without spaces, for names in Han characters.
    """
    words = fold(name).split()
    if not words:
        return [""]
    keys = [" ".join(sorted(words))]
    spoken = [word for word in fold(name, join_initials=False).split() if len(word) > 1 or not word.isascii()]
    if len(spoken) > 1 and spoken != words:
        keys.append(" ".join(sorted(spoken)))
    if any(unicodedata.category(char) == "Lo" for char in name):
        keys.append("".join(words))
    return keys


def _commonest(spelt: Counter[str]) -> str:
    """The spelling used most, the first of the alphabet among equals."""
    return min(spelt, key=lambda name: (-spelt[name], name))


def load(books: Iterable[Book]) -> Catalogue:
    """A catalogue of the books; a later book of the same ISBN replaces an earlier one."""
    return Catalogue(list({book.isbn13: book for book in books}.values()))
