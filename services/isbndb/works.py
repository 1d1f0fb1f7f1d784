"""Editions into works: which belong together, which stands first, and what the work is called. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_EBOOK,
    FORMAT_NOT_A_BOOK,
    FORMAT_UNSPECIFIED,
    WORK_KIND_NOT_A_BOOK,
    Author,
    Work,
)

from services.cataloguing.subjects import SUBJECT_LIMIT
from services.cataloguing.titles import name_key, title_key
from services.isbndb.convert import Record

_AFTER_PRINT = {FORMAT_UNSPECIFIED: 1, FORMAT_EBOOK: 2, FORMAT_AUDIO: 3, FORMAT_NOT_A_BOOK: 4}
"""Printed editions come first, what is no book last."""

_Key = tuple[str, str]
"""Title and first author, folded."""


def works_of(records: Iterable[Record], *, author: str = "") -> list[Work]:
    """Works with their editions, as `works_in_turn` makes them."""
    return list(works_in_turn(records, author=author))


def works_in_turn(records: Iterable[Record], *, author: str = "") -> Iterator[Work]:
    """Works with their editions, in the order in which their first editions came, one after the other.

    Args:
        records: the editions; of those with the same ISBN the first is kept.
        author: who wrote those editions that name nobody, as the records of an author's own page may.
    """
    groups: defaultdict[_Key, list[Record]] = defaultdict(list)
    seen: set[str] = set()
    for record in records:
        isbn = record.edition.isbn_13
        if isbn and isbn in seen:
            continue
        seen.add(isbn)
        groups[_key(record, author)].append(record)
    _join_subtitles(groups)
    for key, group in groups.items():
        yield _work(key, group, author)


def _key(record: Record, author: str) -> _Key:
    first = record.authors[0] if record.authors else author
    return title_key(record.title.main), name_key(first)


def _join_subtitles(groups: defaultdict[_Key, list[Record]]) -> None:
    """Joins "Sapiens: A Brief History" to "Sapiens", but only where the author has one such longer title.

    "Mistborn: The Final Empire" and "Mistborn: The Well of Ascension" are two works, with a "Mistborn" or without.
    """
    longer: defaultdict[_Key, set[_Key]] = defaultdict(set)
    for key, group in groups.items():
        main, joint, _ = group[0].title.main.partition(": ")
        if joint:
            longer[title_key(main), key[1]].add(key)
    for key, keys in longer.items():
        if key in groups and len(keys) == 1 and key not in keys:
            groups[key] += groups.pop(keys.pop())


def _work(key: _Key, group: Sequence[Record], author: str) -> Work:
    ranked = sorted(group, key=_rank)
    best = ranked[0]
    # Of joined editions some have a longer title; one that has the work's own is always there.
    main = next(record.title.main for record in ranked if title_key(record.title.main) == key[0])
    work = Work(
        id=work_id(key),
        title=main,
        subtitle=next((record.title.subtitle for record in ranked if record.title.subtitle), ""),
        authors=[Author(name=name) for name in best.authors or _anybody(ranked) or ((author,) if author else ())],
        first_publication_year=min((record.year for record in ranked if record.year), default=0),
        synopsis=max((record.synopsis for record in ranked), key=len),
    )
    subjects = {subject.casefold(): subject for record in reversed(ranked) for subject in record.subjects}
    work.subjects.extend(_in_order(ranked, subjects)[:SUBJECT_LIMIT])
    for record in ranked:
        edition = work.editions.add()
        edition.CopyFrom(record.edition)
        if title_key(record.title.main) != title_key(main):
            edition.title = record.title.main
    if all(edition.format == FORMAT_NOT_A_BOOK for edition in work.editions):
        work.kind = WORK_KIND_NOT_A_BOOK
    return work


def work_id(key: _Key) -> str:
    """A name for a work that is the same in every process and on every day, for it is made of title and author."""
    return "w" + hashlib.blake2b("\0".join(key).encode(), digest_size=10).hexdigest()


def trim(works: Iterable[Work], limit_bytes: int) -> None:
    """Shortens synopses in place until the works are small enough to be sent together; nothing else is touched.

    A thousand books with long texts pass the size of a message; without their texts they never do.
    """
    kept = list(works)
    for longest in (500, 100, 0):
        if sum(work.ByteSize() for work in kept) <= limit_bytes:
            return
        for work in kept:
            if len(work.synopsis) > longest:
                work.synopsis = work.synopsis[: longest - 1].rstrip() + "…" if longest else ""


def _rank(record: Record) -> tuple[int, int]:
    """Print before the rest, the fullest record first; sorting keeps ISBNdb's order among equals."""
    edition = record.edition
    filled = (
        edition.isbn_13,
        edition.publisher,
        edition.publication_date,
        edition.page_count,
        edition.language,
        edition.cover_uri,
        record.authors,
        record.synopsis,
    )
    return _AFTER_PRINT.get(edition.format, 0), -sum(map(bool, filled))


def _anybody(ranked: Sequence[Record]) -> tuple[str, ...]:
    return next((record.authors for record in ranked if record.authors), ())


def _in_order(ranked: Sequence[Record], subjects: dict[str, str]) -> list[str]:
    ordered = dict.fromkeys(subject.casefold() for record in ranked for subject in record.subjects)
    return [subjects[key] for key in ordered]
