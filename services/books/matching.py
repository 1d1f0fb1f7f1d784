"""The only place that says how far one work is what a text asks for: by title, by name, or by both. Pure."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import Work

from services.books.likeness import UNLIKE, errors_between, name_key, spoken_name_key, title_key, words_of
from services.books.reading import Reading

_PREFIX_ERROR = 0.5
"""What a text that only begins a title weighs in errors, so that a whole title like it goes before."""


_MAIN_ERROR = 3.5
"""What a title weighs in errors that is the text without its subtitle; more than an error of typing ever does."""


class Title(enum.IntEnum):
    """How far a work's title is the text."""

    OTHER = 0
    HOLDS = 1
    """Every word of the text is in it."""
    ALIKE = 2
    """It is the text, or begins with it, but for errors of typing; or is the text without what may be its subtitle."""
    BEGINS = 3
    """It begins with the text."""
    NEAR = 4
    """It is the text but for an article."""
    IS = 5
    """It is the text."""


class Name(enum.IntEnum):
    """How far an author's name is the text."""

    OTHER = 0
    HOLDS = 1
    """Every word of the text is in it: a surname, say."""
    ALIKE = 2
    """It is the text but for errors of typing."""
    SPOKEN = 3
    """It is the text but for initials."""
    IS = 4
    """It is the text, in either order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How one work answers to a text."""

    work: Work
    """The work."""
    title: Title
    """How far the text is its title."""
    errors: float
    """Errors of typing that this takes for granted; 0 where the title is not ALIKE."""
    name: Name
    """How far the text is an author's name."""
    author: str
    """The author whose name it is."""
    both: Title
    """How far one part of the text is its title, where the rest is an author's name; OTHER where it is not."""
    known_words: int
    """Words of the text that are in title or names."""

    @property
    def is_good(self) -> bool:
        """Whether it is likely that this was meant, so that nobody need be asked further."""
        return self.title >= Title.BEGINS or self.name >= Name.SPOKEN or self.both >= Title.BEGINS


def match_of(reading: Reading, work: Work) -> Match:
    """How a work answers to a text."""
    name, named = _best_name(reading.whole, work)
    both, writer = _both(reading, work)
    title, errors = _best_title(reading.whole, "" if reading.author else reading.main, _titles(work))
    if both == Title.ALIKE and title < Title.ALIKE:
        errors = _best_title(reading.title, reading.main, _titles(work))[1]
    known = {word for text in (work.title, work.subtitle, *_names(work)) for word in words_of(text)}
    return Match(
        work=work,
        title=title,
        errors=errors,
        name=name,
        author=named if name else writer,
        both=both,
        known_words=len(known.intersection(words_of(reading.whole))),
    )


def _titles(work: Work) -> set[str]:
    """Every title that the work goes by."""
    whole = f"{work.title} {work.subtitle}" if work.subtitle else work.title
    return {work.title, whole, *(edition.title for edition in work.editions if edition.title)}


def _names(work: Work) -> list[str]:
    return [author.name for author in work.authors]


def _best_title(text: str, main: str, titles: Iterable[str]) -> tuple[Title, float]:
    """How far the best of some titles is a text, and the errors that this takes for granted."""
    found = [_title(text, title) for title in titles]
    if main:
        # A title that is only the text's beginning comes after one that is the text but for errors: what it lacks may
        # name another volume.
        found += [
            (Title.ALIKE, errors + _MAIN_ERROR)
            for match, errors in (_title(main, title) for title in titles)
            if match in (Title.IS, Title.NEAR, Title.ALIKE)
        ]
    best, errors = max(found, key=lambda match: (match[0], -match[1]))
    return best, errors if best == Title.ALIKE else 0.0


def _title(text: str, title: str) -> tuple[Title, float]:
    wanted, found = title_key(text), title_key(title)
    if wanted == found:
        return (Title.IS if words_of(text) == words_of(title) else Title.NEAR), 0.0
    if found.startswith(f"{wanted} "):
        return Title.BEGINS, 0.0
    errors: float = errors_between(wanted, found)
    if errors == UNLIKE:
        beginning = " ".join(found.split()[: len(wanted.split())])
        errors = errors_between(wanted, beginning) + _PREFIX_ERROR if beginning != found else UNLIKE
    if errors < UNLIKE:
        return Title.ALIKE, errors
    return (Title.HOLDS if set(words_of(text)) <= set(words_of(title)) else Title.OTHER), 0.0


def _best_name(text: str, work: Work) -> tuple[Name, str]:
    found = [(_name(text, name), name) for name in _names(work)]
    return max(found, key=lambda match: match[0], default=(Name.OTHER, ""))


def _name(text: str, name: str) -> Name:
    wanted, found = name_key(text), name_key(name)
    if wanted == found:
        return Name.IS
    spoken = spoken_name_key(text)
    if spoken and spoken == spoken_name_key(name):
        return Name.SPOKEN
    if set(words_of(text)) <= set(words_of(name)):
        return Name.HOLDS
    # In either order: the words of a key stand in the alphabet's, which an error of typing may change.
    return Name.ALIKE if min(errors_between(wanted, found), _spelt(text, name)) < UNLIKE else Name.OTHER


def _spelt(text: str, name: str) -> int:
    return errors_between(" ".join(words_of(text)), " ".join(words_of(name)))


def _both(reading: Reading, work: Work) -> tuple[Title, str]:
    """How far the text is this work's title with the name of an author or words of it, and which author's."""
    if reading.author:
        name, writer = _best_name(reading.author, work)
        if name:
            return _best_title(reading.title, reading.main, _titles(work))[0], writer
    title = set(title_key(work.title).split())
    wanted = set(title_key(reading.parts or reading.whole).split())
    rest = wanted - title
    if not (title and rest and title <= wanted):
        return Title.OTHER, ""
    writer = max(_names(work), key=lambda name: len(rest & set(words_of(name))), default="")
    known = {word for name in _names(work) for word in words_of(name)}
    return (Title.IS if rest <= known else Title.OTHER), writer
