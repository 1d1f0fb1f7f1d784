"""The only place that says which words a mistyped word may have been.

It knows the words of a language from a dictionary, and those of books, which no dictionary has, from the answers that
went by: whoever searched for "Eragon" teaches it the name.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import Work
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from mesh.background import Background
from mesh.turns import Turns
from services.books.dictionary import LANGUAGES, Dictionary, read_dictionary
from services.books.likeness import words_of

LEARNT_LIMIT = 50_000
"""Words of books that are kept, the oldest dropped first; about 5 MB."""

_SHORTEST = 3
"""Letters of a word for which others are sought: a word of four that has lost one."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words that are known in one language."""

    learnt: Mapping[str, None]
    """Those of books, the latest last."""
    dictionary: Dictionary
    """Those of the language."""

    def knows(self, word: str) -> bool:
        """Whether a word is one of a book's or of the language."""
        return word in self.learnt or word in self.dictionary

    def candidates(self, word: str) -> list[str]:
        """The known words that are one error of typing away, those of books first, then the ones said most.

        Args:
            word: folded, as `words_of` gives it.
        """
        if len(word) < _SHORTEST or not word.isalpha():
            return []
        near = extract(word, list(self.learnt), scorer=OSA.distance, score_cutoff=1, limit=None)
        found = dict.fromkeys((*(str(other) for other, *_ in near), *self.dictionary.near(word)))
        return [other for other in found if other != word and other.isalpha()]

    def suspects(self, words: Sequence[str]) -> list[str]:
        """Those of a text's words that may be mistyped: the unknown ones, or all where every word is known."""
        return [word for word in words if not self.knows(word)] or list(words)


class Vocabulary:
    """The words that are known, in every language.

    Args:
        background: where dictionaries are read; whoever waits for one may leave.
        turns: has others go on while one is read.
        limit: words of books that are kept.
    """

    def __init__(self, background: Background, turns: Turns, limit: int = LEARNT_LIMIT) -> None:
        self._background = background
        self._turns = turns
        self._limit = limit
        self._learnt: dict[str, None] = {}
        self._dictionaries: dict[str, asyncio.Task[Dictionary]] = {}
        """By language, read or being read; all languages without one share that of none."""

    def learn(self, works: Iterable[Work]) -> None:
        """Takes the words of titles and names up."""
        for work in works:
            for text in (work.title, *(author.name for author in work.authors)):
                for word in words_of(text):
                    if len(word) >= _SHORTEST and word.isalpha():
                        self._learnt.pop(word, None)
                        self._learnt[word] = None
        while len(self._learnt) > self._limit:
            del self._learnt[next(iter(self._learnt))]

    async def words(self, language: str) -> Words:
        """The words that are known in a language; whoever asks for one first waits until its dictionary is read.

        Args:
            language: a primary subtag; of a language without a dictionary only the words of books are known.
        """
        language = language if language in LANGUAGES else ""
        if language not in self._dictionaries:
            reading = read_dictionary(language, self._turns)
            self._dictionaries[language] = self._background.spawn(reading, name=f"dictionary {language!r}")
        return Words(self._learnt, await asyncio.shield(self._dictionaries[language]))
