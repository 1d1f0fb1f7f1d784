"""The only place that makes works and authors of editions, as Open Library keeps them, with keys of their own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sandbox.catalogue import Book, name_keys
from sandbox.derived import Kind
from sandbox.dirt import falls, falls_to, number
from sandbox.respelling import respelt, romanized
from sandbox.stock import Record, Stock
from sandbox.text import fold

LACKS_PERCENT = 9
"""How many of a hundred books Open Library does not have."""

_RESPELT_PERCENT = 8
_CREDITED_PERCENT = {Kind.GUIDE: 30, Kind.LIFE: 15}
"""How many books about an author, or explaining one, name that author among their own."""
_FIRST_KEY = 10_000
_KEYS = 40_000_000
_NAMES_KEPT = 100_000


@dataclass(slots=True)
class Author:
    """One author; two who are spelt alike are one, and one who is spelt in two ways may be two."""

    key: str
    """OL...A, without a path before it."""
    name: str
    """As Open Library spells it."""
    others: tuple[str, ...]
    """Other spellings that it knows."""
    works: list["Work"] = field(default_factory=list)


@dataclass(slots=True)
class Work:
    """One work with all its editions that are held."""

    number: int
    key: str
    """OL...W."""
    editions: list[Record]
    """The first published first."""
    authors: list[Author] = field(default_factory=list)

    @property
    def main(self) -> Book:
        """The edition whose title the work bears."""
        return self.editions[0].book


class Shelves:
    """What Open Library holds of a stock. Built once, then only read."""

    def __init__(self, stock: Stock) -> None:
        """Draws what is lacking, and joins editions to works."""
        lacks = stock.lacking("open library", LACKS_PERCENT)
        self.works: list[Work] = []
        self.authors: dict[str, Author] = {}
        self.editions: dict[str, Record] = {}
        self.work_of: dict[int, Work] = {}
        self._by_name: dict[str, Author] = {}
        self._edition_keys: dict[int, str] = {}
        work_keys: dict[str, Work] = {}
        for identity, editions in _grouped([record for record in stock.records if record.number not in lacks]).items():
            work = Work(len(self.works), _key(identity, "W", work_keys), _sorted(editions))
            work_keys[work.key] = work
            self.works.append(work)
            for record in editions:
                self.work_of[record.number] = work
                key = _key(record.book.isbn13, "M", self.editions)
                self.editions[key] = record
                self._edition_keys[record.number] = key
            for name in _credited(work.editions[0]):
                self._credit(work, name)
        self.by_key = work_keys

    def edition_key(self, record: Record) -> str:
        """OL...M of an edition that is held."""
        return self._edition_keys[record.number]

    def _credit(self, work: Work, name: str) -> None:
        """Puts a work under an author, who is made when first met."""
        known = _identity(name)
        author = self._by_name.get(known)
        if author is None:
            latin = romanized(work.main) if name == next(iter(work.main.authors), "") else ""
            shown = respelt(name, "open library name", _RESPELT_PERCENT, latin)
            author = Author(_key(known, "A", self.authors), shown, _spellings(name, shown, latin))
            self._by_name[known] = self.authors[author.key] = author
        if author not in work.authors:
            work.authors.append(author)
            author.works.append(work)


def _grouped(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The editions of each work: by the catalogue's word where it has one, else by author and title."""
    works: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        book = record.book
        author = _identity(book.authors[0]) if book.authors else ""
        works[f"work {book.work}" if book.work else f"{author}: {fold(book.title)}"].append(record)
    return works


@lru_cache(maxsize=_NAMES_KEPT)
def _identity(name: str) -> str:
    """What two spellings of one author have in common: the words, in any order."""
    return name_keys(name)[0]


def _sorted(editions: list[Record]) -> list[Record]:
    """The editions by year, those without one last."""
    return sorted(editions, key=lambda record: (record.book.year is None, record.book.year, record.number))


def _credited(record: Record) -> list[str]:
    """The names under which a work stands."""
    named = list(record.book.authors)
    if record.kind and falls(record.book, "open library credits", _CREDITED_PERCENT.get(record.kind, 0)):
        named.append(record.author)
    return named


def _spellings(name: str, shown: str, latin: str) -> tuple[str, ...]:
    """Other spellings of a name, as librarians and imports have left them."""
    *forenames, surname = name.split() or [""]
    turned = f"{surname}, {' '.join(forenames)}" if forenames else ""
    loud = name.upper() if falls_to(name, "loud", 50) else ""
    return tuple(dict.fromkeys(other for other in (name, turned, latin, loud) if other not in {"", shown}))


def _key(identity: str, kind: str, taken: dict[str, Record] | dict[str, Work] | dict[str, Author]) -> str:
    """A key that hangs on what it is for, the next free one when two would share it."""
    start = number(identity, f"open library {kind}")
    while (key := f"OL{_FIRST_KEY + start % _KEYS}{kind}") in taken:
        start += 1
    return key
