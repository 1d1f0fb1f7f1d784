"""The only place that makes a work out of the clean values of one record, the same way for every provider. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from bookmesh.type.v1.book_pb2 import FORMAT_NOT_A_BOOK, WORK_KIND_NOT_A_BOOK, Author, Edition, Identifier, Work

from services.cataloguing.titles import title_of


def work_of(
    title: str,
    subtitle: str,
    *,
    authors: Sequence[str],
    year: int,
    editions: Sequence[Edition],
    subjects: Iterable[str] = (),
    synopsis: str = "",
    identifiers: Iterable[tuple[str, str]] = (),
) -> Work:
    """A work as one record has it; its id is left to whoever knows the other records of it.

    Args:
        title: a line, not empty; a series at its end goes.
        subtitle: a line, or "".
        authors: display names in the order of the title page.
        year: of the first edition that is known; 0 when none is.
        editions: the best first.
        subjects: without repeats.
        synopsis: plain text.
        identifiers: what catalogues call the work, by scheme.
    """
    parts = title_of(title, f"{title}: {subtitle}" if subtitle else "")
    work = Work(
        title=parts.main,
        subtitle=parts.subtitle,
        authors=[Author(name=name) for name in authors],
        first_publication_year=year,
        identifiers=identified(identifiers),
        editions=editions,
        subjects=subjects,
        synopsis=synopsis,
    )
    if editions and all(edition.format == FORMAT_NOT_A_BOOK for edition in editions):
        work.kind = WORK_KIND_NOT_A_BOOK
    return work


def identified(pairs: Iterable[tuple[str, str]]) -> list[Identifier]:
    """Schemes and names as identifiers, each once."""
    return [Identifier(scheme=scheme, value=value) for scheme, value in dict.fromkeys(pairs)]


def object_of(value: object) -> dict[str, Any]:
    """What stands in an object's place in a record; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """What stands in a list's place in a record; an empty one where it is none."""
    return value if isinstance(value, list) else []
