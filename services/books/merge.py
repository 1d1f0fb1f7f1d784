"""The only place that makes one list of works out of what several providers gave: which belong together. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_EBOOK,
    FORMAT_NOT_A_BOOK,
    FORMAT_UNSPECIFIED,
    WORK_KIND_UNSPECIFIED,
    Author,
    Edition,
    Work,
)

from services.books.likeness import name_key, title_key

SUBJECT_LIMIT = 30
"""Subjects that are kept of one work."""

_AFTER_PRINT = {FORMAT_UNSPECIFIED: 1, FORMAT_EBOOK: 2, FORMAT_AUDIO: 3, FORMAT_NOT_A_BOOK: 4}
"""Printed editions come first, what is no book last."""

_TEXTS = ("isbn_13", "isbn_10", "title", "publisher", "publication_date", "language", "cover_uri")
_NUMBERS = ("page_count", "format")
_COUNTED = ("isbn_13", "publisher", "publication_date", "page_count", "language", "cover_uri")


@dataclass(slots=True, eq=False)
class _Joined:
    """A work under way."""

    work: Work
    """All of it but its editions."""
    authors: set[str]
    """The keys of its authors' names."""
    editions: list[Edition] = field(default_factory=list)
    """Its editions."""


def merged(works: Iterable[Work]) -> list[Work]:
    """Works out of works, each with all of its editions, in the order in which the first of each came.

    Editions that share an ISBN are one. Works join where title and author are the same, or where they share an edition
    and no author speaks against it; never for their title alone.

    Args:
        works: as the providers gave them, the most trusted provider first; they are only read.
    """
    shelf = _Shelf()
    for work in works:
        shelf.take(work)
    return [_finished(joined) for joined in shelf.all]


def in_language(works: Sequence[Work], language: str) -> list[Work]:
    """The works with those of their editions that are in a language, or may be; a work that is left without goes.

    Args:
        works: they are changed.
        language: a primary subtag.
    """
    kept = []
    for work in works:
        editions = [edition for edition in work.editions if edition.language in ("", language)]
        if len(editions) < len(work.editions):
            if not editions:
                continue
            work.ClearField("editions")
            work.editions.extend(editions)
        kept.append(work)
    return kept


class _Shelf:
    """The works so far, found by what makes them one."""

    def __init__(self) -> None:
        self.all: list[_Joined] = []
        self._by_name: dict[tuple[str, str], _Joined] = {}
        self._by_isbn: dict[str, tuple[_Joined, Edition]] = {}

    def take(self, work: Work) -> None:
        """Adds a work, or what is new in it."""
        title, authors = title_key(work.title), {name_key(author.name) for author in work.authors}
        joined = self._found(title, authors, work.editions)
        if joined is None:
            joined = _Joined(Work(), authors)
            joined.work.CopyFrom(work)
            joined.work.ClearField("editions")
            self._add_editions(joined, work.editions)
            if work.editions and not joined.editions:
                # Each of its editions is another work's already, so there is nothing left that is its own.
                return
            self.all.append(joined)
        else:
            _fill_work(joined.work, work)
            joined.authors |= authors
            self._add_editions(joined, work.editions)
        for author in authors:
            self._by_name.setdefault((title, author), joined)

    def _found(self, title: str, authors: set[str], editions: Sequence[Edition]) -> _Joined | None:
        for author in authors:
            if (title, author) in self._by_name:
                return self._by_name[title, author]
        for edition in editions:
            if edition.isbn_13 in self._by_isbn:
                other = self._by_isbn[edition.isbn_13][0]
                if not authors or not other.authors or authors & other.authors:
                    return other
        return None

    def _add_editions(self, joined: _Joined, editions: Iterable[Edition]) -> None:
        for edition in editions:
            if edition.isbn_13 and edition.isbn_13 in self._by_isbn:
                _fill_edition(self._by_isbn[edition.isbn_13][1], edition)
            elif edition.isbn_13 or edition not in joined.editions:
                kept = Edition()
                kept.CopyFrom(edition)
                joined.editions.append(kept)
                if kept.isbn_13:
                    self._by_isbn[kept.isbn_13] = (joined, kept)


def _fill_work(work: Work, other: Work) -> None:
    """Takes from another record of the same work what this one lacks."""
    work.subtitle = work.subtitle or other.subtitle
    if not work.authors:
        work.authors.extend(other.authors)
    years = [year for year in (work.first_publication_year, other.first_publication_year) if year]
    work.first_publication_year = min(years, default=0)
    work.identifiers.extend(identifier for identifier in other.identifiers if identifier not in work.identifiers)
    if len(other.synopsis) > len(work.synopsis):
        work.synopsis = other.synopsis
    if work.kind == WORK_KIND_UNSPECIFIED:
        work.kind = other.kind
    known = {subject.casefold() for subject in work.subjects}
    more = [subject for subject in other.subjects if subject.casefold() not in known]
    work.subjects.extend(more[: max(0, SUBJECT_LIMIT - len(work.subjects))])


def _fill_edition(edition: Edition, other: Edition) -> None:
    """Takes from another record of the same edition what this one lacks, and names who gave it."""
    filled = False
    for name in (*_TEXTS, *_NUMBERS):
        if not getattr(edition, name) and getattr(other, name):
            setattr(edition, name, getattr(other, name))
            filled = True
    for identifier in other.identifiers:
        if identifier not in edition.identifiers:
            edition.identifiers.append(identifier)
            filled = True
    named = (edition.provider, *edition.contributing_providers)
    if filled and other.provider not in named:
        edition.contributing_providers.append(other.provider)


def _finished(joined: _Joined) -> Work:
    work = joined.work
    work.editions.extend(sorted(joined.editions, key=_rank))
    if work.authors:
        work.id = work_id(title_key(work.title), name_key(work.authors[0].name))
    else:
        work.id = work_id(title_key(work.title), work.editions[0].isbn_13 if work.editions else "")
    names: dict[str, str] = {}
    for author in work.authors:
        names.setdefault(name_key(author.name), author.name)
    if len(names) < len(work.authors):
        work.ClearField("authors")
        work.authors.extend(Author(name=name) for name in names.values())
    return work


def work_id(title: str, author: str) -> str:
    """The same name for a work in every process and on every day, for it is made of title and author alone."""
    return "w" + hashlib.blake2b(f"{title}\0{author}".encode(), digest_size=10).hexdigest()


def _rank(edition: Edition) -> tuple[int, int]:
    """Print before the rest, the fullest record first; sorting keeps the providers' order among equals."""
    return _AFTER_PRINT.get(edition.format, 0), -sum(bool(getattr(edition, name)) for name in _COUNTED)
