"""The only place that makes the answers of many ISBNs out of one look-up, some at a time, each as a single search's."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import TIER_ORIGIN

from mesh.call import Clock
from mesh.status import MeshError
from mesh.turns import Turns
from services.books.answering import Answering, count_binding_time
from services.books.answers import Answer
from services.books.checks import Ask
from services.books.entry import Entry
from services.books.outcomes import Outcome, broken
from services.books.panel import Panel
from services.books.search import Search, made_of
from services.books.walking import Held

TOGETHER = 64
"""Answers that are kept, and told, together: enough that a store's round trip is shared by many, and few enough that
the caller has something to do meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A search that the cache did not answer."""

    at: int
    """Its place in the batch."""
    ask: Ask
    """The search."""
    held: Held | None
    """What the cache holds of it, too old to be its answer."""


Tell = Callable[[Sequence[tuple[int, Outcome]]], Awaitable[None]]
"""Told what came of some searches, by their places."""


class Bulk:
    """Answers searches for ISBNs.

    Args:
        search: what a search is.
        answering: keeps the answers.
        panel: asks the providers.
        turns: when the answers are put together.
        clock: seconds since the epoch.
    """

    def __init__(self, search: Search, answering: Answering, panel: Panel, turns: Turns, *, clock: Clock) -> None:
        self._search = search
        self._answering = answering
        self._panel = panel
        self._turns = turns
        self._clock = clock

    async def answer(self, missing: Iterable[Missing], tell: Tell) -> Sequence[Missing]:
        """Answers searches with one look-up; those that can't be answered so are given back.

        An answer lies in the hot tier before it is told, where every process finds it, and all of them lie in the cold
        one when this returns.
        """
        by_key: defaultdict[str, list[Missing]] = defaultdict(list)
        for one in missing:
            by_key[one.ask.key].append(one)
        if not by_key:
            return ()
        with self._answering.promises.made(by_key):
            began, started = self._clock(), time.perf_counter()
            answers = await self._panel.ask_isbns([ones[0].ask.query.isbn13 for ones in by_key.values()])
            fetch_s = time.perf_counter() - started
            count_binding_time(fetch_s)
            if answers is None:
                return [one for ones in by_key.values() for one in ones]
            keys = list(by_key)
            async with asyncio.TaskGroup() as group:
                for start in range(0, len(keys), TOGETHER):
                    some = {key: by_key[key] for key in keys[start : start + TOGETHER]}
                    made = await self._made(some, answers, began, fetch_s)
                    # While these are written the next are put together.
                    group.create_task(self._kept(some, made, tell))
        await self._answering.all_settled(by_key)
        return ()

    async def _made(
        self,
        some: Mapping[str, Sequence[Missing]],
        answers: Callable[[str], Sequence[Answer]],
        began: float,
        fetch_s: float,
    ) -> Mapping[str, Entry | MeshError]:
        """The answers of some keys, or why there are none."""
        made: dict[str, Entry | MeshError] = {}
        async with self._turns.turn() as turn:
            for key, (first, *_) in some.items():
                await turn.breathe()
                query = first.ask.query
                try:
                    found = made_of(query, answers(query.isbn13))
                    made[key] = self._answering.making.entry(found, began, fetch_s, patient=True)
                except MeshError as error:
                    made[key] = error
                except Exception as unforeseen:  # noqa: BLE001 - one broken search must not take the others with it
                    made[key] = broken(unforeseen)
        return made

    async def _kept(
        self, some: Mapping[str, Sequence[Missing]], made: Mapping[str, Entry | MeshError], tell: Tell
    ) -> None:
        """Keeps answers, and tells them once they lie in the hot tier."""
        entries = {key: entry for key, entry in made.items() if isinstance(entry, Entry)}
        renewed = [key for key in entries if any(one.held is not None or one.ask.wishes.no_cache for one in some[key])]
        await self._answering.keep_many(entries, renewed=renewed)
        outcomes = []
        async with self._turns.turn() as turn:
            for key, ones in some.items():
                for one in ones:
                    await turn.breathe()
                    outcomes.append((one.at, self._outcome(one, made[key])))
        await tell(outcomes)

    def _outcome(self, one: Missing, made: Entry | MeshError) -> Outcome:
        if isinstance(made, Entry):
            return self._search.told(one.ask, Held(made, TIER_ORIGIN))
        resort = self._answering.last_resort(one.ask.key, one.ask.wishes, one.held, made)
        return made if resort is None else self._search.told(one.ask, resort)
