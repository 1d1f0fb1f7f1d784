"""An author's works from ISBNdb: which pages of the leaf's are asked for, and what is known to be missing of them."""

import time
from collections.abc import Callable

from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from bookmesh.type.v1.book_pb2 import Work

from mesh.status import MeshError
from mesh.trace import CLASS_KEY
from services.books.providers.protocol import Found

PAGE_SIZE = 500
"""Editions of one page, the largest that the leaf ships with: a call costs the same whatever it brings."""

LAST_PAGE = 20
"""ISBNdb gives 10,000 editions of one author at most, however they are paged."""

_ANY_LANGUAGE = "*"

_TURNED = 2
"""Words of a name whose order can be turned round without guessing where its surname begins."""


class IsbndbBibliography:
    """The leaf's pages of an author, put together.

    Args:
        worker: the leaf.
        clock: seconds, never going back.
    """

    name = "isbndb"

    def __init__(self, worker: IsbndbServiceStub, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._worker = worker
        self._clock = clock

    async def bibliography(
        self, author: str, *, language: str, limit_s: float | None = None, batch: bool = False
    ) -> Found:
        """An author's works: one call for nearly everybody.

        The first page is asked for in every language, for many records name none, and a list in one language leaves
        them out. Whoever has more editions than that has foreign ones by the thousand; then the one language is asked
        for, page by page.

        Raises:
            MeshError: what the leaf failed with before it gave anything.
        """
        calls = _Calls(
            self._worker,
            until=None if limit_s is None else self._clock() + limit_s,
            clock=self._clock,
            metadata=((CLASS_KEY, "batch"),) if batch else (),
        )
        first = await calls.page(author, _ANY_LANGUAGE, 1)
        words = author.split()
        if not (first.works or batch) and len(words) == _TURNED:
            # Some people type a name as a catalogue has it, without the comma that would tell.
            first = await calls.page(" ".join(reversed(words)), _ANY_LANGUAGE, 1)
        if not first.next_page:
            return calls.found()
        failure = await calls.pages(first.author or author, language)
        gap = f"isbndb has more than {PAGE_SIZE} editions, and of the rest those that name no language are missing."
        return calls.found(gap, failure=failure)


class _Calls:
    """The calls of one list.

    Args:
        worker: the leaf.
        until: when their time is over, on the clock; None leaves each to the binding.
        clock: seconds, never going back.
        metadata: of each call.
    """

    def __init__(
        self,
        worker: IsbndbServiceStub,
        *,
        until: float | None,
        clock: Callable[[], float],
        metadata: tuple[tuple[str, str], ...],
    ) -> None:
        self._worker = worker
        self._until = until
        self._clock = clock
        self._metadata = metadata
        self._works: list[Work] = []
        self._count = 0
        self._is_cut = False

    async def page(self, author: str, language: str, page: int) -> pb.AuthorBibliographyResponse:
        """One page.

        Raises:
            MeshError: what the leaf failed with.
        """
        request = pb.AuthorBibliographyRequest(author=author, page=page, page_size=PAGE_SIZE, language=language)
        left_s = None if self._until is None else max(0.0, self._until - self._clock())
        answer = await self._worker.AuthorBibliography(request, timeout=left_s, metadata=self._metadata)
        self._works += answer.works
        self._count += answer.provider_call_count
        return answer

    async def pages(self, author: str, language: str) -> MeshError | None:
        """All pages in one language; what the leaf failed with when it broke off."""
        for page in range(1, LAST_PAGE + 1):
            try:
                answer = await self.page(author, language, page)
            except MeshError as error:
                return error
            if not answer.next_page and page < LAST_PAGE:
                return None
        self._is_cut = True
        return None

    def found(self, *gaps: str, failure: MeshError | None = None) -> Found:
        """What all of them brought."""
        if self._is_cut:
            gaps = (*gaps, f"isbndb gives at most {LAST_PAGE * PAGE_SIZE:,} editions of an author.")
        return Found(works=self._works, call_count=self._count, failure=failure, gaps=gaps)
