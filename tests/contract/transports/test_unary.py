"""One request, one response: what holds in process holds over a unix socket and over TCP."""

import asyncio
import gc
import time
import weakref

import grpc
import pytest

from mesh.status import (
    CancelledCallError,
    DeadlineExceededError,
    InternalError,
    InvalidArgumentError,
    MeshError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
    UnimplementedError,
)
from tests.contract.transports.conftest import Bound, eventually

ROUNDING = 1.02
"""gRPC writes a timeout with about two digits, rounded up, so a callee may think that it has a little more."""


async def test_answer(bound: Bound) -> None:
    """A request is answered with the response that the entrypoint returned."""
    response = await bound.stub.One(bound.pb2.EchoRequest(text="hello", items=["a", "b"]))
    assert response == bound.pb2.EchoResponse(text="hello", items=["a", "b"])


async def test_callee_cannot_change_request(bound: Bound) -> None:
    """What the callee does to its request leaves the caller's message as it was."""
    request = bound.pb2.EchoRequest(text="change", items=["mine"])
    await bound.stub.One(request)
    assert request == bound.pb2.EchoRequest(text="change", items=["mine"])


async def test_caller_cannot_change_request_afterwards(bound: Bound) -> None:
    """What the caller does to its message after the call has begun does not reach the callee."""
    request = bound.pb2.EchoRequest(text="plain", items=["before"])
    call = bound.stub.One(request)
    request.items.append("after")
    await call
    assert list(bound.seen.requests[0].items) == ["before"]


async def test_caller_cannot_change_response(bound: Bound) -> None:
    """What the caller does to its response leaves the message that the callee kept as it was."""
    response = await bound.stub.One(bound.pb2.EchoRequest(text="keep"))
    response.items.append("changed by the caller")
    assert bound.seen.kept == bound.pb2.EchoResponse(text="kept", items=["a"])


async def test_callee_cannot_change_response_afterwards(bound: Bound) -> None:
    """What the callee does to the message it returned does not reach the caller."""
    response = await bound.stub.One(bound.pb2.EchoRequest(text="keep"))
    bound.seen.kept.items.append("changed by the callee")
    assert list(response.items) == ["a"]


async def test_typed_error(bound: Bound) -> None:
    """A typed error arrives with its class, reason, sentence and metadata."""
    with pytest.raises(NotFoundError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text="not found"))
    error = caught.value
    assert (error.reason, error.message, error.metadata) == ("BOOK_NOT_FOUND", "no such book", {"isbn": "123"})


async def test_error_is_detached(bound: Bound) -> None:
    """An error arrives without cause or context: the callee's stack stays with the callee."""
    with pytest.raises(NotFoundError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text="not found"))
    assert (caught.value.__cause__, caught.value.__suppress_context__ or caught.value.__context__ is None) == (
        None,
        True,
    )


async def test_field_violation(bound: Bound) -> None:
    """A bad request names its field."""
    with pytest.raises(InvalidArgumentError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text="invalid"))
    assert caught.value.field == "count"


async def test_longest_error(bound: Bound) -> None:
    """However much an error says, in whatever script, its status arrives: trailers that are too large lose it."""
    for _ in range(10):
        with pytest.raises(NotFoundError) as caught:
            await bound.stub.One(bound.pb2.EchoRequest(text="long"))
        assert (caught.value.reason, caught.value.message[:3], caught.value.field[:3]) == (
            "BOOK_NOT_FOUND",
            "🦀🦀🦀",
            "qqq",
        )


async def test_retry_info(bound: Bound) -> None:
    """When to try again arrives as it was sent."""
    with pytest.raises(UnavailableError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text="down"))
    assert caught.value.retry_after_s == 2.5


@pytest.mark.parametrize("text", ["bug", "unfinished"])
async def test_unforeseen_exception(bound: Bound, text: str) -> None:
    """An unforeseen exception is INTERNAL with an id, and nothing of its text; so is what a method left undone."""
    with pytest.raises(InternalError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text=text))
    assert ("secret" in str(caught.value), len(caught.value.metadata["error_id"])) == (False, 32)


async def test_wrong_response_type(bound: Bound) -> None:
    """An entrypoint that answers with another type than the contract says is INTERNAL."""
    with pytest.raises(InternalError):
        await bound.stub.One(bound.pb2.EchoRequest(text="wrong type"))


async def test_wrong_request_type(bound: Bound) -> None:
    """A request of another type than the contract says never leaves the caller."""
    with pytest.raises(TypeError):
        await bound.stub.One(bound.pb2.EchoResponse())


async def test_method_left_out(bound: Bound) -> None:
    """A method that the entrypoint leaves out is UNIMPLEMENTED with NOT_BUILT."""
    with pytest.raises(UnimplementedError) as caught:
        await bound.stub.Missing(bound.pb2.EchoRequest())
    assert caught.value.reason == "NOT_BUILT"


async def test_deadline_is_kept(bound: Bound) -> None:
    """A call that takes longer than its caller has time is DEADLINE_EXCEEDED, on time."""
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError) as caught:
        await bound.stub.One(bound.pb2.EchoRequest(text="hang"), timeout=0.2)
    assert (caught.value.reason, 0.15 < time.monotonic() - started < 2) == ("DEADLINE_EXCEEDED", True)


async def test_deadline_reaches_callee(bound: Bound) -> None:
    """The callee sees what is left of the caller's time."""
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"), timeout=3)
    assert bound.seen.remaining is not None
    assert 2 < bound.seen.remaining <= 3 * ROUNDING


async def test_default_deadline(bound: Bound) -> None:
    """A call without a timeout gets the binding's default."""
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    assert bound.seen.remaining is not None
    assert 9 < bound.seen.remaining <= 10 * ROUNDING


async def test_deadline_cancels_callee(bound: Bound) -> None:
    """A callee whose caller's time is over is cancelled."""
    with pytest.raises(DeadlineExceededError):
        await bound.stub.One(bound.pb2.EchoRequest(text="hang"), timeout=0.1)
    assert await eventually(bound.seen.cancelled.is_set)


async def test_deadline_despite_stubborn_callee(bound: Bound) -> None:
    """A callee that will not be cancelled does not hold its caller beyond the deadline."""
    with pytest.raises(DeadlineExceededError):
        await bound.stub.One(bound.pb2.EchoRequest(text="stubborn"), timeout=0.1)
    assert await eventually(bound.seen.cancelled.is_set)


async def test_cancelled_caller_cancels_callee(bound: Bound) -> None:
    """When the caller's task is cancelled, the callee is."""
    task = asyncio.create_task(_await(bound.stub.One(bound.pb2.EchoRequest(text="hang"))))
    await bound.seen.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await eventually(bound.seen.cancelled.is_set)


async def test_cancelled_caller_does_not_wait(bound: Bound) -> None:
    """A cancelled caller goes at once, even from a callee that will not be cancelled."""
    task = asyncio.create_task(_await(bound.stub.One(bound.pb2.EchoRequest(text="stubborn"))))
    await bound.seen.started.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)
    assert (len(done), task.cancelled()) == (1, True)


async def test_cancel_of_the_call(bound: Bound) -> None:
    """Cancelling the call object ends it for its caller and its callee."""
    call = bound.stub.One(bound.pb2.EchoRequest(text="hang"))
    task = asyncio.create_task(_await(call))
    await bound.seen.started.wait()
    assert call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_callee_that_cancels_itself(bound: Bound) -> None:
    """A callee that cancels itself is CANCELLED to a caller that is still there."""
    with pytest.raises(CancelledCallError):
        await bound.stub.One(bound.pb2.EchoRequest(text="self-cancel"))


async def test_request_metadata(bound: Bound) -> None:
    """Metadata, text and binary, reaches the callee."""
    response = await bound.stub.One(
        bound.pb2.EchoRequest(text="send back metadata"), metadata=(("x-sent", "text"), ("x-sent-bin", b"bytes"))
    )
    assert response == bound.pb2.EchoResponse(text="text", items=["bytes"])


async def test_response_metadata(bound: Bound) -> None:
    """Initial and trailing metadata reach the caller."""
    call = bound.stub.One(bound.pb2.EchoRequest(text="metadata"))
    await call
    initial, trailing = await call.initial_metadata(), await call.trailing_metadata()
    assert (initial["x-initial"], trailing["x-trail"], trailing["x-trail-bin"]) == ("first", "last", b"\x00\x01")


@pytest.mark.parametrize("text", ["plain", "not found"])
async def test_times_are_told(bound: Bound, text: str) -> None:
    """Every answer, failed ones too, tells the caller's and the callee's view of its time, in milliseconds."""
    call = bound.stub.One(bound.pb2.EchoRequest(text=text))
    await call.code()
    trailing = await call.trailing_metadata()
    assert 0 < float(trailing["x-response-time"]) <= float(trailing["x-service-binding-time"])


async def test_status_of_the_call(bound: Bound) -> None:
    """Code and details can be asked of the call object, as grpc.aio has it."""
    call = bound.stub.One(bound.pb2.EchoRequest(text="not found"))
    assert (await call.code(), await call.details()) == (grpc.StatusCode.NOT_FOUND, "no such book")


async def test_awaited_twice(bound: Bound) -> None:
    """A call that is awaited twice is made once."""
    call = bound.stub.One(bound.pb2.EchoRequest(text="once"))
    assert await call == await call
    assert bound.seen.calls == 1


async def test_done_callback(bound: Bound) -> None:
    """A done callback hears of the end."""
    heard: list[bool] = []
    call = bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    call.add_done_callback(lambda ended: heard.append(ended.done()))
    await call
    assert heard == [True]


@pytest.mark.parametrize("side", ["request", "response"])
async def test_message_over_the_limit(bound: Bound, side: str) -> None:
    """A message over four megabytes is RESOURCE_EXHAUSTED with MESSAGE_TOO_LARGE, in either direction."""
    size = 4 * 1024 * 1024 + 1
    request = (
        bound.pb2.EchoRequest(text="x" * size) if side == "request" else bound.pb2.EchoRequest(text="big", count=size)
    )
    with pytest.raises(ResourceExhaustedError) as caught:
        await bound.stub.One(request)
    assert caught.value.reason == "MESSAGE_TOO_LARGE"


async def test_many_at_once(bound: Bound) -> None:
    """A hundred calls at once each get their own answer."""
    calls = [bound.stub.One(bound.pb2.EchoRequest(text=str(number))) for number in range(100)]
    answers = await asyncio.gather(*calls)
    assert [answer.text for answer in answers] == [str(number) for number in range(100)]


async def test_close_before_the_callee_has_begun(bound: Bound) -> None:
    """A channel that is closed in the very moment of a call gives the call up; its caller does not wait in vain."""
    task = asyncio.create_task(_await(bound.stub.One(bound.pb2.EchoRequest(text="hang"))))
    await asyncio.sleep(0)
    await bound.channel.close()
    done, _ = await asyncio.wait([task], timeout=2)
    assert len(done) == 1


async def test_counts(bound: Bound) -> None:
    """Both sides count calls and failures alike."""
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    with pytest.raises(MeshError):
        await bound.stub.One(bound.pb2.EchoRequest(text="not found"))
    called, served = bound.stats.all_bindings()[0], bound.server_stats.all_served()[0]
    assert (called.codes, called.active) == (served.codes, served.active) == ({"OK": 1, "NOT_FOUND": 1}, 0)


async def _await(call: object) -> object:
    return await call  # type: ignore[misc]  # the stub is generated for this run alone


async def test_call_is_freed_at_once(bound: Bound) -> None:
    """A call that was answered is freed when its caller lets go of it, without the garbage collector."""
    gc.disable()
    try:
        call = bound.stub.One(bound.pb2.EchoRequest(text="plain"))
        await call
        freed = weakref.ref(call)
        del call
        assert freed() is None
    finally:
        gc.enable()
