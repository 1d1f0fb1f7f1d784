"""The only place that makes the books which surround real ones: about an author, study guides, sets in a box.

Google Books and Open Library are full of them, and a search that asks for the real thing must tell them apart. None of
them exists; which there are hangs on the catalogue alone, so that they are the same in every run.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sandbox.catalogue import Book, name_keys
from sandbox.dirt import draw, falls, falls_to, number
from sandbox.isbn import check13
from sandbox.text import fold

# How often each falls is in percent, and only roughly the wild's.
_LIFE_PERCENT = 35
_LIFE_WORKS = 2
_SECOND_LIFE_WORKS = 5
_GUIDE_PERCENT = 10
_SECOND_GUIDE_PERCENT = 3
_SET_PERCENT = 40
_SET_WORKS = 3

_LIVES = ("The Life of {author}", "{author}: A Biography", "Understanding {author}", "Conversations with {author}")
_GUIDES = (
    ("CliffsNotes on {title}", "CliffsNotes Editors"),
    ("{title}: A Study Guide", "Halcyon Study Press"),
    ("Summary of {title}", "Quick Reader Summaries"),
    ("{title} by {author}: A Teacher's Guide", "{author} Society"),
)
_SETS = ("The {author} Collection", "{titles} Box Set", "{titles}: Three Novels")
_FORENAMES = ("Harriet", "Leopold", "Miriam", "Jasper", "Odile", "Clement", "Ingrid", "Ambrose", "Tabitha", "Rufus")
_SURNAMES = ("Quillfeather", "Ashgrove-Pym", "Vandermolen", "Thistlewood", "Okonjola", "Marchbanksley", "Ravensworthy")
_FIRST_YEAR = 1985
_YEARS = 35


class Kind(Enum):
    """What a book is to the book or the author that it belongs to."""

    LIFE = "about an author"
    GUIDE = "study guide"
    SET = "box set"


@dataclass(frozen=True, slots=True)
class Derived:
    """A book that would not be there without others."""

    book: Book
    kind: Kind
    author: str
    """The author whom it is about, or whose works it explains or holds."""


def derive(books: Sequence[Book]) -> list[Derived]:
    """The books that surround a catalogue's, each with a valid ISBN that no other bears.

    Args:
        books: The catalogue.
    """
    taken = {book.isbn13 for book in books}
    found: list[Derived] = []
    for about in _plans(books):
        isbn13 = _free(f"{about.kind.value}:{about.book.title}:{about.author}", taken)
        taken.add(isbn13)
        found.append(Derived(_bound(about.book, isbn13), about.kind, about.author))
    return found


def _plans(books: Sequence[Book]) -> Iterator[Derived]:
    """What there will be, without ISBNs."""
    works: defaultdict[str, dict[str, Book]] = defaultdict(dict)
    for book in books:
        if book.authors:
            works[name_keys(book.authors[0])[0]].setdefault(fold(book.title), book)
    for key, titles in works.items():
        own = list(titles.values())
        author = own[0].authors[0]
        yield from _lives(key, author, own, works)
        read = [book for book in own if book.language in {"", "en"}]
        for book in read:
            yield from _guides(book, author)
        if len(read) >= _SET_WORKS and falls_to(key, "set", _SET_PERCENT):
            yield _set(key, author, read)


def _lives(key: str, author: str, own: Sequence[Book], known: Mapping[str, object]) -> Iterator[Derived]:
    """Books about an author who has some works, by somebody whom the catalogue does not know."""
    first = draw(key, "form of life")
    for at, least in enumerate((_LIFE_WORKS, _SECOND_LIFE_WORKS)):
        if len(own) < least or not falls_to(key, f"life {at}", _LIFE_PERCENT):
            continue
        who = number(key, f"biographer {at}")
        writer = f"{_FORENAMES[who % len(_FORENAMES)]} {_SURNAMES[who // 10 % len(_SURNAMES)]}"
        if name_keys(writer)[0] not in known:
            title = _LIVES[(first + at) % len(_LIVES)].format(author=author)
            subjects = (author, "Biography & Autobiography", "Literary Criticism")
            yield Derived(_english(title, (writer,), subjects), Kind.LIFE, author)


def _guides(book: Book, author: str) -> Iterator[Derived]:
    """What helps pupils with one book."""
    first = draw(book.isbn13, "form of guide")
    for at, percent in enumerate((_GUIDE_PERCENT, _SECOND_GUIDE_PERCENT)):
        if falls(book, f"guide {at}", percent):
            title, writer = _GUIDES[(first + at) % len(_GUIDES)]
            writers = (writer.format(author=author),)
            shown = title.format(title=book.title, author=author)
            yield Derived(_english(shown, writers, ("Study Aids", book.title)), Kind.GUIDE, author)


def _set(key: str, author: str, own: Sequence[Book]) -> Derived:
    """Three works of an author in one box, by the author."""
    chosen = sorted(own, key=lambda book: draw(book.isbn13, "in a set"))[:_SET_WORKS]
    form = _SETS[draw(key, "form of set") % len(_SETS)]
    title = form.format(author=author, titles=" / ".join(book.title for book in chosen))
    return Derived(_english(title, (author,), chosen[0].subjects), Kind.SET, author)


def _english(title: str, authors: Iterable[str], subjects: tuple[str, ...]) -> Book:
    """A book in English that has no ISBN yet."""
    return Book(isbn13="", title=title, authors=tuple(authors), language="en", subjects=subjects)


def _bound(book: Book, isbn13: str) -> Book:
    """The book with its ISBN, and with what hangs on that."""
    return Book(
        isbn13=isbn13,
        title=book.title,
        authors=book.authors,
        language=book.language,
        subjects=book.subjects,
        publisher=("Lantern Hill", "Gatehouse Press", "Northlight")[draw(isbn13, "house") % 3],
        year=_FIRST_YEAR + draw(isbn13, "year") % _YEARS,
        pages=48 + 7 * draw(isbn13, "pages"),
        binding="Paperback",
    )


def _free(name: str, taken: set[str]) -> str:
    """A valid ISBN-13 with an ISBN-10 beside it, the first that is free from where the name points to."""
    start = number(name, "isbn")
    for step in range(len(taken) + 1):
        body = f"9781{(start + step) % 10**8:08}"
        if (isbn13 := f"{body}{check13(body)}") not in taken:
            return isbn13
    raise ValueError(f"{len(taken)} books leave no ISBN free for {name}")
