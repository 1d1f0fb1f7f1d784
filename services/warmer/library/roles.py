"""The only place that knows what people do to a book besides writing it, and takes that off their names. Pure."""

import re
from collections.abc import Sequence

from services.cataloguing.names import display_name

_OTHERS = re.compile(
    r"(?i)\b(?:transl|übers|traduc|tradutt|vertal|översätt|tłum|przekł|přel|çev|перев|пер\.|"
    r"illustr|ilustr|иллюстр|худож|illus\b|ill\b|narr|read(?:er| by)|photo|cover|intro|fore|after|"
    r"preface|contrib|edit|ред\.|hrsg|herausg|adapt|artist|colou?r|letter|ink|penc|design|compil|annot|comment|voice|"
    r"sprecher)|[訳译譯編编修絵繪绘画注]|イラスト|写真|解説|옮김|엮음|그림|(?<!\w)역"
)
"""Roles of people who are not the author."""

_SHORT = frozenset({"ed", "eds", "editor", "editors", "trans", "translator", "illustrator", "hrsg", "dir", "narrator"})
_OWN = frozenset({"author", "authors", "jointauthor", "writer", "autor", "autorin", "auteur", "autore", "verfasser"})
"""What is said of an author: nothing that is worth to be kept."""

_WIDE = str.maketrans("\uff0c\uff1b\uff0f\uff1a\uff08\uff09\uff3b\uff3d\u3010\u3011\u3014\u3015", ",;/:()[][][]")
"""Signs as wide as a Han letter, and what they are else."""

_BRACKETS = re.compile(r"\s*[(\[{<]([^()\[\]{}<>]*)[)\]}>]\s*")
_WITHIN = re.compile(r"[,;/|&、]|(?<!\w)(?:and|und|et|y|e)(?!\w)")
"""What stands between two roles of one person, and parts no two people."""

_LED = re.compile(
    r"(?i)^(?:(?:an?\s+)?([^\W\d_]{4,14})\s+(?:by|von|par|por|da|door|av)|(transl?|ill(?:us)?|hrsg|eds?|tr(?:ad)?)\.)\s+(?=\S)"
)
"""A role in front of a name: "illustrated by", "trans."."""

_WROTE = frozenset({"written", "geschrieben", "écrit", "escrito", "scritto", "geschreven", "novel", "story", "roman"})

_LONG_HAN = "编著|編著|合著|主编|主編|翻訳|监修|監修|著|訳|译|譯"
_HAN = re.compile(
    rf"(?:\s*[/:]\s*|\s+)({_LONG_HAN}|原作|原著|作|編集|編|编|校注|絵|繪|绘|画|作画|イラスト|写真|解説|"
    rf"지음|저|글|옮김|엮음|그림|역)(?=[\s;,、/]|$)|(?<=\w)({_LONG_HAN})(?=[\s;,、/]|$)"
)
"""A role behind a name in Chinese, Japanese or Korean, which takes no brackets: "村上 春樹 著"."""

_YEARS = re.compile(
    r"(?i)(?:(?:b|d|c|ca|fl)\.?\s*|born\s+|died\s+|active\s+)*(?:\d{3,4}\??\s*[-\u2013]?\s*(?:\d{3,4}\??)?|"
    r"\d+(?:st|nd|rd|th)\s+cent(?:\.|ury))\.?"
)
"""When somebody lived, as libraries write it behind a name."""


def bracketed(text: str) -> str:
    """A text of people whose roles all stand in brackets, in which nothing parts two people."""
    if not text.isascii():
        text = _HAN.sub(lambda found: f" ({found[1] or found[2]}); ", text.translate(_WIDE))
    return _BRACKETS.sub(lambda found: _WITHIN.sub(" ", found[0]), text)


def role_behind(part: str) -> str:
    """A part between commas with its role in brackets behind the name: "trans. Ann Other" is "Ann Other (trans)"."""
    found = _LED.match(part)
    if found is None:
        return part
    role = found[1] or found[2]
    if role.casefold() in _WROTE:
        return part[found.end() :]
    return f"{part[found.end() :]} ({role})" if found[2] or _OTHERS.search(role) else part


def has_role(part: str) -> bool:
    """Whether a role in brackets says of a name that it is no author's."""
    return any(_OTHERS.search(found) or is_short_role(found) for found in _BRACKETS.findall(part))


def without_role(name: str) -> tuple[str, bool]:
    """A name without what stands in brackets beside it, and whether that is another role than the author's."""
    bare = _BRACKETS.sub(" ", name)
    return " ".join(display_name(bare).split()) or " ".join(bare.split()).strip(" ,"), has_role(name)


def without_others(names: Sequence[str], roles: str) -> tuple[str, ...]:
    """Those of some people whose role, in a list beside them, is that of an author."""
    words = [role.strip() for role in roles.split("|")]
    return tuple(name for at, name in enumerate(names) if at >= len(words) or not _OTHERS.search(words[at]))


def is_short_role(part: str) -> bool:
    """Whether what stands behind a comma is a role: "Smith, John, ed."."""
    return letters(part) in _SHORT


def says_nothing(part: str) -> bool:
    """Whether what stands behind a comma is no part of a name: years of a life, or that an author is one."""
    return _YEARS.fullmatch(part) is not None or letters(part) in _OWN


def letters(text: str) -> str:
    """The letters of a text, without case."""
    return "".join(filter(str.isalpha, text.casefold()))
