"""What is asked about a catalogue: the only place that makes the searches, and says what each must find."""

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.quality.judging import Judge, Shelf, all_by, place_of, place_of_isbn
from bench.quality.slips import mistyped, other_case, surname_first, without_accents
from sandbox.catalogue import Book
from sandbox.isbn import to10

MOST_RESULTS = 100
"""Results of a search that asks whether a book is there at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One search, and what it must find."""

    case: str
    """Which case it belongs to, by its name in `expectations`."""
    text: str
    """What is typed."""
    judge: Judge
    """Where what is sought stands in the answer."""
    language: str = "en"
    """The language asked for."""
    max_results: int = 10
    """Results asked for."""


def probes(books: Sequence[Book], count: int, seed: int) -> list[Probe]:
    """The searches of every case.

    Args:
        books: the catalogue.
        count: searches of a case at most; by seed it is chosen which.
        seed: where chance begins.
    """
    shelf = Shelf(books)
    found: list[Probe] = []
    for name, make in _CASES.items():
        chance = random.Random(f"{seed}:{name}")  # noqa: S311 -- the same searches again, not a secret
        of_case = make(shelf, chance)
        made: list[Probe] = []
        while len(made) < count and (probe := next(of_case, None)):
            made.append(probe)
        found += made
    return found


def _shuffled(books: Sequence[Book], chance: random.Random) -> Iterator[Book]:
    yield from chance.sample(books, len(books))


def _language(book: Book) -> str:
    return book.language if len(book.language) in (2, 3) else "en"


def _of_titles(
    case: str, change: Callable[[Book, random.Random], str]
) -> Callable[[Shelf, random.Random], Iterator[Probe]]:
    def make(shelf: Shelf, chance: random.Random) -> Iterator[Probe]:
        for book in _shuffled(shelf.books, chance):
            text = change(book, chance)
            if text:
                yield Probe(case=case, text=text, judge=place_of(shelf.twins(book)), language=_language(book))

    return make


def _with_series(book: Book, chance: random.Random) -> str:
    """As the catalogue has it; where it names no series, one that a reader might write."""
    series = book.title.split()[-1].strip("()[].,:;!?")
    return book.long_title or f"{book.title} ({series} Cycle, #{chance.randint(1, 9)})"


def _plain(book: Book, _: random.Random) -> str:
    plain = without_accents(book.title)
    return plain if plain != book.title and _is_latin(plain) else ""


def _cased(book: Book, chance: random.Random) -> str:
    text = other_case(book.title, chance)
    return text if text != book.title else ""


def _mistyped(book: Book, chance: random.Random) -> str:
    text = mistyped(book.title, chance)
    return text if text != book.title else ""


def _titles_and_authors(shelf: Shelf, chance: random.Random) -> Iterator[Probe]:
    for book in _shuffled(shelf.books, chance):
        if book.authors:
            twins = [twin for twin in shelf.twins(book) if set(twin.authors) & set(book.authors)]
            text = f"{book.title} by {book.authors[0]}"
            yield Probe(case="title by author", text=text, judge=place_of(twins), language=_language(book))


def _of_authors(case: str, change: Callable[[str], str]) -> Callable[[Shelf, random.Random], Iterator[Probe]]:
    def make(shelf: Shelf, chance: random.Random) -> Iterator[Probe]:
        asked: set[str] = set()
        for book in _shuffled(shelf.books, chance):
            for author in book.authors[:1]:
                text = change(author)
                if text and text not in asked:
                    asked.add(text)
                    judge = all_by(author, shelf.title_count(author, _language(book)))
                    yield Probe(case=case, text=text, judge=judge, language=_language(book))

    return make


def _isbns(shelf: Shelf, chance: random.Random) -> Iterator[Probe]:
    for book in _shuffled(shelf.books, chance):
        text = chance.choice(isbn_forms(book.isbn13))
        # A book is found by its ISBN whatever language is asked for.
        yield Probe(case="ISBN", text=text, judge=place_of_isbn(book.isbn13))


def isbn_forms(isbn13: str) -> list[str]:
    """The ways of writing an ISBN: both lengths where there are two, with hyphens and without."""
    forms = [isbn13, f"{isbn13[:3]}-{isbn13[3]}-{isbn13[4:8]}-{isbn13[8:12]}-{isbn13[12]}"]
    if isbn10 := to10(isbn13):
        forms += [isbn10, f"{isbn10[0]}-{isbn10[1:5]}-{isbn10[5:9]}-{isbn10[9]}"]
    return forms


def _foreign(shelf: Shelf, chance: random.Random) -> Iterator[Probe]:
    for book in _shuffled(shelf.books, chance):
        if not _is_latin(book.title):
            judge = place_of(shelf.twins(book))
            yield Probe(case="other scripts", text=book.title, judge=judge, language=_language(book))
        for author in book.authors[:1]:
            if not _is_latin(author):
                judge = all_by(author, shelf.title_count(author, _language(book)))
                yield Probe(case="other scripts", text=author, judge=judge, language=_language(book))


def _is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return all(unicodedata.name(char, "").startswith("LATIN") for char in letters)


def _there_at_all(shelf: Shelf, chance: random.Random) -> Iterator[Probe]:
    for book in _shuffled(shelf.books, chance):
        for text, judge in ((book.title, place_of([book])), (book.isbn13, place_of_isbn(book.isbn13))):
            yield Probe(case="there at all", text=text, judge=judge, language=_language(book), max_results=MOST_RESULTS)


_CASES: dict[str, Callable[[Shelf, random.Random], Iterator[Probe]]] = {
    "title": _of_titles("title", lambda book, _: book.title),
    "title with series": _of_titles("title with series", _with_series),
    "title without accents": _of_titles("title without accents", _plain),
    "title in another case": _of_titles("title in another case", _cased),
    "title with an error": _of_titles("title with an error", _mistyped),
    "title by author": _titles_and_authors,
    "author": _of_authors("author", str),
    "author, surname first": _of_authors("author, surname first", surname_first),
    "author, small letters": _of_authors("author, small letters", str.lower),
    "ISBN": _isbns,
    "other scripts": _foreign,
    "there at all": _there_at_all,
}
"""How the searches of each case are made, in the order of the table."""
