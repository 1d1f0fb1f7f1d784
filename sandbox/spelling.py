"""The only place that knows which words are nearly the same: those that few typing errors lie between."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import lru_cache

_LAST = "\U0010ffff"
_CACHED = 4096


class Vocabulary:
    """The words of a catalogue, with how often each stands there.

    A search walks the words in order of the alphabet and keeps one row of the edit distance's table for each letter of
    the current word, so that words with the same beginning share its rows. Where no continuation of a beginning can be
    near enough, all words that begin so are passed over at once. That is how Lucene runs its automata over the terms of
    an index; it looks at some hundred words of a hundred thousand, and needs no table of its own.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._words = sorted(counts)
        self.near = lru_cache(maxsize=_CACHED)(self._near)

    def __contains__(self, word: str) -> bool:
        """Tells whether the catalogue has the word."""
        return word in self._counts

    def nearest(self, word: str) -> str:
        """The word within one edit that stands most often in the catalogue, the first among equals, or "".

        Args:
            word: A folded word that the catalogue does not have.
        """
        found = [near for near in self.near(word, 1) if near != word]
        return min(found, key=lambda near: (-self._counts[near], near), default="")

    def _near(self, word: str, edits: int) -> tuple[str, ...]:
        """All words within so many edits, in order of the alphabet.

        An edit puts in, leaves out or changes a letter, or lets two neighbours change places (optimal string alignment).
        """
        words, found = self._words, []
        rows = [list(range(len(word) + 1))]
        at, previous = 0, ""
        while at < len(words):
            candidate = words[at]
            kept = _common(previous, candidate, len(rows) - 1)
            del rows[kept + 1 :]
            previous = candidate
            for depth in range(kept, len(candidate)):
                rows.append(_row(word, candidate, depth, rows))
                if min(rows[-1]) > edits:
                    at = bisect_right(words, candidate[: depth + 1] + _LAST, at + 1)
                    break
            else:
                if rows[-1][-1] <= edits:
                    found.append(candidate)
                at += 1
        return tuple(found)

    def beginning(self, start: str) -> list[str]:
        """All words that begin with a text."""
        return self._words[bisect_left(self._words, start) : bisect_right(self._words, start + _LAST)]


def _common(left: str, right: str, most: int) -> int:
    """How many letters two words share at their beginning, up to so many."""
    for at in range(min(len(left), len(right), most)):
        if left[at] != right[at]:
            return at
    return min(len(left), len(right), most)


def _row(word: str, candidate: str, depth: int, rows: list[list[int]]) -> list[int]:
    """The table's row for the candidate's letter at a depth: the distances to all beginnings of the word."""
    letter, above = candidate[depth], rows[depth]
    row = [depth + 1]
    for column, asked in enumerate(word):
        best = above[column] if asked == letter else 1 + min(above[column], above[column + 1], row[column])
        if depth and column and letter == word[column - 1] and asked == candidate[depth - 1]:
            best = min(best, rows[depth - 1][column - 1] + 1)
        row.append(best)
    return row
