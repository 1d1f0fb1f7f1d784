"""The only place that finds Open Library's works and authors by a query, the most relevant first."""

from collections.abc import Iterable, Sequence

from sandbox.inverted import Index
from sandbox.isbn import to13
from sandbox.languages import iso639
from sandbox.lucene import Every, Leaf, Query, Some, Without, parse
from sandbox.open_library_dirt import first_publish_year, languages
from sandbox.open_library_works import Author, Shelves, Work
from sandbox.stock import Stock
from sandbox.text import terms

_WORDS = {
    "": ("title", "publisher", "subject", "other"),
    "title": ("title",),
    "publisher": ("publisher",),
    "subject": ("subject",),
}
"""Fields that hold words, with where the stock has them; authors' names have an index of their own."""
_EXACT = ("author", "author_name", "author_key", "isbn", "key", "language", "first_publish_year", "publish_year")
_NAME = "name"
_MOST_BOOST = 20
"""Works of an author beyond that lift the author no further."""
_COVERED_WEIGHT, _EDITIONS_WEIGHT, _POPULAR_WEIGHT = 0.5, 0.2, 0.3
_MANY_EDITIONS = 10


class OpenLibrarySearch:
    """Search over the shelves."""

    def __init__(self, stock: Stock, shelves: Shelves) -> None:
        """Indexes the authors' names."""
        self._stock = stock
        self._shelves = shelves
        self._authors = list(shelves.authors.values())
        self._names = Index((_NAME,))
        for number, author in enumerate(self._authors):
            self._names.add(number, _NAME, (author.name, *author.others))

    def works(self, query: Query) -> list[Work]:
        """The works that meet a query, by how much of the title it names, their editions, and how popular they are."""
        named = {word for leaf in _leaves(query) if leaf.field in {"", "title"} for word in leaf.words}
        found = [self._shelves.works[number] for number in self._meet(query)]
        return sorted(found, key=lambda work: (-self._relevance(work, named), work.number))

    def authors(self, text: str) -> list[Author]:
        """The authors who bear every word in one of their spellings; many works lift a name, up to a bound."""
        query = parse(text, lambda _: False)
        words = {word for leaf in _leaves(query) for word in leaf.words}
        found = [self._authors[number] for number in self._bearing(query)]
        return sorted(found, key=lambda author: (-_standing(author, words), author.key))

    def _meet(self, query: Query) -> set[int]:
        """The numbers of the works that meet a query."""
        match query:
            case Leaf():
                return self._leaf(query)
            case Some(parts):
                return set().union(*map(self._meet, parts))
            case Without(part):
                return set(range(len(self._shelves.works))) - self._meet(part)
            case Every(parts):
                return set.intersection(*map(self._meet, parts)) if parts else set()

    def _leaf(self, leaf: Leaf) -> set[int]:
        """The works that meet one word, phrase or value."""
        match leaf.field:
            case "author" | "author_name":
                return self._written(leaf)
            case "author_key":
                author = self._shelves.authors.get(_name_of(leaf.text))
                return {work.number for work in author.works} if author else set()
            case "isbn":
                return self._numbered(leaf.text)
            case "key":
                work = self._shelves.by_key.get(_name_of(leaf.text))
                return {work.number} if work else set()
            case "language":
                wanted = iso639(leaf.text)
                return {work.number for work in self._shelves.works if wanted in map(iso639, languages(work))}
            case "first_publish_year" | "publish_year":
                return {work.number for work in self._shelves.works if str(first_publish_year(work)) == leaf.text}
            case "":
                return self._held(leaf) | self._written(leaf) | self._numbered(leaf.text)
            case _:
                return self._held(leaf)

    def _held(self, leaf: Leaf) -> set[int]:
        """The works of which an edition holds a word or phrase."""
        fields, index = _WORDS[leaf.field], self._stock.index
        hits = set().union(*(index.phrase(fields, words) for words in self._spellings(leaf)))
        work_of = self._shelves.work_of
        return {work_of[number].number for number in hits if number in work_of}

    def _written(self, leaf: Leaf) -> set[int]:
        """The works of the authors whose names hold a word or phrase."""
        return {work.number for number in self._bearing(leaf) for work in self._authors[number].works}

    def _numbered(self, text: str) -> set[int]:
        """The work of an ISBN."""
        record = self._stock.by_isbn(text) if to13(text) else None
        work = self._shelves.work_of.get(record.number) if record else None
        return {work.number} if work else set()

    def _bearing(self, query: Query) -> set[int]:
        """The numbers of the authors whose names meet a query."""
        match query:
            case Leaf():
                return set().union(*(self._names.phrase((_NAME,), words) for words in self._spellings(query)))
            case Some(parts):
                return set().union(*map(self._bearing, parts))
            case Without(part):
                return set(range(len(self._authors))) - self._bearing(part)
            case Every(parts):
                return set.intersection(*map(self._bearing, parts)) if parts else set()

    def _spellings(self, leaf: Leaf) -> Sequence[tuple[str, ...]]:
        """The words as they are, or all words that are near enough."""
        if not leaf.edits:
            return [leaf.words]
        return [(near,) for near in self._stock.vocabulary.near(leaf.words[0], leaf.edits)]

    def _relevance(self, work: Work, named: set[str]) -> float:
        """From 0 to 1."""
        covered = max(self._stock.covered(record.number, named) for record in work.editions) if named else 0.0
        editions = min(len(work.editions), _MANY_EDITIONS) / _MANY_EDITIONS
        popular = work.editions[0].popularity
        return _COVERED_WEIGHT * covered + _EDITIONS_WEIGHT * editions + _POPULAR_WEIGHT * popular


def known_field(name: str) -> bool:
    """Tells whether the search has a field of that name."""
    return bool(name) and (name in _WORDS or name in _EXACT)


def _leaves(query: Query) -> Iterable[Leaf]:
    """All words, phrases and values that a query asks for."""
    match query:
        case Leaf():
            yield query
        case Every(parts) | Some(parts):
            for part in parts:
                yield from _leaves(part)
        case Without():
            return


def _standing(author: Author, words: set[str]) -> float:
    """How high an author stands in a list: by the share of the name that is asked for, and by the number of works."""
    spellings = [terms(name) for name in (author.name, *author.others)]
    shares = [sum(word in words for word in spoken) / len(spoken) for spoken in spellings if spoken]
    covered = max(shares, default=0.0)
    return 2 * covered + min(len(author.works), _MOST_BOOST) / _MOST_BOOST


def _name_of(key: str) -> str:
    """The last part of a key: /authors/OL1A and OL1A are the same."""
    return key.rpartition("/")[2].upper()
