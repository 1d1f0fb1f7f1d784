"""The only place that says what is taken for what a request to the proxy leaves out, and what no text can mean. Pure.

All else that a request must keep stands in the contract, and is seen to before it comes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bookmesh.books.v1 import books_service_pb2 as pb

from mesh.status import InvalidArgumentError
from services.books.query import InvalidQueryError, OrderBy, Query, cache_key, parse
from services.books.telling import interpretation_of
from services.books.wishes import NO_WISHES, Wishes

_ORDERS: Mapping[int, OrderBy] = {
    pb.ORDER_BY_UNSPECIFIED: OrderBy.RELEVANCE,
    pb.ORDER_BY_RELEVANCE: OrderBy.RELEVANCE,
    pb.ORDER_BY_NEWEST: OrderBy.NEWEST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A search that can be answered: everything in it makes sense."""

    query: Query
    """What is sought."""
    key: str
    """The key of its answer."""
    max_results: int
    """Works in the answer, 1 to 100."""
    own_part: bytes
    """What of the answer is this search's own, for its key is shared by others."""
    wishes: Wishes = NO_WISHES
    """What is asked of the cache."""


def checked_search(request: pb.SearchAutoRequest, *, default_results: int) -> Ask:
    """What a request asks for.

    Args:
        request: one that keeps the contract's rules.
        default_results: works in the answer when it does not say how many.

    Raises:
        InvalidArgumentError: EMPTY_QUERY or INVALID_ISBN.
    """
    try:
        ask = _ask(
            request.q,
            request.language,
            request.include_translations,
            request.order_by,
            request.max_results or default_results,
        )
    except InvalidQueryError as error:
        raise _refused(error) from None
    return replace(ask, wishes=wishes_of(request.cache_control)) if request.HasField("cache_control") else ask


@lru_cache(maxsize=8192)
def _ask(q: str, language: str, include_translations: bool, order_by: int, max_results: int) -> Ask:  # noqa: FBT001 - called with the fields of a request
    """A search without wishes. Popular ones come again and again, and to read one costs more than all else of a hit."""
    query = parse(q, language=language, include_translations=include_translations, order_by=_ORDERS[order_by])
    return Ask(query=query, key=cache_key(query), max_results=max_results, own_part=interpretation_of(query))


def wishes_of(control: pb.CacheControl) -> Wishes:
    """What a caller asks of the cache."""
    return Wishes(
        no_cache=control.no_cache,
        only_if_cached=control.only_if_cached,
        max_stale_s=control.max_stale.seconds + control.max_stale.nanos / 1e9
        if control.HasField("max_stale")
        else None,
    )


def checked_query(
    q: str, *, language: str = "", include_translations: bool = False, order_by: OrderBy = OrderBy.RELEVANCE
) -> Query:
    """What a text asks for.

    Raises:
        InvalidArgumentError: EMPTY_QUERY or INVALID_ISBN.
    """
    try:
        return parse(q, language=language, include_translations=include_translations, order_by=order_by)
    except InvalidQueryError as error:
        raise _refused(error) from None


def _refused(error: InvalidQueryError) -> InvalidArgumentError:
    """Says of a query without sense that its caller can mend it."""
    return InvalidArgumentError(error.reason, error.message, field="q")
