"""What a plan will cost, asked of the cache and reckoned from the rest: the only place that foretells anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.asking import METADATA
from services.warmer.plan import Plan, Search, SearchKind
from services.warmer.settings import Pace

_LOOKS = 1_000
"""Searches in one call, by the proxy's contract."""

_CALLS_PER_TEXT = 2
"""Calls that the proxy makes for a text: it asks for it as a title and as a name. A third where both find nothing, and
none where the leaf remembers an answer, so the sum for texts is near the truth and not the truth itself."""

_PROVIDER = "isbndb"


@dataclass(frozen=True, slots=True)
class _Look:
    """What the cache says of a search."""

    fresh: bool
    """It has an answer."""
    missing: bool
    """It has none, so that the providers will be asked; a search that can't be asked for is neither."""


async def estimate(plan: Plan, books: BooksServiceStub, pace: Pace) -> pb.WarmPlan:
    """What a job of this plan would do, without doing it; no provider is called.

    Args:
        plan: the plan.
        books: the proxy.
        pace: what the subscription allows.

    Raises:
        MeshError: the proxy can't be asked.
    """
    looks: list[_Look] = []
    for at in range(0, len(plan.searches), _LOOKS):
        looks += await _looked(plan.searches[at : at + _LOOKS], books)
    calls = sum(_cost([(plan.searches[at], looks[at]) for at in batch], pace) for batch in plan.batches)
    return pb.WarmPlan(
        search_count=len(plan.searches),
        fresh_count=sum(look.fresh for look in looks),
        isbn_count=plan.count(SearchKind.ISBN),
        author_count=plan.count(SearchKind.AUTHOR),
        title_count=plan.count(SearchKind.TITLE),
        provider_calls=[pb.ProviderCalls(provider=_PROVIDER, call_count=calls, quota_left=-1)],
        estimated_duration_ms=round(max(0, calls - 1) * pace.interval_s * 1000),
    )


async def _looked(searches: Sequence[Search], books: BooksServiceStub) -> list[_Look]:
    control = books_pb.CacheControl(only_if_cached=True)
    request = books_pb.BatchSearchAutoRequest(
        queries=[books_pb.SearchAutoRequest(q=search.q, max_results=1, cache_control=control) for search in searches]
    )
    looks = [_Look(fresh=False, missing=True)] * len(searches)
    async for answer in books.BatchSearchAuto(request, metadata=METADATA):
        if answer.WhichOneof("outcome") == "response":
            whole = not (answer.response.provenance.stale or answer.response.partial)
            looks[answer.query_index] = _Look(fresh=whole, missing=not whole)
        else:
            looks[answer.query_index] = _Look(fresh=False, missing=answer.error.reason == "NOT_CACHED")
    return looks


def _cost(batch: Sequence[tuple[Search, _Look]], pace: Pace) -> int:
    """Calls that one batch takes: its ISBNs are looked up together, its texts one by one."""
    missing = [search for search, look in batch if look.missing]
    isbns = sum(search.kind is SearchKind.ISBN for search in missing)
    return -(-isbns // pace.isbns_per_call) + _CALLS_PER_TEXT * (len(missing) - isbns)
