"""The only place that tells what columns and lines hold by what stands in them, where no header says it. Pure."""

import re
from collections.abc import Sequence

from services.warmer.library.columns import NOWHERE
from services.warmer.library.isbn_cells import Fault, isbn13_of, read

MOST = 0.6
"""The share of lines that tells what they all are; one in three may be odd."""

HALF = 0.5

_WIDEST = 100
"""Columns that are looked at for what they hold."""

_NAME = re.compile(r"[^\W\d_][^\d@#/\\:!?()\[\]{}<>\"^~]{1,59}")
_SMALL = re.compile(r"(?:[a-z]|ll|d|l)['\u2019]?\w*")
_NUMBER = re.compile(r"\s*(?:\d{1,5}[.)]|[-*\u2022\u2013])\s+")
"""What stands before a line of a list that somebody has numbered."""

_NAME_WORDS = 5
_PARTICLE = 4


def unnumbered(line: str) -> str:
    """A line of a list without its number or its mark: "12. Jane Austen", "- Jane Austen"."""
    found = _NUMBER.match(line)
    return line[found.end() :] if found else line


def isbn_places(rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns of which at least half of what is in them are ISBNs."""
    places: list[int] = []
    for place in range(_width(rows)):
        held = [row[place] for row in rows if place < len(row) and row[place].strip()]
        if held and sum(map(_is_sure, held)) >= HALF * len(held):
            places.append(place)
    return places


def text_places(rows: Sequence[Sequence[str]], isbn: int = NOWHERE) -> tuple[int, int]:
    """Which columns are title and author, of those that hold letters: what looks more like names is the author.

    Args:
        rows: the first ones.
        isbn: the column that holds ISBNs.
    """
    held = {
        place: found
        for place in range(_width(rows))
        if place != isbn and (found := [row[place] for row in rows if place < len(row) and _has_letters(row[place])])
    }
    texts = [place for place, found in held.items() if len(found) >= HALF * len(rows)][:2]
    if not texts:
        return NOWHERE, NOWHERE
    if len(texts) == 1:
        return texts[0], NOWHERE
    first, second = (_likeness(held[place]) for place in texts)
    return (texts[1], texts[0]) if first > second else (texts[0], texts[1])


def share_of_people(cells: Sequence[str]) -> float:
    """How many of some texts are whole names of people: two words at least, the last one no initial."""
    return sum(map(_is_whole_name, cells)) / len(cells) if cells else 0


def looks_like_name(text: str) -> bool:
    """Whether a text may be a person's name: one to five words without digits, each with a capital or a particle."""
    words = text.strip().replace(",", " ").split()
    if not 1 <= len(words) <= _NAME_WORDS or not _NAME.fullmatch(text.strip()):
        return False
    if words[0].casefold() in {"the", "a", "an", "my", "how", "what", "why"}:
        return False
    return all(_has_letters(word) and (not word[0].islower() or _is_small(word)) for word in words)


def is_isbn_shaped(line: str) -> bool:
    """Whether a line holds an ISBN, or what was meant for one."""
    found = read(line)
    return bool(found.isbn13) or found.fault is Fault.WRONG_CHECK_DIGIT


def _likeness(cells: Sequence[str]) -> tuple[float, float]:
    """How much some texts look like people: the share of names, and of names of more words than one."""
    return sum(map(looks_like_name, cells)) / len(cells), share_of_people(cells)


def _is_whole_name(text: str) -> bool:
    words = text.split()
    if len(words) == 1 or "," in text or not looks_like_name(text):
        return False
    return not (words[-1].endswith(".") or words[-1][0].islower())


def _width(rows: Sequence[Sequence[str]]) -> int:
    return min(max(map(len, rows), default=0), _WIDEST)


def _is_sure(cell: str) -> bool:
    """Whether a cell is an ISBN that nothing else can be: one of ten digits may be any number, one time in eleven."""
    isbn13 = isbn13_of(cell)
    return bool(isbn13) and (isbn13 in cell.replace("-", "").replace(" ", "") or "X" in cell or cell.strip()[0] == "0")


def _is_small(word: str) -> bool:
    """Whether a word may stand in a name without a capital: "van", "d'"."""
    return len(word) <= _PARTICLE and _SMALL.fullmatch(word) is not None


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
