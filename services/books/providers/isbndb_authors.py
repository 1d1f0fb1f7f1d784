"""ISBNdb asked for authors by name: the only place that knows what a batch is spared by knowing that a text names one.

One call brings nearly everybody's books. Whoever is searched for by name needs no other; and a title that is sought
together with its author is looked for among them first, for nothing more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.type.v1.book_pb2 import Work

from mesh.trace import CLASS_KEY
from services.books.hints import Hint, author_of, hinted_reading
from services.books.likeness import printed_name_key, words_of
from services.books.matching import Title, match_of
from services.books.merge import in_language
from services.books.providers.protocol import Found
from services.books.query import Query
from services.books.settings import MAX_RESULTS
from services.books.spelling import Vocabulary

PAGE_SIZE = 500
"""Editions of an author, the largest page that the leaf ships with: a call costs the same whatever it brings."""

_NAME_LENGTH = 200
"""Characters of a name that the leaf takes."""

_ANY_LANGUAGE = "*"

_MARKS = ((CLASS_KEY, "batch"),)
"""Metadata of each call: nobody waits for it."""

Otherwise = Callable[[Query, float | None], Awaitable[Found]]
"""Finds a text without knowing what it is, within so many seconds."""


@dataclass(slots=True)
class _Listed:
    """The books that are known of an author."""

    works: Sequence[Work]
    """In the language that is asked for."""
    is_whole: bool
    """There are no more of them."""
    call_count: int
    """Calls that they cost and that no answer carries yet."""

    def billed(self, works: Sequence[Work]) -> Found:
        """An answer out of them."""
        count, self.call_count = self.call_count, 0
        return Found(works=works, call_count=count)


class IsbndbAuthors:
    """The authors of one batch.

    Args:
        worker: the leaf.
        vocabulary: the words that are known; it learns those of the titles.
        otherwise: finds what is no author's, or can't be.
    """

    def __init__(self, worker: IsbndbServiceStub, vocabulary: Vocabulary, otherwise: Otherwise) -> None:
        self._worker = worker
        self._vocabulary = vocabulary
        self._otherwise = otherwise
        self._known: dict[tuple[str, str, bool], _Listed] = {}
        self._asking: defaultdict[tuple[str, str, bool], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, query: Query, hint: Hint, *, limit_s: float | None = None) -> Found:
        """The books of an author, or of those the ones of a title.

        Where an author's books are all known and none has the title, ISBNdb has no such book, and is not asked further.

        Raises:
            MeshError: what the leaf failed with.
        """
        author = author_of(query, hint)
        if not author or len(author) > _NAME_LENGTH:
            return await self._otherwise(query, limit_s)
        listed = await self._listed(author, query, limit_s)
        if hint is Hint.AUTHOR:
            return listed.billed(listed.works)
        reading = hinted_reading(query, hint)
        matches = [match_of(reading, work) for work in listed.works]
        if listed.is_whole or any(match.both >= Title.ALIKE for match in matches):
            return listed.billed([match.work for match in matches if match.both >= Title.HOLDS])
        found = await self._otherwise(query, limit_s)
        own = listed.billed(found.works)
        return Found(works=own.works, call_count=own.call_count + found.call_count, failure=found.failure)

    async def _listed(self, author: str, query: Query, limit_s: float | None) -> _Listed:
        """The books of an author, asked for by the first who wants them."""
        key = printed_name_key(author), query.language, query.include_translations
        async with self._asking[key]:
            if key not in self._known:
                self._known[key] = await self._asked(author, query, limit_s)
            return self._known[key]

    async def _asked(self, author: str, query: Query, limit_s: float | None) -> _Listed:
        """Asks for a name in every language, for many records name none.

        Whoever has more books than a page holds has foreign ones by the hundred; where too few are left in the language
        asked for, those are asked for as well. A single word under which there is nothing may be part of a name, so all
        books with it are asked for; a whole name under which there is nothing is nobody's, and costs no other call.
        """
        first = await self._page(author, _ANY_LANGUAGE, limit_s)
        if not first.works and len(words_of(author)) == 1:
            return await self._mentioning(author, query, limit_s, first.provider_call_count)
        works, calls = self._wanted(first.works, query), first.provider_call_count
        if first.next_page and len(works) < MAX_RESULTS and not query.include_translations:
            more = await self._page(author, query.language, limit_s)
            works, calls = [*works, *self._wanted(more.works, query)], calls + more.provider_call_count
        return _Listed(works, is_whole=not first.next_page, call_count=calls)

    async def _page(self, author: str, language: str, limit_s: float | None) -> pb.AuthorBibliographyResponse:
        request = pb.AuthorBibliographyRequest(author=author, page=1, page_size=PAGE_SIZE, language=language)
        return await self._worker.AuthorBibliography(request, timeout=limit_s, metadata=_MARKS)

    async def _mentioning(self, author: str, query: Query, limit_s: float | None, calls: int) -> _Listed:
        """The books that have the words of a name somewhere."""
        request = pb.SearchBooksRequest(q=author, page_size=PAGE_SIZE, language=_ANY_LANGUAGE, match_all=True)
        found = await self._worker.SearchBooks(request, timeout=limit_s, metadata=_MARKS)
        works = self._wanted(found.works, query)
        return _Listed(works, is_whole=not found.next_page, call_count=calls + found.provider_call_count)

    def _wanted(self, works: Sequence[Work], query: Query) -> list[Work]:
        """Those in the language that is asked for; the words of all are learnt."""
        self._vocabulary.learn(works)
        return list(works) if query.include_translations else in_language(works, query.language)
