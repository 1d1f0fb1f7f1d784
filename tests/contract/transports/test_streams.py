"""Streams in either direction: what holds in process holds over a unix socket and over TCP."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from grpc import aio

from mesh.status import DeadlineExceededError, InternalError, MeshError, NotFoundError
from tests.contract.transports.conftest import Bound, eventually


async def test_server_stream(bound: Bound) -> None:
    """All responses arrive, in order."""
    texts = [r.text async for r in bound.stub.Many(bound.pb2.EchoRequest(count=100))]
    assert texts == [str(number) for number in range(100)]


async def test_server_stream_read(bound: Bound) -> None:
    """A stream can be read one by one until EOF."""
    call = bound.stub.Many(bound.pb2.EchoRequest(count=1))
    assert (await call.read()).text == "0"
    assert await call.read() is aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_error_after_responses(bound: Bound) -> None:
    """An error at the end of a stream comes after its responses, and is counted as the call's outcome."""
    call = bound.stub.Many(bound.pb2.EchoRequest(text="not found", count=3))
    assert [(await call.read()).text for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(NotFoundError):
        await call.read()
    assert bound.stats.all_bindings()[-1].codes == {"NOT_FOUND": 1}


async def test_unforeseen_exception_in_stream(bound: Bound) -> None:
    """An unforeseen exception inside a stream is INTERNAL with an id."""
    with pytest.raises(InternalError) as caught:
        async for _ in bound.stub.Many(bound.pb2.EchoRequest(text="bug", count=1)):
            pass
    assert "secret" not in str(caught.value)


async def test_deadline_of_stream(bound: Bound) -> None:
    """A stream is over when its caller's time is."""
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        async for _ in bound.stub.Many(bound.pb2.EchoRequest(text="hang", count=1), timeout=0.2):
            pass
    assert time.monotonic() - started < 2


async def test_cancelled_stream(bound: Bound) -> None:
    """Cancelling a stream cancels its callee."""
    call = bound.stub.Many(bound.pb2.EchoRequest(text="hang", count=1))
    assert (await call.read()).text == "0"
    await bound.seen.started.wait()
    call.cancel()
    assert await eventually(bound.seen.cancelled.is_set)


async def test_dropped_stream(bound: Bound) -> None:
    """A caller that drops a stream without reading it to its end cancels its callee."""
    call = bound.stub.Many(bound.pb2.EchoRequest(text="hang", count=1))
    await call.read()
    await bound.seen.started.wait()
    del call
    assert await eventually(bound.seen.cancelled.is_set)


async def test_stream_waits_for_its_reader(bound: Bound) -> None:
    """A reader that is behind gets everything, and is never sent more than it can hold in process."""
    call = bound.stub.Many(bound.pb2.EchoRequest(count=2000))
    await asyncio.sleep(0.05)
    assert len([response async for response in call]) == 2000


async def test_client_stream(bound: Bound) -> None:
    """Requests from an async iterator, a plain iterator, and write() are the same."""
    pb2 = bound.pb2

    async def asynchronous() -> AsyncIterator[Any]:
        for text in "abc":
            yield pb2.EchoRequest(text=text)

    def plain() -> Iterator[Any]:
        yield from (pb2.EchoRequest(text=text) for text in "abc")

    written = bound.stub.Gather()
    for text in "abc":
        await written.write(pb2.EchoRequest(text=text))
    await written.done_writing()
    answers = [await bound.stub.Gather(asynchronous()), await bound.stub.Gather(plain()), await written]
    assert [answer.text for answer in answers] == ["a+b+c"] * 3


async def test_client_stream_error(bound: Bound) -> None:
    """A callee that fails in the middle of a stream of requests ends the call for its caller."""

    async def requests() -> AsyncIterator[Any]:
        yield bound.pb2.EchoRequest(text="fine")
        yield bound.pb2.EchoRequest(text="not found")
        await asyncio.sleep(30)

    with pytest.raises(NotFoundError):
        await bound.stub.Gather(requests())


async def test_fault_of_the_callers_iterator(bound: Bound) -> None:
    """What the caller's own iterator raises comes back to the caller, and the callee is cancelled."""

    async def requests() -> AsyncIterator[Any]:
        yield bound.pb2.EchoRequest(text="hang")
        await bound.seen.started.wait()
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await bound.stub.Gather(requests())
    assert await eventually(bound.seen.cancelled.is_set)


async def test_chat(bound: Bound) -> None:
    """Requests and responses can take turns."""
    call = bound.stub.Chat()
    heard = []
    for text in ("a", "b"):
        await call.write(bound.pb2.EchoRequest(text=text))
        heard.append((await call.read()).text)
    await call.done_writing()
    assert (heard, await call.read()) == (["A", "B"], aio.EOF)


async def test_chat_over_an_iterator(bound: Bound) -> None:
    """A chat can be driven by an iterator."""

    async def requests() -> AsyncIterator[Any]:
        for text in "ab":
            yield bound.pb2.EchoRequest(text=text)

    assert [response.text async for response in bound.stub.Chat(requests())] == ["A", "B"]


async def test_write_after_the_end(bound: Bound) -> None:
    """Writing to a call that has ended is an error, not a wait."""
    call = bound.stub.Gather()
    await call.done_writing()
    await call
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(bound.pb2.EchoRequest(text="late"))


async def test_trailing_metadata_of_stream(bound: Bound) -> None:
    """A stream tells its time after its end."""
    call = bound.stub.Many(bound.pb2.EchoRequest(text="metadata", count=1))
    assert [response.text async for response in call] == ["0"]
    trailing = await call.trailing_metadata()
    assert (trailing["x-trail"], float(trailing["x-response-time"]) > 0) == ("last", True)


async def test_initial_metadata_of_stream(bound: Bound) -> None:
    """Initial metadata of a stream reaches its caller, too."""
    call = bound.stub.Many(bound.pb2.EchoRequest(text="metadata", count=1))
    await call.read()
    assert (await call.initial_metadata())["x-initial"] == "first"


async def test_initial_metadata_comes_first(bound: Bound) -> None:
    """Initial metadata after the first response is the entrypoint's mistake on every transport."""
    with pytest.raises(InternalError):
        async for _ in bound.stub.Many(bound.pb2.EchoRequest(text="late metadata", count=1)):
            pass


async def test_every_call_has_a_status(bound: Bound) -> None:
    """Whenever the time of a call ends, and were it while its requests are written, its caller gets a status."""
    text = "x" * 70_000
    ends = []

    async def requests(count: int) -> AsyncIterator[Any]:
        for _ in range(count):
            yield bound.pb2.EchoRequest(text=text)

    async def some(worker: int) -> None:
        for number in range(12):
            timeout = 0.001 * (1 + (worker + number) % 20)
            try:
                await bound.stub.Gather(requests(number % 6), timeout=timeout)
                ends.append("OK")
            except MeshError as error:
                ends.append(error.code.name)

    await asyncio.gather(*(some(worker) for worker in range(24)), return_exceptions=True)
    assert (len(ends), "INTERNAL" in ends) == (24 * 12, False)
