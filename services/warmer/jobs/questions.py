"""The only place that puts searches into the proxy's words, and reads what it makes of each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.type.v1.book_pb2 import TIER_ORIGIN
from google.protobuf.duration_pb2 import Duration

from mesh.trace import CLASS_KEY
from services.warmer.jobs.outcome import Outcome, Settled
from services.warmer.plan.searches import Search, SearchKind

METADATA = ((CLASS_KEY, "batch"),)
"""Marks calls that nobody waits for, so that the proxy may put those of people first."""

TOGETHER = 64
"""Outcomes that one response may carry: a message costs more than most of them."""

PASSING = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
"""Status of a search that another try may settle."""

SPENT = "QUOTA_SPENT"
"""The reason of a provider whose day is over."""

_KINDS = {SearchKind.AUTHOR: pb.QUERY_KIND_AUTHOR, SearchKind.TITLE: pb.QUERY_KIND_TITLE_AND_AUTHOR}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a search is not settled yet."""

    reason: str
    message: str
    anew: bool = False
    """The proxy holds an answer that is not good enough, and must ask the providers anew."""
    retry_after_s: float = 0.0
    """Seconds until another try makes sense, for a spent quota."""


def query_of(
    search: Search, *, anew: bool = False, only_if_cached: bool = False, min_fresh_s: float = 0.0
) -> pb.SearchAutoRequest:
    """One result is enough to see that there are some; the proxy keeps all of them, whatever it is asked to send."""
    control = None
    if anew:
        control = pb.CacheControl(no_cache=True)
    elif only_if_cached or min_fresh_s:
        min_fresh = Duration(seconds=round(min_fresh_s)) if min_fresh_s else None
        control = pb.CacheControl(only_if_cached=only_if_cached, min_fresh=min_fresh)
    kind = _KINDS.get(search.kind, pb.QUERY_KIND_ISBN)
    if search.kind is SearchKind.TITLE and not search.author:
        kind = pb.QUERY_KIND_TITLE
    return pb.SearchAutoRequest(q=search.q, max_results=1, cache_control=control, kind=kind)


def batch_of(queries: Sequence[pb.SearchAutoRequest]) -> pb.BatchSearchAutoRequest:
    """Searches as they are asked for together; `each_of` reads the answers."""
    return pb.BatchSearchAutoRequest(queries=queries, outcomes_per_response=TOGETHER)


def each_of(response: pb.BatchSearchAutoResponse) -> Sequence[pb.BatchSearchAutoResponse]:
    """Each outcome that came together."""
    return (response, *response.others)


def is_anew(trouble: Trouble | None) -> bool:
    """Whether a search has to be asked of the providers, whatever the proxy holds."""
    return trouble is not None and trouble.anew


def verdict_on(answer: pb.BatchSearchAutoResponse) -> Settled | Trouble:
    """What an answer makes of its search: it is settled, or another try may help."""
    if answer.WhichOneof("outcome") != "response":
        error = answer.error
        if error.reason == SPENT:
            return Trouble(error.reason, error.message, retry_after_s=_retry_after_s(error.metadata))
        if error.code in PASSING:
            return Trouble(error.reason, error.message)
        return Settled(Outcome.FAILED, error.reason or "INTERNAL", error.message)
    response = answer.response
    if response.provenance.stale:
        return Trouble("STALE_ANSWER", "the providers fail, and the answer that is kept is past its time")
    if response.partial:
        return Trouble(
            "PARTIAL_ANSWER", "a provider did not answer, so this answer is kept for a short time only", anew=True
        )
    if not response.results:
        return Settled(Outcome.NOT_FOUND)
    return Settled(Outcome.WARMED if response.provenance.tier == TIER_ORIGIN else Outcome.FRESH)


def _retry_after_s(metadata: object) -> float:
    told = dict(metadata).get("retry_after_ms", "")  # type: ignore[call-overload]  # a map field, which is a mapping
    return float(told) / 1000 if told.isdecimal() else 0.0


def calls_of(answer: pb.BatchSearchAutoResponse, paid: set[str]) -> int:
    """Calls to providers that an answer cost; its key joins those that are paid for.

    Only one from the origin cost any; and where two texts of a batch share a key, they share the answer and its cost.
    """
    response = answer.response
    provenance = response.provenance
    if provenance.tier != TIER_ORIGIN or provenance.key in paid:
        return 0
    paid.add(provenance.key)
    return sum(provider.call_count for provider in response.providers)
