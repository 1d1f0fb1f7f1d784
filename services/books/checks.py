"""The only place that says which requests the proxy takes, and what is taken for what is left out. Pure."""

from collections.abc import Sized
from dataclasses import dataclass

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_TOO_MANY_ITEMS,
    ERROR_REASON_UNKNOWN_ENUM_VALUE,
)

from mesh.status import InvalidArgumentError
from services.books.query import MAX_QUERY_LENGTH, InvalidQueryError, OrderBy, Query, cache_key, parse
from services.books.settings import MAX_RESULTS

BATCH_LIMIT = 1_000
"""Searches in one BatchSearchAuto."""

_ORDERS: dict[int, OrderBy] = {
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
    no_cache: bool = False
    """Ask the providers, whatever the cache holds."""
    only_if_cached: bool = False
    """Never ask a provider."""
    max_stale_s: float = 0.0
    """Seconds that an answer may be past its time."""


def checked_search(request: pb.SearchAutoRequest, *, default_results: int) -> Ask:
    """What a request asks for.

    Args:
        request: as it came.
        default_results: works in the answer when it does not say how many.

    Raises:
        InvalidArgumentError: EMPTY_QUERY, QUERY_TOO_LONG, INVALID_ISBN, UNKNOWN_ENUM_VALUE or INVALID_FIELD.
    """
    query = checked_query(
        request.q,
        language=request.language,
        include_translations=request.include_translations,
        order_by=_order(request.order_by),
    )
    control = request.cache_control
    if control.no_cache and control.only_if_cached:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            "no_cache and only_if_cached leave nobody to ask",
            field="cache_control.only_if_cached",
        )
    return Ask(
        query=query,
        key=cache_key(query),
        max_results=_max_results(request.max_results) or default_results,
        no_cache=control.no_cache,
        only_if_cached=control.only_if_cached,
        max_stale_s=_max_stale_s(control),
    )


def checked_query(
    q: str, *, language: str = "", include_translations: bool = False, order_by: OrderBy = OrderBy.RELEVANCE
) -> Query:
    """What a text asks for.

    Raises:
        InvalidArgumentError: EMPTY_QUERY, QUERY_TOO_LONG, INVALID_ISBN or, for the language, INVALID_FIELD.
    """
    try:
        return parse(q, language=language, include_translations=include_translations, order_by=order_by)
    except InvalidQueryError as error:
        too_long = error.reason == "QUERY_TOO_LONG"
        metadata = {"limit": str(MAX_QUERY_LENGTH), "length": str(len(q))} if too_long else None
        raise InvalidArgumentError(error.reason, error.message, field=error.field, metadata=metadata) from None


def checked_batch(queries: Sized) -> None:
    """Sees that a batch has 1 to BATCH_LIMIT searches; each of them is checked by itself.

    Raises:
        InvalidArgumentError: INVALID_FIELD or TOO_MANY_ITEMS.
    """
    if not len(queries):
        raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "queries must hold at least one search", field="queries")
    if len(queries) > BATCH_LIMIT:
        raise InvalidArgumentError(
            ERROR_REASON_TOO_MANY_ITEMS,
            f"queries must hold at most {BATCH_LIMIT} searches, not {len(queries)}",
            field="queries",
            metadata={"limit": str(BATCH_LIMIT), "count": str(len(queries))},
        )


def _order(value: int) -> OrderBy:
    if value not in _ORDERS:
        raise InvalidArgumentError(
            ERROR_REASON_UNKNOWN_ENUM_VALUE,
            f"{value} is no way to order results",
            field="order_by",
            metadata={"value": str(value)},
        )
    return _ORDERS[value]


def _max_results(value: int) -> int:
    if not 0 <= value <= MAX_RESULTS:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD,
            f"max_results must be 1 to {MAX_RESULTS}, or 0 for the default, not {value}",
            field="max_results",
            metadata={"limit": str(MAX_RESULTS), "value": str(value)},
        )
    return value


def _max_stale_s(control: pb.CacheControl) -> float:
    seconds = control.max_stale.seconds + control.max_stale.nanos / 1e9
    if seconds < 0:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD, "max_stale must be 0 or more", field="cache_control.max_stale"
        )
    return seconds
