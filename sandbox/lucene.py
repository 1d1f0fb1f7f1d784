"""The only place that reads Lucene's query syntax, as far as Open Library's search understands it.

Words and "phrases", all of which must be there; field:value; word~ and word~1 for words with typing errors; AND, OR,
NOT and parentheses. A field goes on over the words that follow it, until the next field, while a phrase or a
parenthesis ends it; that is Open Library's own addition to Lucene. Whatever is no syntax is read as words, and nothing
is ever refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.text import terms, together

MOST_EDITS = 2
"""Lucene goes no further, and takes this where `~` names no number."""

_TOKEN = re.compile(r'(?P<field>[a-z_]+):|"(?P<phrase>[^"]*)"?(?:~\d+)?|(?P<mark>[()])|(?P<word>[^\s()"]+)')
_FUZZY = re.compile(r"(?P<word>.+?)~(?P<edits>\d?(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word, or the words of a phrase, in one field or, under "", anywhere."""

    field: str
    words: tuple[str, ...]
    text: str
    """As it was written, for fields that hold no words."""
    edits: int = 0
    """How many typing errors the word may have."""


@dataclass(frozen=True, slots=True)
class Every:
    """All of it must be met; of nothing, nothing is."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Any of it is enough."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Without:
    """It must not be met."""

    part: "Query"


Query = Leaf | Every | Some | Without


def parse(text: str, known: Callable[[str], bool], field: str = "") -> Query:
    """The query that a text means.

    Args:
        text: What was asked.
        known: Tells a field's name from a word before a colon.
        field: The field of words that name none.
    """
    return _Reader(text, known).group(field)


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str, known: Callable[[str], bool]) -> None:
        self._tokens = list(_TOKEN.finditer(together(text)))
        self._known = known
        self._at = 0

    def group(self, field: str, *, inner: bool = False) -> Query:
        """All up to the end, or to the parenthesis that closes an inner group."""
        branches: list[list[Query]] = [[]]
        current, negated = field, False
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token["mark"] == ")":
                if inner:
                    break
                continue
            if token["word"] == "OR":
                branches.append([])
                continue
            if token["word"] in {"AND", "NOT"}:
                negated = token["word"] == "NOT"
                continue
            if token["field"] and self._known(token["field"]):
                current = token["field"]
                continue
            part = self.group(current, inner=True) if token["mark"] else _leaf(token, current)
            if token["word"] is None:
                current = field  # a field ends with its parenthesis or its phrase
            if part is not None:
                branches[-1].append(Without(part) if negated else part)
            negated = False
        return _joined(branches)


def _joined(branches: list[list[Query]]) -> Query:
    """The branches between ORs: OR binds the two parts beside it, as Solr has it where all words must match."""
    parts: list[Query] = list(branches[0])
    for branch in branches[1:]:
        if parts and branch:
            before = parts.pop()
            either = (*before.parts, branch[0]) if isinstance(before, Some) else (before, branch[0])
            parts += [Some(either), *branch[1:]]
        else:
            parts += branch
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _leaf(token: re.Match[str], field: str) -> Query | None:
    """The word or phrase of a token, or None when it has no letters."""
    if token["phrase"] is not None:
        words = tuple(terms(token["phrase"]))
        return Leaf(field, words, token["phrase"]) if words else None
    text = token["word"] or token["field"] or ""
    excluded = text.startswith("-") and len(text) > 1
    fuzzy = _FUZZY.fullmatch(text)
    edits = _edits(fuzzy["word"], fuzzy["edits"]) if fuzzy else 0
    bare = fuzzy["word"] if fuzzy else text
    words = tuple(terms(bare))
    if not words:
        return None
    # A word with an apostrophe or a hyphen is several to the index, and stands there as a phrase.
    leaf = Leaf(field, words, bare.lstrip("+-"), edits if len(words) == 1 else 0)
    return Without(leaf) if excluded else leaf


def _edits(word: str, given: str) -> int:
    """How many errors `~` allows; the older form, ~0.8, tells how alike the words must be."""
    if not given:
        return MOST_EDITS
    if "." in given:
        return min(MOST_EDITS, int((1 - min(1.0, float(given))) * len(word)))
    return min(MOST_EDITS, int(given))
