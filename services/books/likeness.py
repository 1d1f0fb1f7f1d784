"""The only place that decides when two titles or two names are written alike. Pure."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from services.books.query import normal_form

_ARTICLE = re.compile(r"^(?:the|an?) (?=.)")
_SERIES = re.compile(r"(?i)\s*[(\[][^()\[\]]*(?:#\s*\d|\b(?:book|vol|volume)\.?\s*\d)[^()\[\]]*[)\]]\s*$")
_GENERATIONS = {"jr", "sr", "ii", "iii", "iv"}


def without_series(title: str) -> str:
    """A title without the series that catalogues of readers append to it: "Dune (Dune Chronicles, #1)"."""
    return _SERIES.sub("", title) or title


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text without case and punctuation; Latin letters lose their marks, other scripts keep theirs."""
    plain = "".join(map(_plain, unicodedata.normalize("NFC", text.replace("&", " and "))))
    return tuple(normal_form(plain).split())


@lru_cache(maxsize=8192)
def title_key(title: str) -> str:
    """Equal for the spellings of one title; a title of nothing but signs, such as "???", is itself."""
    return _ARTICLE.sub("", " ".join(words_of(title))) or title.casefold().strip()


@lru_cache(maxsize=8192)
def name_key(name: str) -> str:
    """Equal for the spellings of one name in either order: "J. K. Rowling", "Rowling, J.K." and "JK Rowling"."""
    words = words_of(name)
    if _is_run_together(words):
        return "".join(words)
    return " ".join(sorted(_with_joined_initials(words))) or name.casefold().strip()


@lru_cache(maxsize=8192)
def printed_name_key(name: str) -> str:
    """Equal for the spellings of one name with its words in their order: "King Stephen" is not "Stephen King".

    Providers are asked for a name as it is written, and one in another order may bring nothing: so what is kept under
    a name must not depend on the order that somebody typed.

    Args:
        name: first name first, as `cataloguing.names.display_name` has it.
    """
    words = words_of(name)
    if _is_run_together(words):
        return "".join(words)
    return " ".join(_with_joined_initials(words)) or name.casefold().strip()


@lru_cache(maxsize=8192)
def spoken_name_key(name: str) -> str:
    """Equal for names that differ in initials alone: "Ursula Le Guin" and "Ursula K. Le Guin"; "" for a single word."""
    kept = sorted(word for word in words_of(name) if len(word) > 1 and word not in _GENERATIONS)
    return " ".join(kept) if len(kept) > 1 else ""


def _is_run_together(words: tuple[str, ...]) -> bool:
    """Names in Han, Kana or Hangul are written with and without a space, and never turned round."""
    return any(unicodedata.category(char) == "Lo" for word in words for char in word)


def _with_joined_initials(words: tuple[str, ...]) -> list[str]:
    joined: list[str] = []
    initials = ""
    for word in words:
        if len(word) == 1:
            initials += word
            continue
        joined += [initials, word] if initials else [word]
        initials = ""
    return [*joined, initials] if initials else joined


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    return anyascii(char) if not char.isascii() and unicodedata.name(char, "").startswith("LATIN") else char
