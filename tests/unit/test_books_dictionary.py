"""The words of a language: what pyspellchecker says, in little memory and without holding anybody up."""

import asyncio
import tracemalloc

import pytest
from spellchecker import SpellChecker

from mesh.background import Background
from mesh.hash_table import LARGEST
from mesh.turns import Turns
from services.books.dictionary import LANGUAGES, read_dictionary
from services.books.spelling import Vocabulary


def test_languages() -> None:
    """Every language that the library has is one that is read, and no other."""
    assert set(SpellChecker.languages()) == LANGUAGES


@pytest.mark.parametrize("language", ["fa", "ru", "en"])
async def test_words_are_those_of_the_library(language: str) -> None:
    """Each word is said as often as the library says, and what it does not know is not known."""
    dictionary, library = await read_dictionary(language, Turns()), SpellChecker(language=language)
    wrong = [word for word in library if dictionary.said(word) != min(library[word], LARGEST)]
    assert wrong == []
    assert "zzyzx" not in dictionary


@pytest.mark.parametrize("word", ["tolkein", "gaurdian", "bok", "the", "don't", "x", "antidisestablishmentarianisms"])
async def test_near_words_are_those_of_the_library(word: str) -> None:
    """The words one error away are the library's, those said most first."""
    dictionary, library = await read_dictionary("en", Turns()), SpellChecker(language="en", distance=1)
    near = library.known(library.edit_distance_1(word))
    assert dictionary.near(word) == sorted(near, key=lambda other: (-min(library[other], LARGEST), other))


async def test_a_language_without_a_dictionary() -> None:
    """Of such a language no word is known, and none is near."""
    dictionary = await read_dictionary("tlh", Turns())
    assert ("a" in dictionary, dictionary.near("bok")) == (False, [])


async def test_others_go_on_while_it_is_read() -> None:
    """Between any two pieces whoever else has something to do has it done."""
    rounds = 0

    async def others() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    async with Background() as background:
        background.spawn(others(), name="others")
        await read_dictionary("fa", Turns(slice_s=0.0))
    assert rounds > 50


async def test_little_memory() -> None:
    """A word takes some twenty bytes, and an object of its own takes none."""
    tracemalloc.start()
    try:
        dictionary = await read_dictionary("es", Turns())
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "libro" in dictionary
    assert used < 86_000 * 30


async def test_it_is_read_once() -> None:
    """Whoever asks first may leave: the dictionary is read to its end, and the next ones find it."""
    async with Background() as background:
        vocabulary = Vocabulary(background, Turns(slice_s=0.0))
        first = asyncio.create_task(vocabulary.words("fa"))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        one, other = await asyncio.gather(vocabulary.words("fa"), vocabulary.words("fa"))
        foreign = [await vocabulary.words(language) for language in ("tlh", "ja")]
    assert one.dictionary is other.dictionary
    assert one.knows("کتاب")
    assert foreign[0].dictionary is foreign[1].dictionary
