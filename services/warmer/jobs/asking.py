"""The only place that has the proxy search: asks for a batch of searches until each is settled.

What is wrong with one search settles that search; what is wrong with the proxy as a whole is waited out, for it says
nothing of any search. A provider's day that is spent is no failure either: the job waits for the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc
import structlog
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.type.v1.book_pb2 import TIER_ORIGIN
from google.protobuf.duration_pb2 import Duration

from mesh.status import MeshError
from mesh.trace import CLASS_KEY
from services.warmer.jobs.outcome import Outcome, Settled
from services.warmer.plan.searches import Search, SearchKind

METADATA = ((CLASS_KEY, "batch"),)
"""Marks calls that nobody waits for, so that the proxy may put those of people first."""

BATCH_S = 300.0
"""Seconds that one call may take; a batch of texts waits for its turn at a slow provider, and that may be long."""

TRIES = 4
"""Times that a search is asked for before it is parked."""

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
"""Seconds before the first try more, which double with each, up to the longest."""

SPENT_S = 300.0
"""Seconds after which a provider whose day is spent is asked again, when it did not say when the next one begins."""

_PASSING = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
"""Status of a search that another try may settle."""

_SPENT = "QUOTA_SPENT"

_UNREACHABLE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""Status of a whole call that says that the proxy is not there, or has too much to do."""

_KINDS = {SearchKind.AUTHOR: pb.QUERY_KIND_AUTHOR, SearchKind.TITLE: pb.QUERY_KIND_TITLE_AND_AUTHOR}

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


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a search is not settled yet."""

    reason: str
    message: str
    anew: bool = False
    """The proxy holds an answer that is not good enough, and must ask the providers anew."""
    retry_after_s: float = 0.0
    """Seconds until another try makes sense, for a spent quota."""


class Asker:
    """Asks the proxy.

    Args:
        books: the proxy.
        sleep: waits for so many seconds.
    """

    def __init__(self, books: BooksServiceStub, *, sleep: Sleep = asyncio.sleep) -> None:
        self._books = books
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
        waiting: dict[int, _Trouble | None] = dict.fromkeys(places)
        tries = absences = 0
        while waiting:
            before = len(waiting)
            failure = await self._ask_once(searches, waiting, listener, min_fresh_s)
            if not waiting:
                return
            spent = [each.retry_after_s for each in waiting.values() if each is not None and each.reason == _SPENT]
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
                trouble = _Trouble(failure.reason, failure.message)
                passing = failure.code.name in _PASSING
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
        waiting: dict[int, _Trouble | None],
        listener: Listener,
        min_fresh_s: float,
    ) -> MeshError | None:
        """Asks for what is waiting, and takes out what is settled; why the call as a whole failed, if it did."""
        places = list(waiting)
        queries = [query_of(searches[at], anew=_is_anew(waiting[at]), min_fresh_s=min_fresh_s) for at in places]
        paid: set[str] = set()
        call = self._books.BatchSearchAuto(
            pb.BatchSearchAutoRequest(queries=queries), timeout=BATCH_S, metadata=METADATA
        )
        try:
            async for answer in call:
                if not 0 <= answer.query_index < len(places):
                    continue
                place = places[answer.query_index]
                if answer.WhichOneof("outcome") == "response":
                    listener.spend(_calls(answer.response, paid))
                verdict = verdict_on(answer)
                if isinstance(verdict, Settled):
                    waiting.pop(place, None)
                    listener.settle(place, verdict)
                else:
                    waiting[place] = verdict
        except MeshError as failure:
            return failure
        return None


def query_of(
    search: Search, *, anew: bool = False, only_if_cached: bool = False, min_fresh_s: float = 0.0
) -> pb.SearchAutoRequest:
    """One result is enough to see that there are some; the proxy keeps all of them, whatever it is asked to send."""
    control = pb.CacheControl(no_cache=anew, only_if_cached=only_if_cached)
    if min_fresh_s and not anew:
        control.min_fresh.CopyFrom(Duration(seconds=round(min_fresh_s)))
    kind = _KINDS.get(search.kind, pb.QUERY_KIND_ISBN)
    if search.kind is SearchKind.TITLE and not search.author:
        kind = pb.QUERY_KIND_TITLE
    return pb.SearchAutoRequest(q=search.q, max_results=1, cache_control=control, kind=kind)


def _is_anew(trouble: _Trouble | None) -> bool:
    return trouble is not None and trouble.anew


def verdict_on(answer: pb.BatchSearchAutoResponse) -> Settled | _Trouble:
    """What an answer makes of its search: it is settled, or another try may help."""
    if answer.WhichOneof("outcome") != "response":
        error = answer.error
        if error.reason == _SPENT:
            return _Trouble(error.reason, error.message, retry_after_s=_retry_after_s(error.metadata))
        if error.code in _PASSING:
            return _Trouble(error.reason, error.message)
        return Settled(Outcome.FAILED, error.reason or "INTERNAL", error.message)
    response = answer.response
    if response.provenance.stale:
        return _Trouble("STALE_ANSWER", "the providers fail, and the answer that is kept is past its time")
    if response.partial:
        return _Trouble(
            "PARTIAL_ANSWER", "a provider did not answer, so this answer is kept for a short time only", anew=True
        )
    if not response.results:
        return Settled(Outcome.NOT_FOUND)
    return Settled(Outcome.WARMED if response.provenance.tier == TIER_ORIGIN else Outcome.FRESH)


def _retry_after_s(metadata: object) -> float:
    told = dict(metadata).get("retry_after_ms", "")  # type: ignore[call-overload]  # a map field, which is a mapping
    return float(told) / 1000 if told.isdecimal() else 0.0


def _calls(response: pb.SearchAutoResponse, paid: set[str]) -> int:
    """Calls to providers that an answer cost.

    Only one from the origin cost any; and where two texts of a batch share a key, they share the answer and its cost.
    """
    provenance = response.provenance
    if provenance.tier != TIER_ORIGIN or provenance.key in paid:
        return 0
    paid.add(provenance.key)
    return sum(provider.call_count for provider in response.providers)


def _finish(waiting: dict[int, _Trouble | None], outcome: Outcome, listener: Listener) -> None:
    for place, trouble in waiting.items():
        reason, message = (
            (trouble.reason, trouble.message) if trouble else ("NO_ANSWER", "the proxy did not answer this search")
        )
        listener.settle(place, Settled(outcome, reason, message))


def _wait_s(tries: int) -> float:
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 16))
