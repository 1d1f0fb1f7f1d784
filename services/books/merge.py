"""The only place that makes one list of works out of what several providers gave. Pure.

`joining` says which records are one work, and `fields` what of each is kept.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_EBOOK,
    FORMAT_NOT_A_BOOK,
    FORMAT_UNSPECIFIED,
    Edition,
    Work,
)

from services.books.fields import COUNTED, fill_edition, fill_work, set_authors
from services.books.joining import full_title, groups
from services.books.kinds import kind_of
from services.books.likeness import name_key, title_key

_AFTER_PRINT = {FORMAT_UNSPECIFIED: 1, FORMAT_EBOOK: 2, FORMAT_AUDIO: 3, FORMAT_NOT_A_BOOK: 4}
"""Printed editions come first, what is no book last."""


def merged(works: Iterable[Work]) -> list[Work]:
    """Works out of works, each with all of its editions, in the order in which the first of each came.

    Editions that share an ISBN are one. Works join where title and author are the same, or where they share an edition
    and no author speaks against it; never for their title alone.

    Args:
        works: as the providers gave them, the most trusted provider first; they are only read.
    """
    shelf: dict[str, Edition] = {}
    made = [_work(group, shelf) for group in groups(list(works))]
    kept = [work for work in made if work is not None]
    _name(kept)
    return kept


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


def isbn_first(works: Sequence[Work], isbn13: str) -> list[Work]:
    """The works with the one of an ISBN first, and in that the edition of the ISBN.

    Args:
        works: they are changed.
        isbn13: the ISBN.
    """
    for work in works:
        if len(work.editions) == 1:
            continue
        editions = sorted(work.editions, key=lambda edition: edition.isbn_13 != isbn13)
        work.ClearField("editions")
        work.editions.extend(editions)
    return sorted(works, key=lambda work: not any(edition.isbn_13 == isbn13 for edition in work.editions))


def work_id(title: str, author: str) -> str:
    """The same name for a work in every process and on every day, for it is made of title and author alone."""
    return "w" + hashlib.blake2b(f"{title}\0{author}".encode(), digest_size=10).hexdigest()


def _work(group: Sequence[Work], shelf: dict[str, Edition]) -> Work | None:
    """One work out of the records of it; None where each of its editions is another work's already.

    Args:
        group: the records.
        shelf: the editions so far by ISBN; those of the work are added.
    """
    work = Work()
    work.CopyFrom(group[0])
    work.ClearField("editions")
    for other in group[1:]:
        fill_work(work, other)
    editions = _editions(group, title_key(work.title), shelf)
    if not editions and any(each.editions for each in group):
        return None
    work.editions.extend(sorted(editions, key=_rank) if len(editions) > 1 else editions)
    set_authors(work)
    work.kind = kind_of(work)
    return work


def _editions(group: Sequence[Work], title: str, shelf: dict[str, Edition]) -> list[Edition]:
    """The editions of a work, each once; one that lies on the shelf already is filled where it lies."""
    found: list[Edition] = []
    for record in group:
        for edition in record.editions:
            known = shelf.get(edition.isbn_13) if edition.isbn_13 else _same(edition, found)
            if known is not None:
                fill_edition(known, edition)
                continue
            kept = Edition()
            kept.CopyFrom(edition)
            if not kept.title and title_key(record.title) != title:
                kept.title = record.title
            found.append(kept)
            if kept.isbn_13:
                shelf[kept.isbn_13] = kept
    return found


def _same(edition: Edition, found: Iterable[Edition]) -> Edition | None:
    """The edition without an ISBN that is this one: a catalogue's name for both tells, or all that is said of them."""
    for other in found:
        if other.isbn_13:
            continue
        if other == edition or any(identifier in other.identifiers for identifier in edition.identifiers):
            return other
    return None


def _name(works: Sequence[Work]) -> None:
    """Gives each work its id: title and first author, and the subtitle where several have both in common."""
    names = [(title_key(work.title), _writer(work)) for work in works]
    count = Counter(names) if len(names) > 1 else dict.fromkeys(names, 1)
    for work, (title, writer) in zip(works, names, strict=True):
        work.id = work_id(title if count[title, writer] == 1 else full_title(work), writer)


def _writer(work: Work) -> str:
    """The first author's key; where nobody is named, an ISBN tells works of one title apart."""
    if work.authors:
        return name_key(work.authors[0].name)
    return work.editions[0].isbn_13 if work.editions else ""


def _rank(edition: Edition) -> tuple[int, int]:
    """Print before the rest, the fullest record first; sorting keeps the providers' order among equals."""
    return _AFTER_PRINT.get(edition.format, 0), -sum(bool(getattr(edition, name)) for name in COUNTED)
