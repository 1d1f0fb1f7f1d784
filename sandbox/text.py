"""The only place that decides when two names or titles are written alike: case, accents and punctuation aside."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

_WORD = re.compile(r"[^\W_]+")
_MODIFIERS = dict.fromkeys(map(ord, "'’ʻʼʹʺ`´"))


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """A letter without its marks; only Latin is spelled out (ø, ł, ß), so that other scripts stay themselves."""
    if unicodedata.combining(char):
        return ""
    return anyascii(char) if unicodedata.name(char, "").startswith("LATIN") else char


def fold(text: str) -> str:
    """The words of a text in one form: no case, no accents, no punctuation, initials run together.

    "J.K. Rowling", "j.k._rowling" and "J K ROWLING" all give "jk rowling".
    """
    plain = "".join(map(_plain, unicodedata.normalize("NFKD", text).translate(_MODIFIERS))).casefold()
    out: list[str] = []
    initials = ""
    for word in _WORD.findall(plain):
        if len(word) == 1 and word.isascii() and word.isalpha():
            initials += word
            continue
        if initials:
            out.append(initials)
            initials = ""
        out.append(word)
    return " ".join([*out, initials] if initials else out)
