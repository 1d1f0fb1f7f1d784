"""Where a call stands among others, and how that travels."""

from contextvars import copy_context

import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.call import CURRENT, Call, Side, answers_batch
from mesh.contract import service_of
from mesh.trace import Trace, first, follow, from_metadata, is_batch, to_metadata

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


METHOD = next(iter(service_of(BooksServiceStub).methods.values()))


def test_what_goes_out_comes_in() -> None:
    """A trace that was written into metadata is read as it was, but for its parent, which stays at home."""
    trace = Trace(1 << 127, 5, 7, ("a", "b"), batch=True, state="vendor=1")
    assert from_metadata(dict(to_metadata(trace))) == trace._replace(parent_id=0)


def test_w3c_header_is_taken_up() -> None:
    """A trace that another system began goes on, with its state."""
    trace = from_metadata({"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE"})
    assert (trace.trace_hex, trace.call_hex, trace.state) == (
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
        "congo=t61rcWkgMzE",
    )


def test_header_of_a_later_version() -> None:
    """A later version may say more after the flags, and is read for what is known."""
    assert from_metadata({"traceparent": f"cc{PARENT[2:]}-what-will-come"}).call_hex == "b7ad6b7169203331"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "ff" + PARENT[2:],
        PARENT.upper(),
        PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        PARENT.replace("b7ad6b7169203331", "0" * 16),
        PARENT[:-3],
        "junk",
    ],
)
def test_header_that_breaks_the_rules(header: str) -> None:
    """A header that W3C calls invalid begins a new trace."""
    trace = from_metadata({"traceparent": header})
    assert (trace.trace_hex == "0af7651916cd43dd8448eb211c80319c", trace.trace_id > 0, trace.call_id > 0) == (
        False,
        True,
        True,
    )


def test_overlong_state_and_chain_are_dropped() -> None:
    """What no mesh would have written is not carried on."""
    said = (("traceparent", PARENT), ("tracestate", "x" * 513), ("x-mesh-chain", "a,b,c,d,e,f,g,h,i"))
    assert from_metadata(dict(said))[3:] == ((), False, "")


def test_follow() -> None:
    """A call made to answer another keeps its trace and knows its parent; what answers batch work is batch work."""
    parent = first(("a",), batch=True)
    child = follow(parent, ("a", "b"))
    assert (child.trace_id, child.parent_id, child.chain, child.batch, child.call_id != parent.call_id) == (
        parent.trace_id,
        parent.call_id,
        ("a", "b"),
        True,
        True,
    )


def test_class() -> None:
    """Only the word "batch" makes a call one that may wait."""
    assert (is_batch((("x-bookmesh-class", "batch"),)), is_batch((("x-bookmesh-class", "urgent"),))) == (True, False)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (None, False),
        (Call(METHOD, Side.SERVER), False),
        (Call(METHOD, Side.SERVER, trace=first(())), False),
        (Call(METHOD, Side.SERVER, trace=first((), batch=True)), True),
        (Call(METHOD, Side.SERVER, trace=follow(first((), batch=True), ())).lineage(), True),
    ],
)
def test_answering_batch_work(call: Call | None, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What is done to answer batch work knows it, also when it outlives the call; what nobody asked for is none."""

    def asked() -> bool:
        CURRENT.set(call)
        return answers_batch()

    assert expected == copy_context().run(asked)
