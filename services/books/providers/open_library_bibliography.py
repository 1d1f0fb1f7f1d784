"""An author's works from Open Library: who of its authors is meant, and which pages of that one's are asked for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError
from services.books.likeness import name_key, spoken_name_key
from services.books.providers.caller import Caller
from services.books.providers.http import Reply
from services.books.providers.lucene import words_of
from services.books.providers.open_library import docs_of
from services.books.providers.open_library_docs import FAULTS, works_of
from services.books.providers.protocol import Found
from services.books.providers.record import list_of, object_of
from services.cataloguing.text import line_of

CANDIDATES = 20
"""Authors that are looked at for the right one: the first it finds is often a namesake or a company."""

PAGE_SIZE = 500
"""Works of one page. It gives a thousand, but of famous works hundreds of ISBNs each, which pass what one answer may
be; where one page ends says `numFound`, so that none hides works."""

LAST_PAGE = 10
"""Pages that are asked for at most."""

_FIELDS = "key,title,subtitle,author_name,first_publish_year,edition_count,isbn,language,cover_i"
"""What an answer is to hold: what tells works apart. What tells editions apart would be ten times as much."""

_KEY = re.compile(r"(?:/authors/)?(OL\d{1,12}A)")


@dataclass(frozen=True, slots=True)
class Person:
    """An author of its own."""

    key: str
    """Its key."""
    name: str
    """The name on that author's works."""


class OpenLibraryBibliography:
    """Open Library, asked for an author and then for all of the author's works.

    Args:
        caller: makes the calls.
    """

    name = FAULTS.provider

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def bibliography(
        self, author: str, *, language: str, limit_s: float | None = None, batch: bool = False
    ) -> Found:
        """The works of the author whose name it is, in two calls for nearly everybody.

        Raises:
            ResourceExhaustedError: PROVIDER_RATE_LIMITED.
            UnavailableError: every other failure, where nothing came before it.
        """
        words = words_of(author)
        if not words:
            return Found()
        calls = self._caller.begin(limit_s=limit_s, batch=batch)
        found = await calls.get("/search/authors.json", {"q": words, "limit": str(CANDIDATES)}, docs_of)
        person = meant(found, author)
        if person is None:
            return Found(call_count=calls.call_count)
        works: list[Work] = []
        terms = {"author_key": person.key, "fields": _FIELDS, "sort": "old", "limit": str(PAGE_SIZE)}
        failure, gaps = None, [f"{self.name} was asked for {LAST_PAGE * PAGE_SIZE:,} works, and has more."]
        for page in range(LAST_PAGE):
            start = page * PAGE_SIZE
            try:
                total, docs = await calls.get("/search.json", {**terms, "offset": str(start)}, _counted)
            except MeshError as error:
                if not page:
                    raise
                failure, gaps = error, []
                break
            works += works_of(docs, language=language)
            if start + PAGE_SIZE >= total:
                gaps = []
                break
        return Found(works=works, call_count=calls.call_count, failure=failure, gaps=gaps, names=[person.name])


def meant(docs: Sequence[object], author: str) -> Person | None:
    """Who of the authors that were found has the name, be it as another name; of several the one with most works.

    A company such as "Mark Twain Media Staff" is none of Mark Twain's names.

    Args:
        docs: whatever stood in the place of authors.
        author: the name.
    """
    best: tuple[int, int, Person] | None = None
    for each in docs:
        doc = object_of(each)
        key, name = _KEY.fullmatch(line_of(doc.get("key"))), line_of(doc.get("name"))
        if key is None or not name:
            continue
        likeness = max(_likeness(names, author) for names in _names(name, doc.get("alternate_names")))
        count = doc.get("work_count")
        rank = (likeness, count if isinstance(count, int) else 0)
        if likeness and (best is None or rank > best[:2]):
            best = (*rank, Person(key[1], name))
    return best[2] if best else None


def _names(name: str, others: object) -> Iterator[tuple[str, bool]]:
    """An author's names, and whether each is the one on the works."""
    yield name, True
    for other in list_of(others):
        if text := line_of(other):
            yield text, False


def _likeness(named: tuple[str, bool], author: str) -> int:
    """How surely a name is the author's: 0 when it is not."""
    name, is_own = named
    if name_key(name) == name_key(author):
        return 4 if is_own else 2
    spoken = spoken_name_key(author)
    if spoken and spoken == spoken_name_key(name):
        return 3 if is_own else 1
    return 0


def _counted(reply: Reply) -> tuple[int, Sequence[object]]:
    """The documents of an answer, and how many there are in all.

    Raises:
        MeshError: as `docs_of`.
    """
    docs = docs_of(reply)
    total = object_of(reply.json()).get("numFound")
    return (total if isinstance(total, int) else len(docs)), docs
