"""The only place that has the proxy search: asks for a batch of searches until each is settled.

What is wrong with one search settles that search; what is wrong with the proxy as a whole is waited out, for it says
nothing of any search. A provider's day that is spent is no failure either: the job waits for the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import grpc
import structlog
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.status import MeshError
from mesh.turns import Turns
from services.warmer.jobs.outcome import Outcome, Settled
from services.warmer.jobs.questions import (
    METADATA,
    PASSING,
    SPENT,
    Trouble,
    batch_of,
    calls_of,
    each_of,
    is_anew,
    query_of,
    verdict_on,
)
from services.warmer.plan.searches import Search

BATCH_S = 300.0
"""Seconds that one call may take; a batch of texts waits for its turn at a slow provider, and that may be long."""

TRIES = 4
"""Times that a search is asked for before it is parked."""

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
"""Seconds before the first try more, which double with each, up to the longest."""

SPENT_S = 300.0
"""Seconds after which a provider whose day is spent is asked again, when it did not say when the next one begins."""

_UNREACHABLE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""Status of a whole call that says that the proxy is not there, or has too much to do."""

_log = structlog.get_logger("services.warmer")

Sleep = Callable[[float], Awaitable[None]]


class QuotaSpentError(Exception):
    """The provider's day is spent, so far as warming may spend it.

    Args:
        retry_after_s: seconds until the next one.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the provider's day is spent for {retry_after_s:.0f} s more")
        self.retry_after_s = retry_after_s


class Listener(Protocol):
    """Who is told what comes of a batch."""

    def settle(self, place: int, settled: Settled) -> None:
        """A search of the batch is done with."""

    def spend(self, calls: int) -> None:
        """Calls to providers were made."""

    def retry(self, count: int) -> None:
        """Searches are asked for once more."""


class Asker:
    """Asks the proxy.

    Args:
        books: the proxy.
        turns: when many searches are put together, and many answers read.
        sleep: waits for so many seconds.
    """

    def __init__(self, books: BooksServiceStub, turns: Turns, *, sleep: Sleep = asyncio.sleep) -> None:
        self._books = books
        self._turns = turns
        self._sleep = sleep

    async def ask(
        self, searches: Sequence[Search], places: Sequence[int], listener: Listener, *, min_fresh_s: float = 0.0
    ) -> None:
        """Settles searches of a batch; returns when each of them is.

        Args:
            searches: the batch.
            places: those of its searches that are to be settled.
            listener: is told of each as soon as it is.
            min_fresh_s: seconds that an answer must stay fresh yet to be none that is asked for anew.

        Raises:
            QuotaSpentError: those that are left have to wait for the provider's next day.
        """
        waiting: dict[int, Trouble | None] = dict.fromkeys(places)
        tries = absences = 0
        while waiting:
            before = len(waiting)
            failure = await self._ask_once(searches, waiting, listener, min_fresh_s)
            if not waiting:
                return
            spent = [each.retry_after_s for each in waiting.values() if each is not None and each.reason == SPENT]
            if spent:
                raise QuotaSpentError(max(spent) or SPENT_S)
            if failure is not None and failure.code in _UNREACHABLE:
                # However long it takes: an unreachable proxy is no search's fault. What came before is progress.
                absences = 1 if len(waiting) < before else absences + 1
                _log.warning("proxy_unreachable", reason=failure.reason, waiting=len(waiting))
                await self._sleep(max(failure.retry_after_s or 0.0, _wait_s(absences)))
                continue
            absences = 0
            tries += 1
            if failure is not None:
                trouble = Trouble(failure.reason, failure.message)
                passing = failure.code.name in PASSING
                waiting = {place: waiting[place] or trouble for place in waiting}
                if not passing:
                    _finish(waiting, Outcome.FAILED, listener)
                    return
            if tries == TRIES:
                _finish(waiting, Outcome.PARKED, listener)
                return
            listener.retry(len(waiting))
            await self._sleep(_wait_s(tries))

    async def _ask_once(
        self,
        searches: Sequence[Search],
        waiting: dict[int, Trouble | None],
        listener: Listener,
        min_fresh_s: float,
    ) -> MeshError | None:
        """Asks for what is waiting, and takes out what is settled; why the call as a whole failed, if it did."""
        places = list(waiting)
        queries = []
        async with self._turns.turn() as turn:
            for at in places:
                await turn.breathe()
                queries.append(query_of(searches[at], anew=is_anew(waiting[at]), min_fresh_s=min_fresh_s))
        paid: set[str] = set()
        call = self._books.BatchSearchAuto(batch_of(queries), timeout=BATCH_S, metadata=METADATA)
        try:
            async for response in call:
                async with self._turns.turn() as turn:
                    for answer in each_of(response):
                        await turn.breathe()
                        if not 0 <= answer.query_index < len(places):
                            continue
                        place = places[answer.query_index]
                        listener.spend(calls_of(answer, paid))
                        verdict = verdict_on(answer)
                        if isinstance(verdict, Settled):
                            waiting.pop(place, None)
                            listener.settle(place, verdict)
                        else:
                            waiting[place] = verdict
        except MeshError as failure:
            return failure
        return None


def _finish(waiting: dict[int, Trouble | None], outcome: Outcome, listener: Listener) -> None:
    for place, trouble in waiting.items():
        reason, message = (
            (trouble.reason, trouble.message) if trouble else ("NO_ANSWER", "the proxy did not answer this search")
        )
        listener.settle(place, Settled(outcome, reason, message))


def _wait_s(tries: int) -> float:
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 16))
