"""The only place that says what is taken for what a request to the proxy leaves out, and what no text can mean. Pure.

All else that a request must keep stands in the contract, and is seen to before it comes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD, ERROR_REASON_INVALID_PAGE_TOKEN
from google.protobuf.duration_pb2 import Duration

from mesh.status import InvalidArgumentError
from services.books.hints import Hint, hint_of
from services.books.likeness import printed_name_key
from services.books.paging import Mark, PageTokenError, mark_of
from services.books.query import (
    DEFAULT_LANGUAGE,
    InvalidQueryError,
    OrderBy,
    Query,
    bibliography_key,
    cache_key,
    parse,
)
from services.books.telling import interpretation_of
from services.books.wishes import NO_WISHES, Wishes
from services.cataloguing.names import display_name
from services.cataloguing.text import line_of

PAGE_SIZE, LARGEST_PAGE = 50, 100
"""Works of a page when a request does not say how many, and at most."""

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
    hint: Hint | None = None
    """What the caller knows the text to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorAsk:
    """A page of an author's works that can be answered."""

    author: str
    """The name, first name first."""
    language: str
    """The language asked for."""
    key: str
    """The key of the whole."""
    page_size: int
    """Works of the page, 1 to 100."""
    after: Mark | None = None
    """Where the page before ended; None for the first."""
    wishes: Wishes = NO_WISHES
    """What is asked of the cache."""


def checked_bibliography(request: pb.AuthorBibliographyRequest) -> AuthorAsk:
    """What a request asks for.

    Args:
        request: one that keeps the contract's rules.

    Raises:
        InvalidArgumentError: INVALID_FIELD for a name that nobody has, or INVALID_PAGE_TOKEN.
    """
    author = display_name(line_of(request.author))
    if not author:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_FIELD, "author must be a name, with a letter in it", field="author"
        )
    language = request.language.lower() or DEFAULT_LANGUAGE
    key = bibliography_key(printed_name_key(author), language)
    try:
        after = mark_of(key, request.page_token) if request.page_token else None
    except PageTokenError:
        raise InvalidArgumentError(
            ERROR_REASON_INVALID_PAGE_TOKEN,
            "page_token is none that this method gave out for this author and language",
            field="page_token",
        ) from None
    return AuthorAsk(
        author=author,
        language=language,
        key=key,
        page_size=min(request.page_size or PAGE_SIZE, LARGEST_PAGE),
        after=after,
        wishes=wishes_of(request.cache_control) if request.HasField("cache_control") else NO_WISHES,
    )


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
    hint, has_wishes = hint_of(request.kind), request.HasField("cache_control")
    if not (hint or has_wishes):
        return ask
    return replace(ask, hint=hint, wishes=wishes_of(request.cache_control) if has_wishes else NO_WISHES)


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
        max_stale_s=_seconds(control.max_stale) if control.HasField("max_stale") else None,
        min_fresh_s=_seconds(control.min_fresh),
    )


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


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
