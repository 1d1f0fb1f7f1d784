"""The only place that decides what a text was, a title or an author, and which works come first. Pure.

Nothing is read from the text alone, for "Jane Eyre" looks like an author and "Homer" like a title: the works that the
providers found are the evidence, weighed by how many editions speak for each.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.books.v1.books_service_pb2 import (
    QUERY_KIND_AUTHOR,
    QUERY_KIND_TEXT,
    QUERY_KIND_TITLE,
    QUERY_KIND_TITLE_AND_AUTHOR,
    QueryInterpretation,
    QueryKind,
)
from bookmesh.type.v1.book_pb2 import FORMAT_AUDIO, FORMAT_NOT_A_BOOK, WORK_KIND_NOT_A_BOOK, Work

from services.books.likeness import name_key, spoken_name_key, title_key, words_of
from services.books.reading import Reading


class Title(enum.IntEnum):
    """How far a work's title is the text."""

    OTHER = 0
    HOLDS = 1
    """Every word of the text is in it."""
    BEGINS = 2
    """It begins with the text."""
    NEAR = 3
    """It is the text but for an article."""
    IS = 4
    """It is the text."""


class Name(enum.IntEnum):
    """How far an author's name is the text."""

    OTHER = 0
    HOLDS = 1
    """Every word of the text is in it: a surname, say."""
    SPOKEN = 2
    """It is the text but for initials."""
    IS = 3
    """It is the text, in either order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """How one work answers to a text."""

    work: Work
    title: Title
    name: Name
    author: str
    """The author whose name it is."""
    is_both: bool
    """The text is this work's title and its author's name."""
    known_words: int
    """Words of the text that are in title or names."""

    @property
    def editions(self) -> int:
        return len(self.work.editions) or 1


def understood(reading: Reading, works: Sequence[Work]) -> tuple[QueryInterpretation, list[Work]]:
    """What the text was, and the works with the best match first.

    Args:
        reading: what the text may mean.
        works: joined, in the order of the providers, which stands among equals.
    """
    matches = [_match(reading, work) for work in works]
    kind = _kind(matches)
    ranked = sorted(matches, key=lambda match: _rank(match, kind))
    interpretation = QueryInterpretation(kind=kind)
    if ranked and kind in (QUERY_KIND_TITLE, QUERY_KIND_TITLE_AND_AUTHOR):
        interpretation.title = ranked[0].work.title
    if ranked and kind in (QUERY_KIND_AUTHOR, QUERY_KIND_TITLE_AND_AUTHOR):
        interpretation.author = ranked[0].author
    return interpretation, [match.work for match in ranked]


def _kind(matches: Sequence[_Match]) -> QueryKind.ValueType:
    """The strongest evidence decides; where it is equally strong for both, the side with more editions."""
    for title, name in ((Title.NEAR, Name.SPOKEN), (Title.BEGINS, Name.HOLDS), (Title.HOLDS, Name.HOLDS)):
        titled = sum(match.editions for match in matches if match.title >= title)
        written = sum(match.editions for match in matches if match.name >= name)
        if written and written >= titled:
            return QUERY_KIND_AUTHOR
        if titled:
            return QUERY_KIND_TITLE
        if any(match.is_both for match in matches):
            return QUERY_KIND_TITLE_AND_AUTHOR
    return QUERY_KIND_TEXT


def _rank(match: _Match, kind: QueryKind.ValueType) -> tuple[bool, int, int, int, int, int]:
    title, name, both = -match.title, -match.name, -match.is_both
    if kind == QUERY_KIND_AUTHOR:
        order = (name, title, both)
    elif kind == QUERY_KIND_TITLE_AND_AUTHOR:
        order = (both, title, name)
    else:
        order = (title, both, name)
    return (_is_no_book(match.work), *order, -match.known_words, -match.editions)


def _match(reading: Reading, work: Work) -> _Match:
    wanted = set(words_of(reading.whole))
    name, author = max(
        ((_name(reading.whole, each.name), each.name) for each in work.authors), default=(Name.OTHER, "")
    )
    is_both, second = _both(reading, work)
    known = {word for each in (work.title, work.subtitle, *_names(work)) for word in words_of(each)}
    return _Match(
        work=work,
        title=max(_title(reading.whole, title) for title in _titles(work)),
        name=name,
        author=author if name else second,
        is_both=is_both,
        known_words=len(wanted & known),
    )


def _titles(work: Work) -> set[str]:
    """Every title that the work goes by."""
    whole = f"{work.title} {work.subtitle}" if work.subtitle else work.title
    return {work.title, whole, *(edition.title for edition in work.editions if edition.title)}


def _names(work: Work) -> list[str]:
    return [author.name for author in work.authors]


def _title(text: str, title: str) -> Title:
    wanted, found = title_key(text), title_key(title)
    if wanted == found:
        return Title.IS if words_of(text) == words_of(title) else Title.NEAR
    if found.startswith(f"{wanted} "):
        return Title.BEGINS
    return Title.HOLDS if set(words_of(text)) <= set(words_of(title)) else Title.OTHER


def _name(text: str, name: str) -> Name:
    if name_key(text) == name_key(name):
        return Name.IS
    spoken = spoken_name_key(text)
    if spoken and spoken == spoken_name_key(name):
        return Name.SPOKEN
    return Name.HOLDS if set(words_of(text)) <= set(words_of(name)) else Name.OTHER


def _both(reading: Reading, work: Work) -> tuple[bool, str]:
    """Whether the text is this work's title with words of an author's name, and which author's."""
    title = set(title_key(work.title).split())
    wanted = set(title_key(reading.parts or reading.whole).split())
    rest = wanted - title
    if not (title and rest and title <= wanted):
        return False, ""
    author = max(_names(work), key=lambda name: len(rest & set(words_of(name))), default="")
    return rest <= {word for name in _names(work) for word in words_of(name)}, author


def _is_no_book(work: Work) -> bool:
    """A film, a recording or a calendar, all its editions taken together."""
    return work.kind == WORK_KIND_NOT_A_BOOK or (
        bool(work.editions) and all(edition.format in (FORMAT_AUDIO, FORMAT_NOT_A_BOOK) for edition in work.editions)
    )
