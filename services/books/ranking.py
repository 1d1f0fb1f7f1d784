"""The only place that decides what a text was, a title or an author, and which works come first. Pure.

Nothing is read from the text alone, for "Jane Eyre" looks like an author and "Homer" like a title: the works that the
providers found are the evidence, weighed by how many editions speak for each.
"""

from collections.abc import Sequence

from bookmesh.books.v1.books_service_pb2 import (
    QUERY_KIND_AUTHOR,
    QUERY_KIND_TEXT,
    QUERY_KIND_TITLE,
    QUERY_KIND_TITLE_AND_AUTHOR,
    QueryInterpretation,
    QueryKind,
)
from bookmesh.type.v1.book_pb2 import (
    FORMAT_AUDIO,
    FORMAT_NOT_A_BOOK,
    WORK_KIND_ABOUT,
    WORK_KIND_COLLECTION,
    WORK_KIND_NOT_A_BOOK,
    WORK_KIND_STUDY_GUIDE,
    WORK_KIND_UNSPECIFIED,
    Work,
    WorkKind,
)

from services.books.matching import Match, Name, Title, match_of
from services.books.reading import Reading

_LAST: dict[WorkKind.ValueType, int] = {WORK_KIND_COLLECTION: 1, WORK_KIND_STUDY_GUIDE: 2}
"""What comes after the books themselves, unless its own title is asked for."""

_EVIDENCE = (
    (Title.NEAR, Name.SPOKEN),
    (Title.BEGINS, Name.HOLDS),
    (Title.ALIKE, Name.ALIKE),
    (Title.HOLDS, Name.HOLDS),
)
"""What speaks for a title and for an author, the strongest first."""


def understood(reading: Reading, works: Sequence[Work]) -> tuple[QueryInterpretation, list[Work]]:
    """What the text was, and the works with the best match first.

    Args:
        reading: what the text may mean.
        works: joined, in the order of the providers, which stands among equals. For an author, those about the author
            are marked as such.
    """
    matches = [match_of(reading, work) for work in works]
    kind = _kind(matches)
    ranked = sorted(matches, key=lambda match: _rank(match, kind))
    interpretation = QueryInterpretation(kind=kind)
    if ranked and kind in (QUERY_KIND_TITLE, QUERY_KIND_TITLE_AND_AUTHOR):
        interpretation.title = ranked[0].work.title
    if ranked and kind in (QUERY_KIND_AUTHOR, QUERY_KIND_TITLE_AND_AUTHOR):
        interpretation.author = ranked[0].author
    if kind == QUERY_KIND_AUTHOR:
        _mark_about(ranked)
    return interpretation, [match.work for match in ranked]


def _kind(matches: Sequence[Match]) -> QueryKind.ValueType:
    """The strongest evidence decides; where it is equally strong for both, the side with more editions."""
    for title, name in _EVIDENCE:
        titled = sum(_editions(match) for match in matches if match.title >= title)
        written = sum(_editions(match) for match in matches if match.name >= name)
        if written and written >= titled:
            return QUERY_KIND_AUTHOR
        if titled:
            return QUERY_KIND_TITLE
        if any(match.both >= Title.ALIKE for match in matches):
            return QUERY_KIND_TITLE_AND_AUTHOR
    return QUERY_KIND_TEXT


def _rank(match: Match, kind: QueryKind.ValueType) -> tuple[float, ...]:
    """Sorts a match among others of one search: what matches best, and among equals what most speaks for.

    For an author nothing by others comes before anything of the author's own; what it is decides only among these.
    """
    last, whole = _last(match), -(match.title if match.title >= Title.NEAR else 0)
    if kind == QUERY_KIND_AUTHOR:
        order = (-match.name, last, whole, -match.title)
    elif kind == QUERY_KIND_TITLE_AND_AUTHOR:
        order = (last, -match.both, match.errors, -match.title, -match.name)
    else:
        order = (last, -match.title, match.errors, -match.both, -match.name)
    evidence = (-match.known_words, -_providers(match), -_editions(match))
    return (_is_no_book(match.work), *order, *evidence)


def _last(match: Match) -> int:
    """How far behind the books a work comes for what it is: a box set, and last a guide, where neither is asked for."""
    return 0 if max(match.title, match.both) >= Title.NEAR else _LAST.get(match.work.kind, 0)


def _mark_about(ranked: Sequence[Match]) -> None:
    """Marks the works that hold an author's name in their title, and are by others."""
    for match in ranked:
        if match.name < Name.ALIKE and match.title >= Title.HOLDS and match.work.kind == WORK_KIND_UNSPECIFIED:
            match.work.kind = WORK_KIND_ABOUT


def _editions(match: Match) -> int:
    return len(match.work.editions) or 1


def _providers(match: Match) -> int:
    """How many providers know a work."""
    editions = match.work.editions
    return len({name for edition in editions for name in (edition.provider, *edition.contributing_providers)})


def _is_no_book(work: Work) -> bool:
    """A film, a recording or a calendar, all its editions taken together."""
    return work.kind == WORK_KIND_NOT_A_BOOK or (
        bool(work.editions) and all(edition.format in (FORMAT_AUDIO, FORMAT_NOT_A_BOOK) for edition in work.editions)
    )
