"""Makes the plan of a library as its rows come by: each search once, in batches. Pure, and small in memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

from bookmesh.warmer.v1.warmer_service_pb2 import STRATEGY_AUTHOR_FIRST, STRATEGY_ISBN, Strategy

from services.warmer.plan.searches import Search, SearchKind, Wanted, author_search, book_search, folded

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
        self._names: list[str] = []
        self._rows = array("Q")
        """By author, in how many rows each stands."""
        self._places: dict[str, int] = {}
        self._spellings: dict[str, int] = {}
        """Where the last thousands of spellings lie, for comparing them costs more than knowing one."""
        self._titles: list[str] = []
        self._writers = array("Q")
        """By title, the place of the author who covers it."""
        self._loose: list[Search] = []
        """Titles that nobody covers."""
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
            self._add_title(book_search(book))

    def add_authors(self, names: Iterable[str]) -> None:
        """Takes the authors of a row; one that repeats a book may name some that the first did not."""
        for name in names:
            self._rows[self._place_of(name)] += 1

    def add_search(self, search: Search) -> None:
        """Takes a search as it stands, whatever the strategy."""
        match search.kind:
            case SearchKind.ISBN:
                self._isbns.append(int(search.q))
            case SearchKind.AUTHOR:
                self.add_authors([search.q])
            case SearchKind.TITLE:
                self._add_title(search)

    def _add_title(self, search: Search | None) -> None:
        if search is None:
            return
        place = self._places.get(folded(search.author))
        if place is None:
            self._loose.append(search)
        else:
            self._titles.append(search.q)
            self._writers.append(place)

    def _place_of(self, name: str) -> int:
        place = self._spellings.get(name)
        if place is None:
            place = self._places.setdefault(folded(name), len(self._names))
            if place == len(self._names):
                self._names.append(name)
                self._rows.append(0)
            if len(self._spellings) >= _SPELLINGS:
                self._spellings.clear()
            self._spellings[name] = place
        return place

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
        for at in range(0, len(self._loose), TEXT_BATCH):
            yield self._loose[at : at + TEXT_BATCH]

    def _authors_in_order(self) -> Sequence[int]:
        return sorted(range(len(self._names)), key=lambda place: -self._rows[place])

    def _titles_by_writer(self) -> Sequence[int]:
        """The covered titles, in the order of those who cover them."""
        rank = array("Q", bytes(8 * len(self._names)))
        for at, place in enumerate(self._authors_in_order()):
            rank[place] = at
        return sorted(range(len(self._titles)), key=lambda at: rank[self._writers[at]])


_SPELLINGS = 50_000
"""Spellings that are remembered at a time."""
