"""ISBNdb as a provider: which questions a query becomes for the leaf behind ISBNDB_WORKER."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_BAD_ANSWER
from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError, NotFoundError, UnavailableError
from mesh.trace import CLASS_KEY
from services.books.matching import Match, Name, Title, match_of
from services.books.merge import in_language
from services.books.providers.isbndb_authors import IsbndbAuthors
from services.books.providers.protocol import Found
from services.books.query import Query
from services.books.reading import reading_of
from services.books.spelling import Vocabulary, Words

PAGE_SIZE = 250
"""Editions of one search by text. A call costs the same whatever it brings, and one word is in many titles."""

MISTYPED_PAGE_SIZE = 500
"""Editions of a search for any of some words, which brings many that are not meant."""

_MEANT = 20
"""Works that are kept of those."""

_AUTHOR_LENGTH = 200
_TEXT_LENGTH = 512
"""Characters of a name and of a text that the leaf takes; composing its characters can make a text longer."""

_WORDS = 40
"""Words that are sought at once for a mistyped text."""

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
        vocabulary: the words that are known; it learns those of the answers.
    """

    name = "isbndb"

    def __init__(self, worker: IsbndbServiceStub, vocabulary: Vocabulary) -> None:
        self._worker = worker
        self._vocabulary = vocabulary

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
        return await _Texts(self._worker, query, limit_s, _class(batch=batch), self._vocabulary).find()

    async def find_isbns(self, isbns: Sequence[str], *, limit_s: float | None = None) -> Mapping[str, Found]:
        """The books of at most 1,000 ISBN-13s.

        Raises:
            MeshError: what the leaf failed with.
        """
        answer = await self._worker.BatchGetBooks(pb.BatchGetBooksRequest(isbns=isbns), timeout=limit_s)
        works = {book.isbn: book.work for book in answer.books}
        missing = set(isbns) - works.keys() - set(answer.not_found_isbns)
        if missing:
            raise UnavailableError(
                ERROR_REASON_PROVIDER_BAD_ANSWER,
                f"the leaf said nothing of {len(missing)} of {len(isbns)} ISBNs",
                metadata={"provider": self.name},
            )
        return _LookedUp(isbns, works, answer.provider_call_count)

    def authors(self) -> IsbndbAuthors:
        """Authors that are asked for by one batch."""
        return IsbndbAuthors(
            self._worker,
            self._vocabulary,
            lambda query, limit_s: self.find(query, limit_s=limit_s, batch=True),
        )

    async def _book(self, isbn13: str, limit_s: float | None, marks: _Marks) -> Found:
        try:
            answer = await self._worker.GetBook(pb.GetBookRequest(isbn=isbn13), timeout=limit_s, metadata=marks)
        except NotFoundError:
            # The answer "there is none" does not tell what it cost; it is taken to be a call like any other.
            return Found(call_count=1)
        return Found(works=[answer.work], call_count=answer.provider_call_count)


class _LookedUp(Mapping[str, Found]):
    """What came of each ISBN of a look-up, made when it is asked for; the first carries what the look-up cost.

    Args:
        isbns: those that were looked up.
        works: those that were found.
        call_count: what they cost.
    """

    def __init__(self, isbns: Sequence[str], works: Mapping[str, Work], call_count: int) -> None:
        self._isbns = dict.fromkeys(isbns)
        self._first = next(iter(isbns), "")
        self._works = works
        self._call_count = call_count

    def __getitem__(self, isbn: str) -> Found:
        if isbn not in self._isbns:
            raise KeyError(isbn)
        work = self._works.get(isbn)
        return Found(works=() if work is None else (work,), call_count=self._call_count if isbn == self._first else 0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._isbns)

    def __len__(self) -> int:
        return len(self._isbns)


class _Texts:
    """The questions that a text becomes.

    Args:
        worker: the leaf.
        query: the text, and the language.
        limit_s: seconds that each call may take.
        marks: metadata of each call.
        vocabulary: the words that are known.
    """

    def __init__(
        self,
        worker: IsbndbServiceStub,
        query: Query,
        limit_s: float | None,
        marks: _Marks,
        vocabulary: Vocabulary,
    ) -> None:
        self._worker = worker
        self._query = query
        self._limit_s = limit_s
        self._marks = marks
        self._vocabulary = vocabulary
        self._reading = reading_of(query.text)

    async def find(self) -> Found:
        """Asks for the text as a title and as a name side by side, for only the answers tell which it is.

        Two calls. Only where they bring nothing that is likely to be meant, there are up to two more: for a title and a
        name in one, and for what the text may have been before it was mistyped.
        """
        if not any(map(str.isalnum, self._reading.whole)):
            # The leaf takes no such text, and no book has it for a title.
            return Found()
        found = await self._asked(self._questions())
        if not self._is_settled(found):
            for ask in await self._further():
                more = await self._asked([ask()])
                works, calls = [*found.works, *more.works], found.call_count + more.call_count
                found = Found(works=works, call_count=calls, failure=more.failure)
                if self._is_settled(found):
                    break
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
            questions.append(self._author(reading.name))
        return questions

    async def _further(self) -> Sequence[Callable[[], Awaitable[Found]]]:
        """What is asked next while nothing is found that may be meant, the likelier first."""
        if self._reading.author:
            return [self._mistyped]
        further = [self._everywhere, self._mistyped]
        known = await self._known()
        return further if all(map(known.knows, self._reading.telling_words)) else further[::-1]

    def _is_settled(self, found: Found) -> bool:
        """Whether there is no use in asking further."""
        matches = (match_of(self._reading, work) for work in found.works)
        return found.failure is not None or any(map(self._is_meant, matches))

    def _is_meant(self, match: Match) -> bool:
        """Whether a work is likely to be what was meant; one word that a title has somewhere is not enough."""
        if match.is_good or match.both >= Title.ALIKE or match.title >= Title.ALIKE or match.name >= Name.HOLDS:
            return True
        return match.title >= Title.HOLDS and len(self._reading.telling_words) > 1

    async def _known(self) -> Words:
        return await self._vocabulary.words(self._query.language)

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
        self._vocabulary.learn(works)
        if not self._query.include_translations:
            works = in_language(works, self._query.language)
        return Found(works=works, call_count=call_count, failure=failure)

    async def _everywhere(self) -> Found:
        """The books that have the words of the text somewhere: a title and a name in one, or a surname alone."""
        return await self._search(self._reading.whole, pb.SEARCH_COLUMN_UNSPECIFIED)

    async def _mistyped(self) -> Found:
        """The books that were meant if there is an error of typing in the text.

        ISBNdb corrects nothing, so it is asked for any of the words that are right or could be, and what is written
        like the text is kept.
        """
        known, words = await self._known(), list(self._reading.telling_words)
        found = [known.candidates(word) for word in known.suspects(words)]
        # Of each the likeliest before the next of any.
        turns = [others[at] for at in range(_WORDS) for others in found if at < len(others)]
        q = " ".join(dict.fromkeys([*words, *turns][:_WORDS]))
        answer = await self._search(q, pb.SEARCH_COLUMN_TITLE, match_all=False, page_size=MISTYPED_PAGE_SIZE)
        matches = [match_of(self._reading, work) for work in answer.works]
        meant = [match for match in matches if max(match.title, match.both) >= Title.ALIKE]
        meant.sort(key=lambda match: (-max(match.title, match.both), match.errors))
        return Found(works=[match.work for match in meant[:_MEANT]], call_count=answer.call_count)

    async def _search(
        self, text: str, column: pb.SearchColumn.ValueType, *, match_all: bool = True, page_size: int = PAGE_SIZE
    ) -> Found:
        """The books that have the words of a text, in any language.

        Many of ISBNdb's records name no language, and a search in one language leaves them out.
        """
        request = pb.SearchBooksRequest(
            q=text[:_TEXT_LENGTH], column=column, page_size=page_size, language=_ANY_LANGUAGE, match_all=match_all
        )
        answer = await self._worker.SearchBooks(request, timeout=self._limit_s, metadata=self._marks)
        return Found(works=answer.works, call_count=answer.provider_call_count)

    async def _author(self, name: str) -> Found:
        """The books of a name: all of them where they fit on a page, and else those in the language asked for as well.

        The foreign editions of a famous author would fill the page, but a search in one language leaves those out that
        name none.
        """
        found = await self._bibliography(name, _ANY_LANGUAGE)
        works, call_count = list(found.works), found.provider_call_count
        if found.next_page and not self._query.include_translations:
            more = await self._bibliography(name, self._query.language)
            works += more.works
            call_count += more.provider_call_count
        return Found(works=works, call_count=call_count)

    async def _bibliography(self, name: str, language: str) -> pb.AuthorBibliographyResponse:
        """One page, as large as the leaf's MAX_BOOKS_PER_AUTHOR lets it be."""
        request = pb.AuthorBibliographyRequest(author=name, page=1, page_size=PAGE_SIZE, language=language)
        return await self._worker.AuthorBibliography(request, timeout=self._limit_s, metadata=self._marks)
