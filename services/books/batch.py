"""Many searches in one call: what is cached is answered at once, ISBNs are looked up together, texts in turn."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from bookmesh.books.v1 import books_service_pb2 as pb

from mesh.rules import check, check_of
from mesh.status import MeshError
from mesh.turns import Turns
from services.books.answering import not_cached
from services.books.bulk import TOGETHER, Bulk, Missing
from services.books.checks import Ask, checked_search
from services.books.outcomes import Outcome, broken, outcome_bytes, together
from services.books.search import Search
from services.books.sharing import Sharing, shared_by

_LOOKS = 250
"""Searches that are looked for in the cache together."""

_TEXTS = 8
"""Texts that the providers are asked for at a time; these answer one after the other anyway."""

_READY = 8
"""Times TOGETHER answers that lie ready until the caller takes them."""

_check = check_of(pb.SearchAutoRequest) or check

Item = TypeVar("Item")


class Batch:
    """Answers many searches, each as SearchAuto does; an answer lies where all processes find it before it is given.

    Args:
        search: answers one search.
        bulk: answers many for ISBNs.
        turns: when searches are read and answers told.
        default_results: works in an answer to a search that does not say how many.
    """

    def __init__(self, search: Search, bulk: Bulk, turns: Turns, *, default_results: int) -> None:
        self._search = search
        self._bulk = bulk
        self._turns = turns
        self._default_results = default_results
        self._looking = asyncio.Lock()

    async def answers(
        self, queries: Sequence[pb.SearchAutoRequest], *, is_batch: bool = True, most: int = 1
    ) -> AsyncGenerator[bytes, None]:
        """A BatchSearchAutoResponse for searches as they complete; at the end all lie in every tier.

        What is still sought is given up when nobody takes it.

        Args:
            queries: the searches.
            is_batch: nobody waits for the whole, so what a search says of its text spares calls.
            most: outcomes that one response may carry.
        """
        sharing = Sharing() if is_batch else None
        looking = self._looking if is_batch else asyncio.Lock()
        run = _Run(self._search, self._bulk, self._turns, queries, sharing, looking)
        work = asyncio.create_task(run.run(self._default_results))
        try:
            while (some := await run.ready.get()) is not None:
                for answer in together(some, most):
                    yield answer
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


class _Run:
    """One batch.

    Args:
        search: answers one search.
        bulk: answers many for ISBNs.
        turns: when searches are read and answers told.
        queries: the searches.
        sharing: what they have in common; None where what they say of themselves counts for nothing.
        looking: held by whoever looks for a batch in the cache. Batches wait for a provider's turns, and the first must
            not be late for its own because the others are looked for as well.
    """

    def __init__(
        self,
        search: Search,
        bulk: Bulk,
        turns: Turns,
        queries: Sequence[pb.SearchAutoRequest],
        sharing: Sharing | None,
        looking: asyncio.Lock,
    ) -> None:
        self.ready: asyncio.Queue[Sequence[bytes] | None] = asyncio.Queue(_READY)
        """Answers to be taken; None is the end."""
        self._search = search
        self._bulk = bulk
        self._turns = turns
        self._queries = queries
        self._sharing = sharing
        self._looking = looking

    async def run(self, default_results: int) -> None:
        """Answers all searches."""
        try:
            await self._answer(default_results)
        except Exception:
            await self.ready.put(None)
            raise
        await self.ready.put(None)

    async def _answer(self, default_results: int) -> None:
        missing: list[Missing] = []
        async with asyncio.TaskGroup() as group:
            async with self._looking:
                for start in range(0, len(self._queries), _LOOKS):
                    places = range(start, min(start + _LOOKS, len(self._queries)))
                    others, outcomes = await self._looked(places, default_results)
                    missing += others
                    # Beside, for a caller that takes its time over answers holds up no other batch.
                    group.create_task(self._tell(outcomes))
            group.create_task(self._numbered([one for one in missing if one.ask.query.isbn13]))
            texts = [one for one in missing if not one.ask.query.isbn13]
            group.create_task(_each(_together(texts), self._fetch, limit=_TEXTS))

    async def _looked(
        self, places: Iterable[int], default_results: int
    ) -> tuple[Sequence[Missing], Sequence[tuple[int, Outcome]]]:
        """Those of some searches that the cache has no answer to; and what came of the others, by their places."""
        asks: dict[int, Ask] = {}
        outcomes: list[tuple[int, Outcome]] = []
        async with self._turns.turn() as turn:
            for at in places:
                await turn.breathe()
                try:
                    _check(self._queries[at])
                    asks[at] = checked_search(self._queries[at], default_results=default_results)
                except MeshError as error:
                    outcomes.append((at, error))
        missing = []
        looked = await self._search.looked(list(asks.values()), is_batch=self._sharing is not None)
        for (at, ask), (told, held) in zip(asks.items(), looked, strict=True):
            if told is not None:
                outcomes.append((at, told))
            elif ask.wishes.only_if_cached:
                outcomes.append((at, not_cached(ask.key)))
            else:
                missing.append(Missing(at=at, ask=ask, held=held))
        return missing, outcomes

    async def _numbered(self, missing: Sequence[Missing]) -> None:
        """Answers searches for ISBNs: those that are being made already are waited for, if they come."""
        others = [one for one in missing if self._search.is_under_way(one.ask.key)]
        places = {one.at for one in others}
        left: list[Missing] = []

        async def join(one: Missing) -> None:
            told = await self._search.joined(one.ask)
            if told is None:
                left.append(one)
            else:
                await self._tell([(one.at, told)])

        async with asyncio.TaskGroup() as group:
            group.create_task(self._looked_up([one for one in missing if one.at not in places]))
            group.create_task(_each(others, join, limit=len(others)))
        await self._looked_up(left)

    async def _looked_up(self, missing: Sequence[Missing]) -> None:
        told: set[int] = set()

        async def tell(outcomes: Sequence[tuple[int, Outcome]]) -> None:
            told.update(at for at, _ in outcomes)
            await self._tell(outcomes)

        try:
            alone = await self._bulk.answer(missing, tell)
        except Exception as unforeseen:  # noqa: BLE001 - the texts are answered all the same
            await self._tell([(one.at, broken(unforeseen)) for one in missing if one.at not in told])
        else:
            await _each([[one] for one in alone], self._fetch, limit=_TEXTS)

    async def _fetch(self, some: Sequence[Missing]) -> None:
        """Asks the providers for some searches, one after the other."""
        for one in some:
            lookup = None if self._sharing is None else self._sharing.lookup(one.ask)
            outcome: Outcome
            try:
                outcome = await self._search.fetched(one.ask, one.held, lookup)
            except MeshError as error:
                outcome = error
            except Exception as unforeseen:  # noqa: BLE001 - one broken search must not take the others with it
                outcome = broken(unforeseen)
            await self._tell([(one.at, outcome)])

    async def _tell(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        for start in range(0, len(outcomes), TOGETHER):
            async with self._turns.turn() as turn:
                some = []
                for at, outcome in outcomes[start : start + TOGETHER]:
                    await turn.breathe()
                    some.append(outcome_bytes(at, self._queries[at].q, outcome))
            await self.ready.put(some)


def _together(texts: Iterable[Missing]) -> Iterable[Sequence[Missing]]:
    """Texts, with those together that one call may answer."""
    groups: defaultdict[Hashable, list[Missing]] = defaultdict(list)
    for one in texts:
        groups[shared_by(one.ask) or one.at].append(one)
    return groups.values()


async def _each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, limit: int) -> None:
    """Does the work for each item, for at most so many at a time."""
    places = asyncio.Semaphore(limit)

    async def one(item: Item) -> None:
        async with places:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))
