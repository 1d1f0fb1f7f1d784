"""The only place that decides which of several records of one thing a field is taken from. Pure."""

from bookmesh.type.v1.book_pb2 import WORK_KIND_UNSPECIFIED, Author, Edition, Work

from services.books.likeness import name_key, title_key

SUBJECT_LIMIT = 30
"""Subjects that are kept of one work."""

COUNTED = ("isbn_13", "publisher", "publication_date", "page_count", "language", "cover_uri")
"""What makes a record of an edition a full one."""

_GAPS = ("isbn_13", "isbn_10", "title", "publisher", "language", "cover_uri", "page_count", "format")
"""What is taken from another record only where there is nothing; the more trusted provider's word stands."""


def fill_work(work: Work, other: Work) -> None:
    """Takes from another record of the same work what this one lacks, or what that one has better."""
    _fill_title(work, other)
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


def _fill_title(work: Work, other: Work) -> None:
    """Parts title and subtitle where one record does: "Sapiens: A Brief History" is "Sapiens" to another."""
    head, joint, tail = work.title.partition(": ")
    if joint and not work.subtitle and title_key(head) == title_key(other.title):
        work.title, work.subtitle = other.title, tail
    if not work.subtitle:
        work.subtitle = other.subtitle


def fill_edition(edition: Edition, other: Edition) -> None:
    """Takes from another record of the same edition what this one lacks or has less exactly, and names who has it."""
    for name in _GAPS:
        if not getattr(edition, name) and getattr(other, name):
            setattr(edition, name, getattr(other, name))
    if _is_more_exact(other.publication_date, edition.publication_date):
        edition.publication_date = other.publication_date
    for identifier in other.identifiers:
        if identifier not in edition.identifiers:
            edition.identifiers.append(identifier)
    named = (edition.provider, *edition.contributing_providers)
    if other.provider not in named:
        edition.contributing_providers.append(other.provider)


def _is_more_exact(date: str, than: str) -> bool:
    """Whether a date says more without saying otherwise: "1998-09-01" than "1998"."""
    return len(date) > len(than) and date.startswith(than)


def set_authors(work: Work) -> None:
    """Names each author once, as first written."""
    names: dict[str, str] = {}
    for author in work.authors:
        names.setdefault(name_key(author.name), author.name)
    if len(names) < len(work.authors):
        work.ClearField("authors")
        work.authors.extend(Author(name=name) for name in names.values())
