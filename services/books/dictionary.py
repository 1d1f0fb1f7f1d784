"""The words of a language, with how often each is said: what pyspellchecker brings, in a tenth of the memory.

As its objects, Portuguese takes 85 MB, and to make them holds the loop for two thirds of a second. So the words are
read in slices between which other calls go on, and what is kept of each is a number under its hash.
"""

import asyncio
import gzip
import io
import pkgutil
from collections.abc import Sequence

import msgspec
from spellchecker import SpellChecker

from mesh.hash_table import HashTable
from mesh.turns import Turns

LANGUAGES = frozenset({"ar", "de", "en", "es", "eu", "fa", "fr", "it", "lv", "nl", "pt", "ru"})
"""What there are dictionaries for."""

_SLICE = 2 * 1024
"""Bytes that are read at once: some hundred words, in a third of a millisecond."""

_LINE_ENDS = b"{},\r\n"

_words = msgspec.json.Decoder(dict[str, int])


class Dictionary:
    """The words of one language; of none, before some are added."""

    def __init__(self) -> None:
        self._said = HashTable()
        self._letters: set[str] = set()
        self._checker = SpellChecker(language=None, distance=1)

    def add(self, words: dict[str, int]) -> None:
        """Takes words up, each with how often it is said: once at least."""
        for word, count in words.items():
            self._said.setdefault(hash(word), count)
        if not self._letters.issuperset(letters := set("".join(words))):
            self._letters |= letters
            # It makes typing errors of the letters that it has seen, in words not much longer than those.
            self._checker.word_frequency.load_words(["".join(self._letters) * 2])

    def __contains__(self, word: str) -> bool:
        return self.said(word) > 0

    def said(self, word: str) -> int:
        """How often a word is said; zero for one that is not known. All that are said 16 million times are alike."""
        return self._said.get(hash(word))

    def near(self, word: str) -> Sequence[str]:
        """The known words that are one error of typing away, those said most first."""
        known = filter(self.__contains__, self._checker.edit_distance_1(word))
        return sorted(known, key=lambda other: (-self.said(other), other))


async def read_dictionary(language: str, turns: Turns) -> Dictionary:
    """Reads the dictionary of a language, half a millisecond at a time; an empty one where there is none.

    Args:
        language: a primary subtag.
        turns: has others go on meanwhile.
    """
    dictionary = Dictionary()
    if language not in LANGUAGES:
        return dictionary
    packed = await asyncio.to_thread(pkgutil.get_data, "spellchecker", f"resources/{language}.json.gz")
    # Each line of such a file has one word.
    with io.BufferedReader(gzip.GzipFile(fileobj=io.BytesIO(packed or b""))) as file:
        async with turns.turn(patient=False) as turn:
            while lines := file.readlines(_SLICE):
                await turn.breathe()
                dictionary.add(_words.decode(b"{%s}" % b"".join(lines).strip(_LINE_ENDS)))
    return dictionary
