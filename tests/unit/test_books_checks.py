import pytest
from bookmesh.books.v1 import books_service_pb2 as pb
from google.protobuf.duration_pb2 import Duration

from mesh.status import InvalidArgumentError
from services.books.checks import checked_search
from services.books.query import OrderBy


@pytest.mark.parametrize(
    ("q", "reason"),
    [
        (" \t", "EMPTY_QUERY"),
        ("?!", "EMPTY_QUERY"),
        ("9780441013594", "INVALID_ISBN"),
        ("0-441-01359-8", "INVALID_ISBN"),
    ],
)
def test_text_that_means_nothing(q: str, reason: str) -> None:
    """A text that keeps the contract and still can't be searched for is refused with its reason."""
    with pytest.raises(InvalidArgumentError) as caught:
        checked_search(pb.SearchAutoRequest(q=q), default_results=40)
    assert (reason, "q") == (caught.value.reason, caught.value.field)


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
    ask = checked_search(pb.SearchAutoRequest(q="dune", cache_control=control), default_results=40)
    assert ask.wishes.max_stale_s == 2.5


def test_min_fresh_is_read_in_seconds() -> None:
    """A duration is taken with its fraction, and none is no time at all."""
    control = pb.CacheControl(min_fresh=Duration(seconds=3, nanos=250_000_000))
    asks = [
        checked_search(pb.SearchAutoRequest(q="dune", cache_control=each), default_results=40)
        for each in (control, pb.CacheControl())
    ]
    assert [ask.wishes.min_fresh_s for ask in asks] == [3.25, 0.0]
