"""The only place that decides which books of the Library of Congress the sandbox's catalogue holds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox.catalog.extract import Item

QUOTAS = {
    "eng": 2150, "ger": 260, "fre": 260, "spa": 260, "rus": 170, "chi": 220, "jpn": 150, "ita": 140, "ara": 100,
    "por": 70, "kor": 70, "pol": 60, "heb": 60, "dut": 40, "gre": 40, "swe": 40, "cze": 30, "hun": 30, "ukr": 30,
    "per": 40, "tur": 30, "dan": 20, "nor": 20, "fin": 20, "rum": 20, "slv": 30, "cat": 20, "hin": 20, "alb": 15,
    "ind": 15, "ice": 10, "wel": 10, "tha": 10, "ben": 10, "arm": 10, "geo": 10, "lat": 10,
}  # fmt: skip
"""Books by the home language of their author: English dominates as in ISBNdb, the rest has room for a few authors."""

_GREAT_COUNT = 24
_GREAT_WORKS = 40
_WORKS = 9
_EDITIONS = 8


@dataclass(slots=True)
class _Author:
    """What one name wrote, as far as the records tell."""

    name: str
    language: str
    score: float
    works: list[list[Item]]


def pick(items: Iterable[Item]) -> list[Item]:
    """Chooses the catalogue: prolific authors of each language first, with their works of most editions.

    The choice hangs on nothing but the items: no randomness, and every tie is broken by name, record or number.

    Returns:
        The books, each ISBN once, by author, work and ISBN.
    """
    chosen: dict[str, Item] = {}
    for author in _authors(items):
        for work in author.works:
            for item in work[:_EDITIONS]:
                chosen.setdefault(item.isbn13, item)
    return sorted(chosen.values(), key=lambda item: (item.author, item.work, item.year, item.isbn13))


def _authors(items: Iterable[Item]) -> Iterator[_Author]:
    """The chosen authors, each with the works that are taken."""
    left = dict(QUOTAS)
    ranked = sorted(_grouped(items), key=lambda author: (-author.score, author.name))
    great = {author.name for author in [a for a in ranked if a.language == "eng"][:_GREAT_COUNT]}
    for author in ranked:
        room = left.get(author.language, 0)
        if room <= 0 or not author.score:
            continue
        author.works = author.works[: _GREAT_WORKS if author.name in great else _WORKS]
        left[author.language] = room - sum(len(work[:_EDITIONS]) for work in author.works)
        yield author


def _grouped(items: Iterable[Item]) -> Iterator[_Author]:
    """Every author with all works, those of most editions first."""
    by_author: defaultdict[str, dict[str, dict[str, Item]]] = defaultdict(lambda: defaultdict(dict))
    for item in items:
        # A line without title, year and language would teach nothing; a later record of an ISBN corrects the earlier.
        if item.title and item.year and item.language.isalpha():
            by_author[item.author][item.work][item.isbn13] = item
    for name, by_work in by_author.items():
        works = sorted(
            (sorted(editions.values(), key=lambda item: (item.record, item.isbn13)) for editions in by_work.values()),
            key=lambda work: (-len(work), work[0].record),
        )
        languages = Counter(item.language for work in works for item in work)
        yield _Author(
            name, min(languages, key=lambda code: (-languages[code], code)), _score(works, len(languages)), works
        )


def _score(works: list[list[Item]], language_count: int) -> float:
    """How much an author's search is worth: works, several editions of one, translations; literature counts double.

    Books for children are half: a few makers of school series would else fill the catalogue.
    """
    books = [item for work in works for item in work]
    score = len(works) + 2.0 * sum(len(work) - 1 for work in works) + 4.0 * (language_count - 1)
    if len(books) < 2:  # noqa: PLR2004 -- an author of one book adds nothing that a title search does not
        return 0
    if 2 * sum(item.literature for item in books) >= len(books):
        score *= 2
    if 2 * sum(item.juvenile for item in books) >= len(books):
        score /= 2
    return score
