"""The only place that decides when two names or titles are written alike: case, accents and punctuation aside."""

import re
import unicodedata

from anyascii import anyascii

_WORD = re.compile(r"[^\W_]+")
_INITIAL = re.compile(r"\b([A-Za-z])\b\.?\s+(?=[A-Za-z]\b)")
# Scripts that write no spaces between words: kana and Han.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# Marks inside a word and the letters that stand for them in romanized names; escaped, for they look alike.
_MODIFIERS = "'`\u00b4\u2018\u2019\u02b9\u02ba\u02bb\u02bc"


class _Plain(dict[int, str]):
    """What becomes of each character, for str.translate; found out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = self[code] = "" if char in _MODIFIERS else _plain(char)
        return plain


def _plain(char: str) -> str:
    """A letter without its marks; only Latin is spelled out (ø, ł, ß), so that other scripts stay themselves."""
    if unicodedata.combining(char):
        return ""
    return anyascii(char) if unicodedata.name(char, "").startswith("LATIN") else char


_TABLE = _Plain()


def fold(text: str, *, join_initials: bool = True) -> str:
    """The words of a text in one form: no case, no accents, no punctuation, initials run together.

    "J.K. Rowling", "j.k._rowling" and "J K ROWLING" all give "jk rowling", or "j k rowling" with initials kept apart.
    """
    plain = unicodedata.normalize("NFKD", text).translate(_TABLE).casefold()
    words = _WORD.findall(plain)
    if not join_initials:
        return " ".join(words)
    out: list[str] = []
    initials = ""
    for word in words:
        if len(word) == 1 and word.isascii() and word.isalpha():
            initials += word
            continue
        out += [initials, word] if initials else [word]
        initials = ""
    return " ".join([*out, initials] if initials else out)


def together(text: str) -> str:
    """A text with its initials written without spaces ("J.K. Rowling"), so that what cuts it at spaces leaves them one.

    What fold() runs together must stay together where the words of a query are read one by one.
    """
    return _INITIAL.sub(r"\1.", text)


def terms(text: str) -> list[str]:
    """The folded words of a text, as an index keeps them: scripts without spaces by the character.

    So that a part of a Japanese title is found, as a phrase of its characters.
    """
    folded = fold(text)
    return (folded if folded.isascii() else _UNSPACED.sub(r" \g<0> ", folded)).split()
