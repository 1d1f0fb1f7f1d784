"""The only place that finds texts by their words without reading them: an inverted index with fields."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sandbox.text import terms

_GAP = ""
"""Stands between two parts, so that no phrase reaches over it."""


class Index:
    """Which numbered texts hold which word, field by field. Filled once, then only read."""

    def __init__(self, fields: Sequence[str]) -> None:
        """Starts empty.

        Args:
            fields: The names of the fields.
        """
        self._holders: dict[str, defaultdict[str, list[int]]] = {field: defaultdict(list) for field in fields}
        self._texts: dict[str, dict[int, tuple[str, ...]]] = {field: {} for field in fields}

    def add(self, number: int, field: str, parts: Iterable[str]) -> None:
        """Takes the parts of a text in; numbers come in rising order.

        Args:
            number: The text's number.
            field: Where its words are found.
            parts: What stands in the field; no phrase reaches from one part into the next.
        """
        words: list[str] = []
        for part in filter(None, parts):
            words += [*map(sys.intern, terms(part)), _GAP]
        if not words:
            return
        self._texts[field][number] = tuple(words)
        holders = self._holders[field]
        for word in set(words):
            if word != _GAP:
                holders[word].append(number)

    def holding(self, field: str, word: str) -> Sequence[int]:
        """The texts that hold a word in a field, in rising order."""
        return self._holders[field].get(word, ())

    def words(self, field: str) -> Collection[str]:
        """Every word of a field."""
        return self._holders[field].keys()

    def text(self, field: str, number: int) -> tuple[str, ...]:
        """The words of a text's field in order."""
        return tuple(word for word in self._texts[field].get(number, ()) if word != _GAP)

    def all_of(self, fields: Sequence[str], words: Sequence[str]) -> set[int]:
        """The texts that hold every word, each in any of the fields; no words find nothing."""
        found: set[int] | None = None
        for word in sorted(words, key=lambda word: sum(len(self.holding(field, word)) for field in fields)):
            if found is None:
                found = set().union(*(self.holding(field, word) for field in fields))
            else:
                found = set().union(*(found.intersection(self.holding(field, word)) for field in fields))
            if not found:
                break
        return found or set()

    def phrase(self, fields: Sequence[str], words: Sequence[str]) -> set[int]:
        """The texts that hold the words one after the other in one of the fields."""
        if len(words) == 1:
            return self.all_of(fields, words)
        return set().union(*({n for n in self.all_of([f], words) if self._follow(f, n, words)} for f in fields))

    def _follow(self, field: str, number: int, words: Sequence[str]) -> bool:
        """Tells whether a text holds the words in that order, with nothing between."""
        text, wanted = self._texts[field][number], tuple(words)
        return any(text[at : at + len(wanted)] == wanted for at in range(len(text) - len(wanted) + 1))
