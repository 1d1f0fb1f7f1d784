"""The only place that reads Google's `q` and finds the volumes that it asks for, the most relevant first."""

import re
from dataclasses import dataclass

from sandbox.derived import Kind
from sandbox.dirt import falls
from sandbox.google_dirt import identified
from sandbox.isbn import to13
from sandbox.stock import FIELDS, Record, Stock
from sandbox.text import terms, together

LACKS_PERCENT = 6
"""How many of a hundred books Google does not have."""

_PART = re.compile(
    r'(?:(?P<field>intitle|inauthor|inpublisher|subject|isbn|lccn|oclc):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))'
)
_FIELDS = {"intitle": ("title",), "inauthor": ("author",), "inpublisher": ("publisher",), "subject": ("subject",)}
_PLAIN = tuple(field for field in FIELDS if field != "about")
_ABOUT_PERCENT = 60
"""How many of a hundred books about an author are taken for the author's own."""
_SHORTEST = 2
"""Words shorter than that are read as they stand."""
_COVERED_WEIGHT, _POPULAR_WEIGHT = 0.6, 0.4


@dataclass(frozen=True, slots=True)
class Part:
    """A word or a phrase, in one field or, under "", anywhere."""

    field: str
    text: str
    phrase: bool


def parse(query: str) -> list[Part]:
    """The parts of a query; a field holds for the word or the phrase that follows it, and no further."""
    return [
        Part(
            found["field"] or "",
            found["phrase"] if found["phrase"] is not None else found["word"],
            found["phrase"] is not None,
        )
        for found in _PART.finditer(together(query))
    ]


class GoogleSearch:
    """What Google holds of a stock, and how it is searched."""

    def __init__(self, stock: Stock) -> None:
        """Draws what Google lacks."""
        self._stock = stock
        self._lacks = stock.lacking("google", LACKS_PERCENT)
        self.records = [record for record in stock.records if record.number not in self._lacks]
        self._mistaken = {
            record.number
            for record in self.records
            if record.kind is Kind.LIFE and falls(record.book, "google mistakes", _ABOUT_PERCENT)
        }

    def find(self, query: str) -> list[Record]:
        """The volumes that meet every part of a query.

        The order is by how much of the title the query names, and by how popular a volume is; so a popular book about
        the one that was asked for may come before it.
        """
        parts = parse(query)
        found: set[int] | None = None
        named: set[str] = set()
        for part in parts:
            for readings in self._readings(part):
                hits = set().union(*(self._hits(part, words) for words in readings))
                found = hits if found is None else found & hits
                if part.field in {"", "intitle"}:
                    named.update(word for words in readings for word in words)
        kept = [self._stock.records[number] for number in (found or set()) - self._lacks]
        return sorted(kept, key=lambda record: (-self._relevance(record, named), record.number))

    def _readings(self, part: Part) -> list[list[list[str]]]:
        """What must be met for a part, each in any of several readings.

        A plain word that no record has is read as any of those within one edit; a dash by itself asks for nothing.
        """
        words = terms(part.text)
        if part.field or part.phrase or to13(part.text):
            return [[words]]
        return [self._respelt(word) for word in words]

    def _respelt(self, word: str) -> list[list[str]]:
        """The readings of a plain word."""
        vocabulary = self._stock.vocabulary
        if word in vocabulary or len(word) < _SHORTEST or not word.isalpha():
            return [[word]]
        return [[near] for near in vocabulary.near(word, 1)] or [[word]]

    def _hits(self, part: Part, words: list[str]) -> set[int]:
        """The records that meet one part."""
        if part.field in {"lccn", "oclc"}:
            return set()  # the sandbox's books bear no such numbers
        if part.field == "isbn" or (not part.field and to13(part.text)):
            record = self._stock.by_isbn(part.text)
            return {record.number} if record and identified(record.book) else set()
        index = self._stock.index
        find = index.phrase if part.phrase else index.all_of
        hits = find(_FIELDS.get(part.field, _PLAIN), words)
        return hits | find(("about",), words) & self._mistaken if part.field == "inauthor" else hits

    def _relevance(self, record: Record, named: set[str]) -> float:
        """From 0 to 1."""
        covered = self._stock.covered(record.number, named) if named else 0.0
        return _COVERED_WEIGHT * covered + _POPULAR_WEIGHT * record.popularity
