"""ISBNdb as a provider: which questions a query becomes for the leaf behind ISBNDB_WORKER."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence

from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_BAD_ANSWER
from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError, NotFoundError, UnavailableError
from services.books.providers.protocol import Found
from services.books.query import Query
from services.books.reading import Reading, reading_of

PAGE_SIZE = 250
"""Editions of one search by text. A call costs the same whatever it brings, and one word is in many titles."""

_AUTHOR_LENGTH = 200
"""Characters of a name that the leaf takes."""

_ANY_LANGUAGE = "*"


class Isbndb:
    """The leaf's methods, put together to answers.

    Args:
        worker: the leaf.
    """

    name = "isbndb"

    def __init__(self, worker: IsbndbServiceStub) -> None:
        self._worker = worker

    async def find(self, query: Query) -> Found:
        """The book of an ISBN, or the books of a text.

        Raises:
            MeshError: what the leaf failed with, when nothing was found beside.
        """
        return await (self._book(query.isbn13) if query.isbn13 else self._text(query))

    async def find_isbns(self, isbns: Sequence[str]) -> Mapping[str, Found]:
        """The books of at most 1,000 ISBN-13s.

        Raises:
            MeshError: what the leaf failed with.
        """
        answer = await self._worker.BatchGetBooks(pb.BatchGetBooksRequest(isbns=isbns))
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

    async def _book(self, isbn13: str) -> Found:
        try:
            answer = await self._worker.GetBook(pb.GetBookRequest(isbn=isbn13))
        except NotFoundError:
            # The answer "there is none" does not tell what it cost; it is taken to be a call like any other.
            return Found(call_count=1)
        return Found(works=[answer.work], call_count=answer.provider_call_count)

    async def _text(self, query: Query) -> Found:
        """Asks for the text as a title and as a name side by side, for only the answers tell which it is.

        Two calls, and a third where nothing was found: then the text may be a title and a name in one.
        """
        reading = reading_of(query.text)
        if not any(map(str.isalnum, reading.whole)):
            # The leaf takes no such text, and no book has it for a title.
            return Found()
        language = _ANY_LANGUAGE if query.include_translations else query.language
        found = await _together(self._questions(reading, language))
        if found.works or reading.author:
            return found
        beside = await self._search(reading.whole, pb.SEARCH_COLUMN_UNSPECIFIED, language)
        return Found(works=beside.works, call_count=found.call_count + beside.call_count)

    def _questions(self, reading: Reading, language: str) -> list[Awaitable[Found]]:
        questions: list[Awaitable[Found]] = [self._search(reading.whole, pb.SEARCH_COLUMN_TITLE, language)]
        if reading.author:
            # The words of "title by author" are spread over two fields, so all fields are searched for all of them.
            questions.append(self._search(reading.parts, pb.SEARCH_COLUMN_UNSPECIFIED, language))
        elif len(reading.whole) <= _AUTHOR_LENGTH:
            questions.append(self._author(reading.whole, language))
        return questions

    async def _search(self, text: str, column: pb.SearchColumn.ValueType, language: str) -> Found:
        answer = await self._worker.SearchBooks(
            pb.SearchBooksRequest(q=text, column=column, page_size=PAGE_SIZE, language=language, match_all=True)
        )
        return Found(works=answer.works, call_count=answer.provider_call_count)

    async def _author(self, name: str, language: str) -> Found:
        # The leaf gives at most its MAX_BOOKS_PER_AUTHOR of them, whatever is asked for.
        answer = await self._worker.AuthorBibliography(
            pb.AuthorBibliographyRequest(author=name, page=1, page_size=PAGE_SIZE, language=language)
        )
        return Found(works=answer.works, call_count=answer.provider_call_count)


async def _together(questions: Sequence[Awaitable[Found]]) -> Found:
    """Several answers as one; a question that failed spoils it only where the others found nothing.

    Raises:
        MeshError: what a question failed with, for "nothing found" must not hide an outage.
    """
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
    if failure is not None and not works:
        raise failure
    return Found(works=works, call_count=call_count, failure=failure)
