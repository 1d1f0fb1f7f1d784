"""ISBNdb as a provider: which questions a query becomes for the leaf behind ISBNDB_WORKER."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace

from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_BAD_ANSWER
from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError, NotFoundError, UnavailableError
from mesh.trace import CLASS_KEY
from services.books.merge import in_language
from services.books.providers.protocol import Found
from services.books.query import Query
from services.books.reading import reading_of

PAGE_SIZE = 250
"""Editions of one search by text. A call costs the same whatever it brings, and one word is in many titles."""

_AUTHOR_LENGTH = 200
_TEXT_LENGTH = 512
"""Characters of a name and of a text that the leaf takes; composing its characters can make a text longer."""

_ANY_LANGUAGE = "*"


_Marks = tuple[tuple[str, str], ...]
"""Metadata of a call."""


def _class(*, batch: bool) -> _Marks:
    """What tells the leaf that nobody waits; what answers batch work says so by itself, but not what is done ahead."""
    return ((CLASS_KEY, "batch"),) if batch else ()


class Isbndb:
    """The leaf's methods, put together to answers.

    Args:
        worker: the leaf.
    """

    name = "isbndb"

    def __init__(self, worker: IsbndbServiceStub) -> None:
        self._worker = worker

    async def find(self, query: Query, *, limit_s: float | None = None, batch: bool = False) -> Found:
        """The book of an ISBN, or the books of a text.

        Args:
            query: what is sought.
            limit_s: seconds that each call may take, its turn at ISBNdb included; None leaves it to the binding.
            batch: nobody waits for it; the calls tell the leaf so.

        Raises:
            MeshError: what the leaf failed with, when nothing was found beside.
        """
        if query.isbn13:
            return await self._book(query.isbn13, limit_s, _class(batch=batch))
        return await _Texts(self._worker, query, limit_s, _class(batch=batch)).find()

    async def find_isbns(self, isbns: Sequence[str], *, limit_s: float | None = None) -> Mapping[str, Found]:
        """The books of at most 1,000 ISBN-13s.

        Raises:
            MeshError: what the leaf failed with.
        """
        answer = await self._worker.BatchGetBooks(pb.BatchGetBooksRequest(isbns=isbns), timeout=limit_s)
        works = {book.isbn: [book.work] for book in answer.books} | {isbn: [] for isbn in answer.not_found_isbns}
        missing = [isbn for isbn in isbns if isbn not in works]
        if missing:
            raise UnavailableError(
                ERROR_REASON_PROVIDER_BAD_ANSWER,
                f"the leaf said nothing of {len(missing)} of {len(isbns)} ISBNs",
                metadata={"provider": self.name},
            )
        return {
            isbn: Found(works=works[isbn], call_count=0 if at else answer.provider_call_count)
            for at, isbn in enumerate(isbns)
        }

    async def _book(self, isbn13: str, limit_s: float | None, marks: _Marks) -> Found:
        try:
            answer = await self._worker.GetBook(pb.GetBookRequest(isbn=isbn13), timeout=limit_s, metadata=marks)
        except NotFoundError:
            # The answer "there is none" does not tell what it cost; it is taken to be a call like any other.
            return Found(call_count=1)
        return Found(works=[answer.work], call_count=answer.provider_call_count)


class _Texts:
    """The questions that a text becomes.

    Args:
        worker: the leaf.
        query: the text, and the language.
        limit_s: seconds that each call may take.
        marks: metadata of each call.
    """

    def __init__(self, worker: IsbndbServiceStub, query: Query, limit_s: float | None, marks: _Marks) -> None:
        self._worker = worker
        self._query = query
        self._limit_s = limit_s
        self._marks = marks
        self._reading = reading_of(query.text)

    async def find(self) -> Found:
        """Asks for the text as a title and as a name side by side, for only the answers tell which it is.

        Two calls, and a third where nothing was found: then the text may be a title and a name in one, or the name of
        somebody whose books bear no language.
        """
        whole = self._reading.whole
        if not any(map(str.isalnum, whole)):
            # The leaf takes no such text, and no book has it for a title.
            return Found()
        found = await self._asked(self._questions())
        if not (found.works or found.failure or self._reading.author):
            beside = await self._asked([self._search(whole, pb.SEARCH_COLUMN_UNSPECIFIED)])
            found = replace(beside, call_count=found.call_count + beside.call_count)
        if found.failure is not None and not found.works:
            # An outage is never "nothing found".
            raise found.failure
        return found

    def _questions(self) -> list[Awaitable[Found]]:
        reading = self._reading
        questions: list[Awaitable[Found]] = [self._search(reading.whole, pb.SEARCH_COLUMN_TITLE)]
        if reading.author:
            # The words of "title by author" are spread over two fields, so all fields are searched for all of them.
            questions.append(self._search(reading.parts, pb.SEARCH_COLUMN_UNSPECIFIED))
        elif len(reading.whole) <= _AUTHOR_LENGTH:
            questions.append(self._author(reading.whole))
        return questions

    async def _asked(self, questions: Sequence[Awaitable[Found]]) -> Found:
        """What all questions together found, in the language that is asked for; one that failed is named in it."""
        outcomes = await asyncio.gather(*questions, return_exceptions=True)
        works: list[Work] = []
        call_count = 0
        failure: MeshError | None = None
        for outcome in outcomes:
            if isinstance(outcome, MeshError):
                failure = failure or outcome
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                works.extend(outcome.works)
                call_count += outcome.call_count
        if not self._query.include_translations:
            works = in_language(works, self._query.language)
        return Found(works=works, call_count=call_count, failure=failure)

    async def _search(self, text: str, column: pb.SearchColumn.ValueType) -> Found:
        """The books that have all words of a text, in any language.

        Many of ISBNdb's records name no language, and a search in one language leaves them out.
        """
        request = pb.SearchBooksRequest(
            q=text[:_TEXT_LENGTH], column=column, page_size=PAGE_SIZE, language=_ANY_LANGUAGE, match_all=True
        )
        answer = await self._worker.SearchBooks(request, timeout=self._limit_s, metadata=self._marks)
        return Found(works=answer.works, call_count=answer.provider_call_count)

    async def _author(self, name: str) -> Found:
        """The books of a name, in one language.

        The leaf gives at most its MAX_BOOKS_PER_AUTHOR, and the foreign editions of a famous author would fill them.
        """
        language = _ANY_LANGUAGE if self._query.include_translations else self._query.language
        request = pb.AuthorBibliographyRequest(author=name, page=1, page_size=PAGE_SIZE, language=language)
        answer = await self._worker.AuthorBibliography(request, timeout=self._limit_s, metadata=self._marks)
        return Found(works=answer.works, call_count=answer.provider_call_count)
