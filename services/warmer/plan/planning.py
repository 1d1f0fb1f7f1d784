"""From a request to its plan at rest: fetches the library, and reads it in a thread of its own."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.checks import InlineBook, inline_books
from services.warmer.library.events import Duplicate, Event
from services.warmer.library.libraries import Libraries
from services.warmer.library.memory import LARGE, give_back
from services.warmer.library.rows import Row
from services.warmer.plan.making import PlanMaker
from services.warmer.plan.parked import Parked
from services.warmer.plan.shelf import PlanHead, PlanShelf

VERSION = 2
"""Of how libraries are read and plans are made; a plan of another version is made anew."""

_OFTEN = 100_000
"""Events of a large library after which memory is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan at rest."""

    plan_id: str
    """Its name on the shelf."""
    head: PlanHead
    """How much it is."""
    library: pb.Library
    """What it is a plan for; the counts of a library that stands in the request."""
    is_own: bool
    """It is the plan of one job alone, and goes with it; the plan of a whole library stays for the next job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans jobs."""

    libraries: Libraries
    """Where the libraries lie."""
    shelf: PlanShelf
    """Where plans lie."""
    parked: Parked
    """What earlier jobs left undone."""

    async def plan(self, request: pb.WarmRequest, name: str) -> Planned:
        """What a request asks to warm; the same request on the same library always gives the same plan.

        Args:
            request: checked.
            name: of its own plan, where the request is not for a whole library.

        Raises:
            NotFoundError: LIBRARY_NOT_FOUND.
            UnavailableError: STORE_UNAVAILABLE.
        """
        strategy = request.strategy or pb.STRATEGY_HYBRID
        if request.HasField("inline"):
            maker, library = _planned_inline(inline_books(request), strategy)
            return Planned(plan_id=name, head=await self.shelf.keep(name, maker), library=library, is_own=True)
        library = await self.libraries.require(request.library_id)
        if request.rows == pb.ROW_SELECTION_PARKED:
            maker = PlanMaker(strategy)
            for search in await self.parked.of(request.library_id):
                maker.add_search(search)
            return Planned(plan_id=name, head=await self.shelf.keep(name, maker), library=library, is_own=True)
        strategy_name = pb.Strategy.Name(strategy).removeprefix("STRATEGY_").lower()
        # A library that is read by another format is another plan.
        plan_id = f"{request.library_id}-{strategy_name}-{library.format}-{VERSION}"
        head = await self.shelf.head(plan_id)
        if head is None:
            async with self.libraries.events(library) as events:
                maker = await asyncio.to_thread(_planned, events, strategy, is_large=library.byte_count >= LARGE)
            head = await self.shelf.keep(plan_id, maker)
        return Planned(plan_id=plan_id, head=head, library=library, is_own=False)


def _planned(events: Iterator[Event], strategy: pb.Strategy.ValueType, *, is_large: bool) -> PlanMaker:
    maker = PlanMaker(strategy)
    for number, event in enumerate(events):
        if is_large and number % _OFTEN == 0:
            # At first what is left of taking it in, in another thread; then what tables that have grown left behind.
            give_back()
        if isinstance(event, Row):
            maker.add(event)
        elif isinstance(event, Duplicate) and strategy != pb.STRATEGY_ISBN:
            maker.add_authors(event.authors)
    return maker


def _planned_inline(books: Sequence[InlineBook], strategy: pb.Strategy.ValueType) -> tuple[PlanMaker, pb.Library]:
    maker = PlanMaker(strategy)
    seen: set[str | Sequence[str]] = set()
    for book in books:
        key = book.isbn13 or tuple(book.authors)
        if key not in seen:
            seen.add(key)
            maker.add(book)
    library = pb.Library(
        row_count=len(books),
        book_count=maker.isbns,
        author_count=len({author for book in books for author in book.authors}),
        duplicate_count=len(books) - len(seen),
    )
    return maker, library
