import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from google.protobuf.duration_pb2 import Duration

from mesh.status import InvalidArgumentError
from services.books.checks import BATCH_LIMIT, checked_batch, checked_search
from services.books.query import OrderBy


def refused(request: pb.SearchAutoRequest) -> tuple[str, str]:
    """Reason and field with which a request is refused."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_search(request, default_results=40)
    return caught.value.reason, caught.value.field


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (pb.SearchAutoRequest(), "EMPTY_QUERY", "q"),
        (pb.SearchAutoRequest(q=" \t"), "EMPTY_QUERY", "q"),
        (pb.SearchAutoRequest(q="?!"), "EMPTY_QUERY", "q"),
        (pb.SearchAutoRequest(q="a" * 513), "QUERY_TOO_LONG", "q"),
        (pb.SearchAutoRequest(q="9780441013594"), "INVALID_ISBN", "q"),
        (pb.SearchAutoRequest(q="0-441-01359-8"), "INVALID_ISBN", "q"),
        (pb.SearchAutoRequest(q="dune", max_results=-1), "INVALID_FIELD", "max_results"),
        (pb.SearchAutoRequest(q="dune", max_results=101), "INVALID_FIELD", "max_results"),
        (pb.SearchAutoRequest(q="dune", language="english"), "INVALID_FIELD", "language"),
        (pb.SearchAutoRequest(q="dune", language="*"), "INVALID_FIELD", "language"),
        (pb.SearchAutoRequest(q="dune", order_by=99), "UNKNOWN_ENUM_VALUE", "order_by"),  # type: ignore[arg-type]  # a value of a later version
        (
            pb.SearchAutoRequest(q="dune", cache_control=pb.CacheControl(no_cache=True, only_if_cached=True)),
            "INVALID_FIELD",
            "cache_control.only_if_cached",
        ),
        (
            pb.SearchAutoRequest(q="dune", cache_control=pb.CacheControl(max_stale=Duration(seconds=-1))),
            "INVALID_FIELD",
            "cache_control.max_stale",
        ),
    ],
)
def test_bad_request_names_its_field(request_: pb.SearchAutoRequest, reason: str, field: str) -> None:
    """What can't be answered is refused with its reason and the field at fault."""
    assert (reason, field) == refused(request_)


def test_too_long_query_says_how_long() -> None:
    """The limit and the length stand in the metadata."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_search(pb.SearchAutoRequest(q="a" * 600), default_results=40)
    assert caught.value.metadata == {"field": "q", "limit": "512", "length": "600"}


@pytest.mark.parametrize(("asked", "expected"), [(0, 40), (1, 1), (100, 100)])
def test_max_results(asked: int, expected: int) -> None:
    """The number of results is the one asked for, or the default."""
    assert expected == checked_search(pb.SearchAutoRequest(q="dune", max_results=asked), default_results=40).max_results


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (pb.ORDER_BY_UNSPECIFIED, OrderBy.RELEVANCE),
        (pb.ORDER_BY_RELEVANCE, OrderBy.RELEVANCE),
        (pb.ORDER_BY_NEWEST, OrderBy.NEWEST),
    ],
)
def test_order(asked: pb.OrderBy.ValueType, expected: OrderBy) -> None:
    """Every order of the contract is taken."""
    assert expected is checked_search(pb.SearchAutoRequest(q="dune", order_by=asked), default_results=40).query.order_by


def test_max_stale_is_read_in_seconds() -> None:
    """A duration is taken with its fraction."""
    control = pb.CacheControl(max_stale=Duration(seconds=2, nanos=500_000_000))
    assert checked_search(pb.SearchAutoRequest(q="dune", cache_control=control), default_results=40).max_stale_s == 2.5


@pytest.mark.parametrize(("count", "reason"), [(0, "INVALID_FIELD"), (BATCH_LIMIT + 1, "TOO_MANY_ITEMS")])
def test_bad_batch(count: int, reason: str) -> None:
    """A batch without searches, or with too many, is refused as a whole."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_batch([pb.SearchAutoRequest()] * count)
    assert (reason, "queries") == (caught.value.reason, caught.value.field)
