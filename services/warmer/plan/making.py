"""Makes the plan of a library as its rows come by: each search once, in batches. Pure, and small in memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from bookmesh.warmer.v1.warmer_service_pb2 import STRATEGY_AUTHOR_FIRST, STRATEGY_ISBN, Strategy

from services.warmer.plan.searches import Search, SearchKind, Wanted, author_search, book_search
from services.warmer.plan.texts import Names, Texts

ISBN_BATCH = 1_000
"""Searches by ISBN in one batch: as many as one bulk look-up covers, so a large batch costs the fewest calls."""

TEXT_BATCH = 20
"""Authors, or titles, in one batch: each costs a call of its own, and a crash costs at most the batch in hand."""

COVERED_BATCH = 480
"""Titles in one batch beside their authors, who cover them; the proxy takes a thousand searches at a time."""


class PlanMaker:
    """Takes rows, and gives batches.

    Books with an ISBN cost one call a thousand. An author costs one call, which brings the books of that author as
    well; so a book without an ISBN is asked for beside its author, and costs none. Authors who stand in most rows come
    first, since most people who search this library will search for them.

    Args:
        strategy: a value that the contract knows; the unspecified one is HYBRID.
    """

    def __init__(self, strategy: Strategy.ValueType) -> None:
        if strategy not in Strategy.values():
            raise ValueError(f"{strategy} is no strategy")
        self._strategy = strategy
        self._isbns = array("Q")
        self._names = Names()
        self._rows = array("I")
        """By author, in how many rows each stands."""
        self._titles = Texts()
        self._writers = array("I")
        """By title, the place of the author who covers it."""
        self._loose = Texts()
        """Titles that nobody covers, and at the same places the authors that these name."""
        self._loose_writers = Texts()
        self.skipped = 0
        """Rows that hold a book for which the strategy has no search."""

    @property
    def isbns(self) -> int:
        """Searches by ISBN."""
        return len(self._isbns)

    @property
    def authors(self) -> int:
        """Searches by author."""
        return len(self._names)

    @property
    def titles(self) -> int:
        """Searches by title."""
        return len(self._titles) + len(self._loose)

    @property
    def covered(self) -> int:
        """Searches by title that an author's bibliography covers."""
        return len(self._titles)

    @property
    def searches(self) -> int:
        """All searches."""
        return self.isbns + self.authors + self.titles

    def add(self, book: Wanted) -> None:
        """Takes a row that holds a book which no row before it held.

        A row that names nothing but authors is asked for by them, whatever the strategy.
        """
        if book.isbn13:
            self._isbns.append(int(book.isbn13))
            if self._strategy != STRATEGY_ISBN:
                self.add_authors(book.authors)
        elif book.title and self._strategy == STRATEGY_ISBN:
            self.skipped += 1
        else:
            self.add_authors(book.authors)
            search = book_search(book)
            if search is not None:
                self.add_search(search)

    def add_authors(self, names: Iterable[str]) -> None:
        """Takes the authors of a row; one that repeats a book may name some that the first did not."""
        rows, place_of = self._rows, self._names.place_of
        for name in names:
            place = place_of(name)
            if place == len(rows):
                rows.append(1)
            else:
                rows[place] += 1

    def add_search(self, search: Search) -> None:
        """Takes a search as it stands, whatever the strategy."""
        match search.kind:
            case SearchKind.ISBN:
                self._isbns.append(int(search.q))
            case SearchKind.AUTHOR:
                self.add_authors([search.q])
            case SearchKind.TITLE:
                self._add_title(search)

    def _add_title(self, search: Search) -> None:
        place = self._names.find(search.author)
        if place is None:
            self._loose.append(search.q)
            self._loose_writers.append(search.author)
        else:
            self._titles.append(search.q)
            self._writers.append(place)

    def batches(self) -> Iterator[Sequence[Search]]:
        """The batches, in their order; the same rows always make the same ones."""
        by_author_first = (self._text_batches, self._isbn_batches)
        parts = by_author_first if self._strategy == STRATEGY_AUTHOR_FIRST else by_author_first[::-1]
        for part in parts:
            yield from part()

    def _isbn_batches(self) -> Iterator[Sequence[Search]]:
        for at in range(0, len(self._isbns), ISBN_BATCH):
            yield [Search(SearchKind.ISBN, f"{isbn:013d}") for isbn in self._isbns[at : at + ISBN_BATCH]]

    def _text_batches(self) -> Iterator[Sequence[Search]]:
        by_writer = iter(self._titles_by_writer())
        batch: list[Search] = []
        authors = 0
        following = next(by_writer, None)
        for place in self._authors_in_order():
            name = self._names[place]
            batch.append(author_search(name))
            authors += 1
            while following is not None and self._writers[following] == place:
                if len(batch) >= COVERED_BATCH:
                    yield batch
                    batch, authors = [], 0
                batch.append(Search(SearchKind.TITLE, self._titles[following], name))
                following = next(by_writer, None)
            if authors >= TEXT_BATCH or len(batch) >= COVERED_BATCH:
                yield batch
                batch, authors = [], 0
        if batch:
            yield batch
        for first in range(0, len(self._loose), TEXT_BATCH):
            places = range(first, min(first + TEXT_BATCH, len(self._loose)))
            yield [Search(SearchKind.TITLE, self._loose[at], self._loose_writers[at]) for at in places]

    def _authors_in_order(self) -> Sequence[int]:
        """Who stands in most rows first; of those who stand in as many, who came first."""
        most = max(self._rows, default=0)
        return _in_order(array("I", (most - rows for rows in self._rows)), most)

    def _titles_by_writer(self) -> Sequence[int]:
        """The covered titles, in the order of those who cover them."""
        rank = array("I", self._rows)
        for at, place in enumerate(self._authors_in_order()):
            rank[place] = at
        return _in_order(array("I", (rank[place] for place in self._writers)), len(rank))


def _in_order(keys: Sequence[int], most: int) -> Sequence[int]:
    """The places of keys from 0 to the most, smallest key first, by counting: sorted() makes an object of each."""
    following = array("I", bytes(4 * (most + 2)))
    for key in keys:
        following[key + 1] += 1
    for key in range(most + 1):
        following[key + 1] += following[key]
    places = array("I", bytes(4 * len(keys)))
    for at, key in enumerate(keys):
        places[following[key]] = at
        following[key] += 1
    return places
