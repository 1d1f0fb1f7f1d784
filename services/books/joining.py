"""The only place that decides which records are of one work: by title and author, or by an ISBN. Pure.

"Never for the title alone" has a second half: a title that begins another is not that one either. "Sapiens: A Brief
History" joins "Sapiens" where the author has one such longer title, and "Mistborn: The Well of Ascension" joins none.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import Work

from services.books.kinds import kind_of_title
from services.books.likeness import name_key, spoken_name_key, title_key, words_of

_TELLS_NOTHING = re.compile(
    r"(?ix) ^ (?:an?|the)? \s* (?:[\w'-]+\s){0,3}"
    r"(?: novels? | novella | memoir | thriller | mystery | romance | stor(?:y|ies) | tales? | poems? | essays | play"
    r"| biography | autobiography | roman | romanzo | novela ) $"
    r"| \b(?: edition | anniversary | unabridged | illustrated | paperback | hardcover | large \s print"
    r"| with \s (?:an? \s)? introduction | authoritative \s text )\b"
)
"""A subtitle that names a kind of book or a printing, so that a work with it is the work without it."""

_ANOTHER = re.compile(r"(?i)\b(?:graphic|manga|comics?|retold|screenplay|adapt(?:ed|ation)|abridged)\b")
"""A subtitle that makes another work of the one that it is made from."""


_WITH_AND_WITHOUT = 2
"""Spellings of a name that are surely one's: with initials, and without."""


@dataclass(frozen=True, slots=True)
class _Record:
    """What of one record tells which work it is of."""

    at: int
    """Its place among the records."""
    full: str
    """The key of its whole title."""
    heads: frozenset[str]
    """The keys of what may be its title without its subtitle."""
    authors: frozenset[str]
    """The keys of its authors' names."""
    work: Work
    """The record."""


class _Joins:
    """Things that are one, as far as is known; a thing is one of any hashable."""

    def __init__(self) -> None:
        self._parent: dict[object, object] = {}

    def one(self, thing: object) -> object:
        """What stands for all that are one with a thing."""
        parent = thing
        while (above := self._parent.get(parent, parent)) != parent:
            parent = above
        if parent != thing:
            self._parent[thing] = parent
        return parent

    def join(self, thing: object, other: object) -> None:
        """Two things are one; the first stands for both."""
        kept, gone = self.one(thing), self.one(other)
        if kept != gone:
            self._parent[gone] = kept


def full_title(work: Work) -> str:
    """The key of a work's title with its subtitle, where that tells something."""
    if not work.subtitle or (_TELLS_NOTHING.search(work.subtitle) and not _ANOTHER.search(work.subtitle)):
        return title_key(work.title)
    return title_key(f"{work.title} {work.subtitle}")


def groups(works: Sequence[Work]) -> list[list[Work]]:
    """The records of each work together, in the order in which the first of each came."""
    if len(works) == 1:
        return [list(works)]
    records = [_record(at, work) for at, work in enumerate(works)]
    joins, names = _Joins(), _Joins()
    _join_editions(records, joins, names)
    _join_initials(records, names)
    by_title: dict[tuple[str, object], _Record] = {}
    for record in records:
        for author in _canonical(record, names):
            joins.join(by_title.setdefault((record.full, author), record).at, record.at)
    _join_subtitles(records, by_title, joins, names)
    found: defaultdict[object, list[Work]] = defaultdict(list)
    for record in records:
        found[joins.one(record.at)].append(record.work)
    return list(found.values())


def _record(at: int, work: Work) -> _Record:
    full, heads = full_title(work), {title_key(work.title)}
    head, joint, _ = work.title.partition(": ")
    if joint:
        heads.add(title_key(head))
    whole = f"{work.title}: {work.subtitle}"
    if (joint or work.subtitle) and (_ANOTHER.search(whole) or kind_of_title(whole)):
        # A guide to a book and a graphic novel of it begin with its title, and are not it.
        heads.clear()
    authors = frozenset(name_key(author.name) for author in work.authors)
    return _Record(at, full, frozenset(heads - {full}), authors, work)


def _join_editions(records: Iterable[_Record], joins: _Joins, names: _Joins) -> None:
    """Joins records that share an ISBN, unless their authors are others; two spellings of a name become one by it."""
    holders: defaultdict[str, list[_Record]] = defaultdict(list)
    for record in records:
        for isbn in {edition.isbn_13 for edition in record.work.editions if edition.isbn_13}:
            for other in holders[isbn]:
                if not record.authors or not other.authors or record.authors & other.authors:
                    joins.join(other.at, record.at)
                elif pair := _one_writer(other, record):
                    names.join(*pair)
                    joins.join(other.at, record.at)
            holders[isbn].append(record)


def _one_writer(record: _Record, other: _Record) -> tuple[str, str] | None:
    """The keys of two spellings of one name: "J.K. Rowling" and "Joanne K. Rowling" share surname and first letter."""
    for author in record.work.authors:
        for writer in other.work.authors:
            words, others = words_of(author.name), words_of(writer.name)
            if words and others and words[-1] == others[-1] and words[0][0] == others[0][0]:
                return name_key(author.name), name_key(writer.name)
    return None


def _join_initials(records: Iterable[_Record], names: _Joins) -> None:
    """Makes "Ursula Le Guin" one with "Ursula K. Le Guin", where no other has these names with other initials."""
    spelt: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        for author in record.work.authors:
            if spoken := spoken_name_key(author.name):
                spelt[spoken].add(name_key(author.name))
    for spoken, keys in spelt.items():
        if spoken in keys and len(keys) == _WITH_AND_WITHOUT:
            names.join(*keys)


def _canonical(record: _Record, names: _Joins) -> set[object]:
    """What stands for each of a record's authors: one for all known spellings."""
    return {names.one(author) for author in record.authors}


def _join_subtitles(
    records: Sequence[_Record], by_title: Mapping[tuple[str, object], _Record], joins: _Joins, names: _Joins
) -> None:
    """Joins a longer title to what it begins with, where the author has one such longer title alone."""
    longer: defaultdict[tuple[str, object], list[_Record]] = defaultdict(list)
    for record in records:
        for author in _canonical(record, names):
            for head in record.heads:
                longer[head, author].append(record)
    for key, found in longer.items():
        if key in by_title and _are_one(found, joins):
            joins.join(by_title[key].at, found[0].at)


def _are_one(records: Sequence[_Record], joins: _Joins) -> bool:
    """Whether longer titles are one work's: joined already, or the beginning of one another."""
    first, *others = records
    for other in others:
        if joins.one(first.at) == joins.one(other.at):
            continue
        if not f"{first.full} ".startswith(f"{other.full} ") and not f"{other.full} ".startswith(f"{first.full} "):
            return False
        joins.join(first.at, other.at)
    return True
