"""The only place that knows which words are nearly the same: those that few typing errors lie between."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

_CACHED = 4096
_END = ""
"""Where a word of the trie ends; what stands there is the word."""
_OTHER = "\0"
"""Stands for every letter that is not in the word looked for."""
_DEAD = -1

_Row = tuple[int, ...]
_Trie = dict[str, Any]


class Vocabulary:
    """The words of a catalogue.

    They are kept as a trie, and a search walks it with an automaton that gives a beginning up as soon as no word
    with it can be near enough, as Lucene does with the terms of its index. It looks at a small part of the words, and
    the time hardly grows with their number.
    """

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._trie: _Trie = {}
        for word in sorted(self._words):
            node = self._trie
            for letter in word:
                node = node.setdefault(letter, {})
            node[_END] = word
        self.near = lru_cache(maxsize=_CACHED)(self._near)

    def __contains__(self, word: str) -> bool:
        """Tells whether the catalogue has the word."""
        return word in self._words

    def _near(self, word: str, edits: int) -> tuple[str, ...]:
        """All words within so many edits, in order of the alphabet.

        An edit puts in, leaves out or changes a letter, or swaps two neighbours (optimal string alignment).
        """
        automaton = _Automaton(word, edits)
        found: list[str] = []
        waiting: list[tuple[_Trie, int]] = [(self._trie, 0)]
        while waiting:
            node, state = waiting.pop()
            moves = automaton.moves[state]
            for letter, below in node.items():
                if letter == _END:
                    if automaton.accepts(state):
                        found.append(below)
                    continue
                known = letter if letter in word else _OTHER
                after = moves.get(known)
                if after is None:
                    after = automaton.step(state, known)
                if after != _DEAD:
                    waiting.append((below, after))
        return tuple(sorted(found))


class _Automaton:
    """Reads words letter by letter and knows how far each is from one word.

    A state is the row of the edit distance's table for the letters read, with what a change of places needs of the row
    before. Rows are cut off beyond the edits that are allowed, so that there are few of them; moves are worked out when
    they are first made.
    """

    def __init__(self, word: str, edits: int) -> None:
        self._word = word
        self._edits = edits
        first = tuple(min(at, edits + 1) for at in range(len(word) + 1))
        self._states: list[tuple[_Row, _Row, str]] = [((), first, "")]
        self._known = {self._states[0]: 0}
        self.moves: list[dict[str, int]] = [{}]
        """State -> letter -> the state after it, as far as asked for."""

    def accepts(self, state: int) -> bool:
        """Tells whether what was read is near enough."""
        return self._states[state][1][-1] <= self._edits

    def step(self, state: int, letter: str) -> int:
        """The state after a letter of the word or _OTHER; _DEAD when nothing that begins so can be near enough."""
        before, row, last = self._states[state]
        after = [min(row[0] + 1, self._edits + 1)]
        for at, asked in enumerate(self._word):
            best = row[at] if asked == letter else 1 + min(row[at], row[at + 1], after[at])
            if before and at and letter == self._word[at - 1] and asked == last:
                best = min(best, before[at - 1] + 1)
            after.append(min(best, self._edits + 1))
        if min(after) > self._edits:
            number = _DEAD
        else:
            reached = (row, tuple(after), letter)
            number = self._known.setdefault(reached, len(self._states))
            if number == len(self._states):
                self._states.append(reached)
                self.moves.append({})
        self.moves[state][letter] = number
        return number
