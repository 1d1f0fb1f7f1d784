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
    WORK_KIND_ABOUT,
    WORK_KIND_COLLECTION,
    WORK_KIND_NOT_A_BOOK,
    WORK_KIND_STUDY_GUIDE,
    WORK_KIND_UNSPECIFIED,
    Work,
    WorkKind,
)

from services.books.kinds import kind_of, kind_of_title
from services.books.matching import Match, Name, Title, match_of
from services.books.reading import Reading

_LAST: dict[WorkKind.ValueType, int] = {WORK_KIND_COLLECTION: 1, WORK_KIND_STUDY_GUIDE: 2, WORK_KIND_NOT_A_BOOK: 3}
"""What comes after the books themselves, unless the text asks for a thing of its kind."""

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
    asked = kind_of_title(reading.whole)
    lasts = [_last(match.work, asked) for match in matches]
    books = [match for match, last in zip(matches, lasts, strict=True) if not last]
    kind = _kind(books or matches)
    order = sorted(range(len(matches)), key=lambda at: _rank(matches[at], kind, lasts[at]))
    ranked = [matches[at] for at in order]
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


def _rank(match: Match, kind: QueryKind.ValueType, last: int) -> tuple[float, ...]:
    """Sorts a match among others of one search: what matches best, and among equals what most speaks for.

    For an author nothing by others comes before anything of the author's own; what it is decides only among these.

    Args:
        match: the match.
        kind: what the text was.
        last: how far behind the books it comes for what it is.
    """
    spoken = _is_recording(match.work)
    order: tuple[float, ...]
    if kind == QUERY_KIND_AUTHOR:
        whole = match.title if match.title >= Title.NEAR else Title.OTHER
        order = (-match.name, last, spoken, -whole, -match.title)
    elif kind == QUERY_KIND_TITLE_AND_AUTHOR:
        order = (last, -match.both, match.errors, spoken, -match.title, -match.name)
    else:
        order = (last, -max(match.title, match.both), match.errors, spoken, -match.title, -match.name)
    return (*order, -match.known_words, -_providers(match), -_editions(match))


def _last(work: Work, asked: WorkKind.ValueType) -> int:
    """How far behind the books a work comes for what it is; not at all where the text asks for such a thing."""
    kind = kind_of(work)
    return 0 if kind == asked else _LAST.get(kind, 0)


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


def _is_recording(work: Work) -> bool:
    """Whether there is nothing of a work but recordings, so that a book that answers as well comes first."""
    return bool(work.editions) and all(edition.format == FORMAT_AUDIO for edition in work.editions)
