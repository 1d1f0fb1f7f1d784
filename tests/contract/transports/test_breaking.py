"""What the circuit breaker makes of real calls: what it refuses, when a call has ended, and whose calls it counts."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog

from mesh.breaker import Breaker, BreakerState
from mesh.call import Call, Handler, Reply
from mesh.contract import Method, service_of
from mesh.status import InternalError, MeshError, UnavailableError
from mesh.transport.channel import BindingChannel, Transport
from tests.contract.transports.conftest import Bound, eventually

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def breaker(bound: Bound, method: str = "One") -> Breaker:
    """The breaker of a method."""
    return dict(bound.breakers.items())[f"ECHO/{method}"]


async def fail(bound: Bound, times: int) -> None:
    """Calls that fail."""
    for _ in range(times):
        with pytest.raises(UnavailableError):
            await bound.stub.One(bound.pb2.EchoRequest(text="down"))


async def read(bound: Bound, text: str) -> list[str]:
    """A stream of one response, read to its end."""
    return [response.text async for response in bound.stub.Many(bound.pb2.EchoRequest(text=text, count=1))]


async def fail_streams(bound: Bound, times: int) -> None:
    """Streams that fail after their first response."""
    for _ in range(times):
        with pytest.raises(UnavailableError):
            await read(bound, "down")


@pytest.mark.case(33)
async def test_refused_call_runs_nothing(bound: Bound) -> None:
    """Three failures in a row open it: the fourth call never leaves, and is no failure of the callee."""
    await fail(bound, 3)
    with pytest.raises(UnavailableError) as refused:
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    error = refused.value
    assert (error.reason, error.retry_after_s, bound.seen.calls) == ("CIRCUIT_OPEN", 60.0, 3)
    assert error.metadata == {"binding": "ECHO", "method": "One", "state": "OPEN"}
    assert (breaker(bound).consecutive_failures, breaker(bound).refused_count) == (3, 1)


async def test_probe_recovers(bound: Bound) -> None:
    """After sixty seconds one call passes, and as it succeeds all others do."""
    await fail(bound, 3)
    bound.clock.now += 60
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    assert (breaker(bound).state, bound.seen.calls) == (CLOSED, 5)


async def test_forced_open_says_who_holds_it(bound: Bound) -> None:
    """A breaker that a person forced open says so, and sends its callers away for a while."""
    breaker(bound).set(BreakerState.FORCED_OPEN)
    with pytest.raises(UnavailableError, match="is held open by an operator") as refused:
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    assert (refused.value.retry_after_s, refused.value.metadata["state"], bound.seen.calls) == (60.0, "FORCED_OPEN", 0)


async def test_moves_by_hand_are_logged(bound: Bound) -> None:
    """What a person does to a breaker is an event in the log, also where it stands there already."""
    with structlog.testing.capture_logs() as logged:
        breaker(bound).set(CLOSED)
        breaker(bound).set(BreakerState.METRICS_ONLY)
    said = [(entry["event"], entry["method"], entry["new"], entry["why"]) for entry in logged]
    assert said == [("breaker_moved", "One", "CLOSED", "hand"), ("breaker_moved", "One", "METRICS_ONLY", "hand")]


@pytest.mark.case(27)
async def test_crash_is_a_failure(bound: Bound) -> None:
    """A callee that crashes has failed, and its caller hears of it as of any crash."""
    with pytest.raises(InternalError):
        await bound.stub.One(bound.pb2.EchoRequest(text="bug"))
    assert breaker(bound).consecutive_failures == 1


@pytest.mark.case(27)
async def test_crash_on_the_way_is_a_failure(bound: Bound) -> None:
    """What nobody foresaw on the way to the callee is raised on as it is, and counts."""

    async def broken(_: Handler, __: Call) -> Reply:
        raise ZeroDivisionError("broken")

    stub = through(bound, broken)
    with pytest.raises(ZeroDivisionError, match="broken"):
        await stub.One(bound.pb2.EchoRequest())
    assert (breaker(bound).consecutive_failures, breaker(bound).state) == (1, CLOSED)


@pytest.mark.case(34)
async def test_the_call_that_opens_raises_its_own_error(bound: Bound) -> None:
    """The third failure is told as what it is, with the stack of where it was raised; only the next is a refusal."""
    error = UnavailableError("PROVIDER_UNAVAILABLE", "down")

    async def raising(_: Handler, __: Call) -> Reply:
        raise error

    stub = through(bound, raising)
    for _ in range(3):
        with pytest.raises(UnavailableError) as caught:
            await stub.One(bound.pb2.EchoRequest())
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert (caught.value is error, "raising" in frames, breaker(bound).state) == (True, True, OPEN)


@pytest.mark.case("retries")
async def test_retried_call_counts_once(bound: Bound) -> None:
    """A breaker judges calls, not attempts: two calls of three attempts each are two failures, a third opens."""

    async def trying(inner: Handler, call: Call) -> Reply:
        for _ in range(2):
            try:
                return await inner(call)
            except UnavailableError:
                continue
        return await inner(call)

    stub, counted = through(bound, trying), []
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await stub.One(bound.pb2.EchoRequest(text="down"))
        counted.append(breaker(bound).consecutive_failures)
    assert (counted, breaker(bound).state, bound.seen.calls >= 9) == ([1, 2, 3], OPEN, True)


@pytest.mark.case("cancelled probe")
async def test_cancelled_probe_frees_its_place(bound: Bound) -> None:
    """A caller that is cancelled in the middle of its probe leaves the place to the next, who decides."""
    await fail(bound, 3)
    bound.clock.now += 60
    bound.seen.started.clear()
    task = asyncio.ensure_future(_await(bound.stub.One(bound.pb2.EchoRequest(text="hang"))))
    await bound.seen.started.wait()
    with pytest.raises(UnavailableError) as refused:
        await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    task.cancel()
    await asyncio.wait([task])
    during = breaker(bound).state
    await bound.stub.One(bound.pb2.EchoRequest(text="plain"))
    assert (refused.value.reason, during, breaker(bound).state) == ("CIRCUIT_OPEN", HALF_OPEN, CLOSED)


async def test_cancelled_call_is_no_failure(bound: Bound) -> None:
    """Callers that go away say nothing of their callee."""
    for _ in range(3):
        bound.seen.started.clear()
        task = asyncio.ensure_future(_await(bound.stub.One(bound.pb2.EchoRequest(text="hang"))))
        await bound.seen.started.wait()
        task.cancel()
        await asyncio.wait([task])
    assert (breaker(bound).state, breaker(bound).consecutive_failures) == (CLOSED, 0)


async def test_callee_out_of_time_is_a_failure(bound: Bound) -> None:
    """A callee that takes longer than its callers have time fails."""
    for _ in range(3):
        with pytest.raises(MeshError):
            await bound.stub.One(bound.pb2.EchoRequest(text="hang"), timeout=0.05)
    assert breaker(bound).state is OPEN


async def test_methods_have_their_own(bound: Bound) -> None:
    """One method's open breaker lets the calls of another pass."""
    await fail(bound, 3)
    assert await read(bound, "plain") == ["0"]
    assert (breaker(bound).state, breaker(bound, "Many").state) == (OPEN, CLOSED)


@pytest.mark.case(39)
async def test_stream_that_fails_while_it_is_read(bound: Bound) -> None:
    """A stream that answered and then failed has failed: three in a row open, and the next is never begun."""
    await fail_streams(bound, 3)
    calls = bound.seen.calls
    with pytest.raises(UnavailableError) as refused:
        await read(bound, "plain")
    assert (refused.value.reason, bound.seen.calls - calls) == ("CIRCUIT_OPEN", 0)


@pytest.mark.case("stream")
async def test_stream_is_judged_at_its_end(bound: Bound) -> None:
    """A probe that is a stream keeps its place while it runs, whatever was read of it; its end decides."""
    for _ in range(3):
        failing = bound.stub.Chat()
        await failing.write(bound.pb2.EchoRequest(text="down"))
        with pytest.raises(UnavailableError):
            await failing.read()
    bound.clock.now += 60
    probe = bound.stub.Chat()
    await probe.write(bound.pb2.EchoRequest(text="a"))
    heard = await probe.read()
    during = breaker(bound, "Chat").state
    with pytest.raises(UnavailableError) as refused:
        await bound.stub.Chat().read()
    await probe.done_writing()
    await probe.read()
    assert (heard.text, during, refused.value.reason) == ("A", HALF_OPEN, "CIRCUIT_OPEN")
    assert await eventually(lambda: breaker(bound, "Chat").state is CLOSED)


@pytest.mark.case("stream")
async def test_cancelled_stream_frees_its_place(bound: Bound) -> None:
    """A reader that cancels its stream in the middle leaves the probe's place to the next."""
    await fail_streams(bound, 3)
    bound.clock.now += 60
    bound.seen.started.clear()
    call = bound.stub.Many(bound.pb2.EchoRequest(text="hang", count=1))
    await call.read()
    await bound.seen.started.wait()
    call.cancel()
    assert await eventually(lambda: breaker(bound, "Many").retry_after_s() == 0.0)
    assert (breaker(bound, "Many").state, await read(bound, "plain")) == (HALF_OPEN, ["0"])
    assert breaker(bound, "Many").state is CLOSED


def through(bound: Bound, way: Callable[[Handler, Call], Awaitable[Reply]]) -> Any:
    """A stub whose calls go this way to the callee, below all layers."""

    class Way:
        kind = bound.kind

        def connect(self, method: Method) -> Handler:
            inner = bound.channel.transport.connect(method)

            async def carry(call: Call) -> Reply:
                return await way(inner, call)

            return carry

        async def aclose(self) -> None:
            """The way beneath is the fixture's to close."""

    transport: Transport = Way()
    stub: Any = type(bound.stub)
    return stub(
        BindingChannel(
            service=service_of(stub),
            caller="tester",
            binding="ECHO",
            layers=bound.channel._layers,
            transport=transport,
        )
    )


async def _await(call: Any) -> Any:
    return await call
