"""What people do to a text on its way to the search box: the only place that makes such changes. Pure, given chance."""

import random
import string
import unicodedata

SHORTEST = 4
"""Letters of a word in which an error is made; in a shorter one it makes another word as often as not."""


def without_accents(text: str) -> str:
    """A text as somebody types it who has no such keys; letters that are no accented ones stay."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def other_case(text: str, chance: random.Random) -> str:
    """All in capitals or all in small letters, whichever changes it, by chance where both do."""
    forms = [form for form in (text.upper(), text.lower()) if form != text]
    return chance.choice(forms) if forms else text


def mistyped(text: str, chance: random.Random) -> str:
    """With one error in one of its longer words: a letter missing, doubled up with another, wrong, or out of turn.

    The text itself when it has no word of Latin letters that is long enough.
    """
    words = text.split(" ")
    places = [at for at, word in enumerate(words) if len(word) >= SHORTEST and word.isalpha() and word.isascii()]
    if not places:
        return text
    at = chance.choice(places)
    word = words[at]
    while words[at] == word:
        words[at] = _slipped(word, chance)
    return " ".join(words)


def _slipped(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    letter = chance.choice(string.ascii_lowercase)
    match chance.randrange(4):
        case 0:
            return word[:place] + word[place + 1 :]
        case 1:
            return word[:place] + letter + word[place:]
        case 2:
            return word[:place] + letter + word[place + 1 :]
        case _:
            return word[:place] + word[place : place + 2][::-1] + word[place + 2 :]


def surname_first(name: str) -> str:
    """A name as catalogues sort it: "Le Guin, Ursula K.", with the particle before the surname; "" for one word.

    A generation stays at the end: "King, Martin Luther, Jr.".
    """
    words = name.split()
    generation = words.pop() if len(words) > 2 and words[-1].strip(".,").lower() in _GENERATIONS else ""  # noqa: PLR2004 -- a name in front of it
    if len(words) < 2:  # noqa: PLR2004 -- one word has no order
        return ""
    start = len(words) - 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    turned = f"{' '.join(words[start:]).rstrip(',')}, {' '.join(words[:start])}"
    return f"{turned}, {generation}" if generation else turned


_GENERATIONS = {"jr", "sr", "ii", "iii", "iv"}
_PARTICLES = {"le", "la", "de", "del", "della", "di", "da", "du", "van", "von", "der", "den", "ter", "al", "el", "st."}
