"""What a plan will cost, asked of the cache and reckoned from the rest: the only place that foretells anything."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bookmesh.books.v1 import books_service_pb2 as books_pb
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.isbndb.v1 import admin_service_pb2 as leaf_pb
from bookmesh.isbndb.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import MeshError
from services.warmer.jobs.questions import METADATA, batch_of, each_of, query_of
from services.warmer.plan.planning import Planned
from services.warmer.plan.searches import Search, SearchKind
from services.warmer.plan.shelf import PlanShelf

_LOOKS = 1_000
"""Searches in one call, by the proxy's contract."""

_CALLS_PER_TITLE = 2
"""Calls that the proxy makes for a title whose author is unknown: it asks for it as a title and as a name."""

_PROVIDER = "isbndb"


@dataclass(frozen=True, slots=True)
class _Look:
    """What the cache says of a search."""

    fresh: bool
    """It has an answer."""
    missing: bool
    """It has none, so that the providers will be asked; a search that can't be asked for is neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """Foretells what plans cost, without any provider being called."""

    books: BooksServiceStub
    """The proxy, which knows what is cached."""
    leaf: AdminServiceStub
    """The leaf, which knows what its plan allows and what of it is left."""
    shelf: PlanShelf
    """Where plans lie."""

    async def estimate(self, planned: Planned) -> pb.WarmPlan:
        """What a job of this plan would do, without doing it.

        Raises:
            MeshError: the proxy can't be asked.
        """
        head = planned.head
        calls = fresh = 0
        async for some in self._together(planned):
            looks = await self._looked([search for _, search in some])
            fresh += sum(look.fresh for look in looks)
            calls += _cost([(batch, search) for (batch, search), look in zip(some, looks, strict=True) if look.missing])
        quota = await self._quota()
        return pb.WarmPlan(
            search_count=head.searches,
            fresh_count=fresh,
            isbn_count=head.isbns,
            author_count=head.authors,
            title_count=head.titles,
            covered_count=head.covered,
            skipped_count=head.skipped,
            provider_calls=[pb.ProviderCalls(provider=_PROVIDER, call_count=calls, quota_left=_left(quota))],
            estimated_duration_ms=_least_ms(calls, quota),
            day_count=_days(calls, quota),
            library=planned.library,
        )

    async def _together(self, planned: Planned) -> AsyncIterator[Sequence[tuple[int, Search]]]:
        """The searches of a plan, each with the number of its batch, as many whole batches at a time as one call takes.

        What is reckoned of a batch is reckoned at once, or what its searches share would count twice.
        """
        waiting: list[tuple[int, Search]] = []
        async for number, searches in self.shelf.batches(planned.plan_id, range(planned.head.batches)):
            if len(waiting) + len(searches) > _LOOKS:
                yield waiting
                waiting = []
            waiting += [(number, search) for search in searches]
        if waiting:
            yield waiting

    async def _looked(self, searches: Sequence[Search]) -> list[_Look]:
        request = batch_of([query_of(search, only_if_cached=True) for search in searches])
        looks = [_Look(fresh=False, missing=True)] * len(searches)
        async for response in self.books.BatchSearchAuto(request, metadata=METADATA):
            for answer in each_of(response):
                looks[answer.query_index] = _look_of(answer)
        return looks

    async def _quota(self) -> leaf_pb.GetQuotaResponse | None:
        """What the plan allows; None when the leaf does not tell, for an estimate without it is better than none."""
        try:
            return await self.leaf.GetQuota(leaf_pb.GetQuotaRequest())
        except MeshError:
            return None


def _look_of(answer: books_pb.BatchSearchAutoResponse) -> _Look:
    if answer.WhichOneof("outcome") == "response":
        whole = not (answer.response.provenance.stale or answer.response.partial)
        return _Look(fresh=whole, missing=not whole)
    return _Look(fresh=False, missing=answer.error.reason == "NOT_CACHED")


def _cost(missing: Sequence[tuple[int, Search]]) -> int:
    """Calls that searches take which are not cached.

    The ISBNs of a batch are looked up together. An author is one call, and brings the titles that stand beside it;
    where the author is cached and a title is not, the title brings the author.
    """
    by_isbn = {batch for batch, search in missing if search.kind is SearchKind.ISBN}
    writers = {
        (batch, search.author or search.q)
        for batch, search in missing
        if search.kind is SearchKind.AUTHOR or (search.kind is SearchKind.TITLE and search.author)
    }
    alone = sum(search.kind is SearchKind.TITLE and not search.author for _, search in missing)
    return len(by_isbn) + len(writers) + _CALLS_PER_TITLE * alone


def _left(quota: leaf_pb.GetQuotaResponse | None) -> int:
    """Calls of the day that warming may still make; -1 when nobody knows, or there is no limit."""
    if quota is None or not quota.day_limit:
        return -1
    return max(0, quota.day_limit - quota.live_reserve - quota.day_used)


def _least_ms(calls: int, quota: leaf_pb.GetQuotaResponse | None) -> int:
    """The least time that the rate allows: the first call begins at once."""
    if quota is None or not quota.calls_per_second:
        return 0
    return round(max(0, calls - 1) / quota.calls_per_second * 1000)


def _days(calls: int, quota: leaf_pb.GetQuotaResponse | None) -> int:
    """Days whose quota it takes, today included."""
    left = _left(quota)
    if not calls:
        return 0
    if quota is None or calls <= left or left < 0:
        return 1
    return 1 + math.ceil((calls - left) / max(1, quota.day_limit - quota.live_reserve))
