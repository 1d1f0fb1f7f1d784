"""The only place that makes the list of an author's works, or one failure, out of what the providers gave. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.type.v1.book_pb2 import WORK_KIND_STUDY_GUIDE, Work

from services.books.answers import Answer, failure, outcome
from services.books.likeness import name_key, spoken_name_key
from services.books.merge import in_language, merged
from services.books.paging import place_of

WHOLE_BYTES = 12_000_000
"""Works of one author that are kept at most, below what the cache takes for an entry."""

_UNHEARD = {
    pb.PROVIDER_STATE_FAILED: "failed",
    pb.PROVIDER_STATE_TIMED_OUT: "did not answer in time",
    pb.PROVIDER_STATE_REFUSED: "could not be asked",
    pb.PROVIDER_STATE_SKIPPED: "was not asked",
}


def listed(author: str, language: str, answers: Sequence[Answer]) -> pb.AuthorBibliographyResponse:
    """All that is known of an author's works, in the order of their places, without provenance.

    Args:
        author: the name.
        language: the language that an edition must be in, or may be.
        answers: one for each provider, the most trusted first.

    Raises:
        ResourceExhaustedError: each provider refused for its quota or rate.
        UnavailableError: ALL_PROVIDERS_FAILED.
    """
    found = [answer.found for answer in answers if answer.found is not None]
    if not found:
        raise failure(answers)
    # Whoever is sought under another name than the one on the books is found all the same.
    names = dict.fromkeys((author, *(name for each in found for name in each.names)))
    # What names no author may be an edition of his, which its ISBN then tells; what names others alone is not.
    given = (work for each in found for work in each.works if not work.authors or is_by(work, names))
    joined = merged(given)
    if len({work.id for work in joined}) < len(joined):
        # An author that one record lacked and another brought can make two works one.
        joined = merged(joined)
    # The language goes last, for the year of the first edition is the original's, whatever its language.
    own = [work for work in joined if is_by(work, names) and not _is_guide_of_others(work, names)]
    works = in_language(own, language)
    works.sort(key=place_of)
    _shorten(works)
    return pb.AuthorBibliographyResponse(
        works=works,
        author=printed(names, answers),
        providers=[outcome(answer) for answer in answers],
        partial=any(answer.owing for answer in answers),
        gaps=[sentence for answer in answers for sentence in _gaps(answer)],
    )


def is_by(work: Work, names: Iterable[str]) -> bool:
    """Whether an author of the work has one of the names, in either order and but for initials."""
    return any(_is_named(each.name, name) for each in work.authors for name in names)


def _is_guide_of_others(work: Work, names: Iterable[str]) -> bool:
    """Whether it is a guide to a work of the author's, whom catalogues credit behind those who wrote it."""
    first = work.authors[0].name
    return work.kind == WORK_KIND_STUDY_GUIDE and not any(_is_named(first, name) for name in names)


def printed(names: Collection[str], answers: Sequence[Answer]) -> str:
    """The name as most providers print it, and of those spellings the one on most works; "" when none knows it."""
    works: Counter[str] = Counter()
    providers: defaultdict[str, set[str]] = defaultdict(set)
    for answer in answers:
        for work in answer.found.works if answer.found else ():
            for each in work.authors:
                if any(_is_named(each.name, name) for name in names):
                    works[each.name] += 1
                    providers[each.name].add(answer.provider)
    return max(works, key=lambda name: (len(providers[name]), works[name]), default="")


def _is_named(name: str, author: str) -> bool:
    if name_key(name) == name_key(author):
        return True
    spoken = spoken_name_key(author)
    return bool(spoken) and spoken == spoken_name_key(name)


def _gaps(answer: Answer) -> Iterator[str]:
    """What is known to be missing of one provider's."""
    told = outcome(answer)
    if answer.found is None:
        reason = f" ({told.reason})" if told.reason else ""
        yield f"{answer.provider} {_UNHEARD[told.state]}{reason}, so works that only it knows are missing."
        return
    if answer.found.failure is not None:
        yield f"{answer.provider} broke off ({told.reason}), so works that only it knows may be missing."
    yield from answer.found.gaps


def _shorten(works: Iterable[Work]) -> None:
    """Shortens synopses in place until the works can be kept together; nothing else is touched."""
    kept = list(works)
    for longest in (500, 100, 0):
        if sum(work.ByteSize() for work in kept) <= WHOLE_BYTES:
            return
        for work in kept:
            if len(work.synopsis) > longest:
                work.synopsis = work.synopsis[: longest - 1].rstrip() + "…" if longest else ""
