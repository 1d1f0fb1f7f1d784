"""The only place that says which words a mistyped word may have been.

It knows the words of a language from a dictionary, and those of books, which no dictionary has, from the answers that
went by: whoever searched for "Eragon" teaches it the name.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from bookmesh.type.v1.book_pb2 import Work
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract
from spellchecker import SpellChecker

from services.books.likeness import words_of

LEARNT_LIMIT = 50_000
"""Words of books that are kept, the oldest dropped first; about 5 MB."""

LANGUAGES = frozenset({"ar", "de", "en", "es", "eu", "fa", "fr", "it", "lv", "nl", "pt", "ru"})
"""What there are dictionaries for, with how often each word is said."""

_SHORTEST = 3
"""Letters of a word for which others are sought: a word of four that has lost one."""


class Vocabulary:
    """The words that are known.

    Args:
        limit: words of books that are kept.
    """

    def __init__(self, limit: int = LEARNT_LIMIT) -> None:
        self._limit = limit
        self._learnt: dict[str, None] = {}

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

    def knows(self, word: str, language: str) -> bool:
        """Whether a word is one of a book's or of a language."""
        return word in self._learnt or word in _dictionary(language)

    def candidates(self, word: str, language: str) -> list[str]:
        """The known words that are one error of typing away, those of books first, then the ones said most.

        Args:
            word: folded, as `words_of` gives it.
            language: a primary subtag; of a language without a dictionary only the words of books are known.
        """
        if len(word) < _SHORTEST or not word.isalpha():
            return []
        near = extract(word, list(self._learnt), scorer=OSA.distance, score_cutoff=1, limit=None)
        learnt = [str(other) for other, *_ in near]
        dictionary = _dictionary(language)
        said = dictionary.known(dictionary.edit_distance_1(word))
        found = dict.fromkeys((*learnt, *sorted(said, key=lambda other: (-dictionary[other], other))))
        return [other for other in found if other != word and other.isalpha()]

    def suspects(self, words: Sequence[str], language: str) -> list[str]:
        """Those of a text's words that may be mistyped: the unknown ones, or all where every word is known."""
        return [word for word in words if not self.knows(word, language)] or list(words)


@lru_cache(maxsize=len(LANGUAGES))
def _dictionary(language: str) -> SpellChecker:
    """A dictionary, read when it is first needed, which takes a fifth of a second; an empty one for other languages."""
    return SpellChecker(language=language if language in LANGUAGES else None, distance=1)
