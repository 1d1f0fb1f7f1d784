"""From a request to the plan of its job: fetches the library, and reads it in a thread of its own."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer import faults
from services.warmer.checks import InlineBook, checked_warm
from services.warmer.job import Extent
from services.warmer.library.decoding import LibraryError
from services.warmer.library.libraries import Libraries, chunks_of
from services.warmer.library.reading import Duplicate, Event, LibraryCounts, read_library
from services.warmer.library.rows import Row
from services.warmer.plan import Plan, Wanted, plan_of


@dataclass(frozen=True, slots=True)
class LibraryPlanner:
    """Plans jobs.

    Args:
        libraries: where the libraries lie.
    """

    libraries: Libraries

    async def plan(self, request: pb.WarmRequest) -> tuple[Plan, Extent]:
        """What a request asks to warm, and how much that is.

        Raises:
            InvalidArgumentError: the library can't be read (any more).
            NotFoundError: LIBRARY_NOT_FOUND.
            UnavailableError: STORE_UNAVAILABLE.
        """
        inline = checked_warm(request)
        if inline:
            return _planned_inline(inline, request.strategy)
        async with self.libraries.opened(request.library_id) as file:
            return await asyncio.to_thread(_planned, file, request.strategy)


def events_of(file: IO[bytes]) -> Iterator[Event]:
    """What a stored library holds, line by line.

    Raises:
        InvalidArgumentError: it can't be read, though it could when it was uploaded.
    """
    try:
        # It was within the limit when it was taken in.
        yield from read_library(chunks_of(file), max_rows=2**62)[1]
    except LibraryError as error:
        raise faults.refused(error) from None


def _planned(file: IO[bytes], strategy: pb.Strategy.ValueType) -> tuple[Plan, Extent]:
    counts = LibraryCounts()

    def books() -> Iterable[Wanted]:
        for event in events_of(file):
            counts.add(event)
            if isinstance(event, Row):
                yield event
            elif isinstance(event, Duplicate) and strategy != pb.STRATEGY_ISBN:
                # The book is planned already, but this line may name authors that the first did not.
                yield Row(event.line, "", event.authors, "")

    plan = plan_of(books(), strategy)
    return plan, Extent(
        rows=counts.row_count,
        books=counts.book_count,
        authors=counts.author_count,
        rejects=counts.reject_count,
        duplicates=counts.duplicate_count,
        searches=len(plan.searches),
    )


def _planned_inline(books: Iterable[InlineBook], strategy: pb.Strategy.ValueType) -> tuple[Plan, Extent]:
    rows = list(books)
    plan = plan_of(rows, strategy)
    isbns = [row.isbn13 for row in rows if row.isbn13]
    return plan, Extent(
        rows=len(rows),
        books=len(set(isbns)),
        authors=len({author for row in rows for author in row.authors}),
        duplicates=len(rows) - len(set(isbns)) - len({row.authors for row in rows if not row.isbn13}),
        searches=len(plan.searches),
    )
