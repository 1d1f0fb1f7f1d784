"""The transport in process, where it differs from a wire: its end, and its limit."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub
from bookmesh.warmer.v1.warmer_service_pb2 import GetWarmReportResponse

from mesh.call import Call, Reply, Side
from mesh.contract import Method, service_of
from mesh.status import ResourceExhaustedError, UnavailableError, UnimplementedError
from mesh.transport.local import MESSAGE_LIMIT, LocalTransport, isolated

METHOD = service_of(BooksServiceStub).methods["/bookmesh.books.v1.BooksService/SearchAuto"]


async def answer(call: Call) -> Reply:
    """An entrypoint that answers at once."""
    return b""


@pytest.fixture
async def transport() -> AsyncIterator[LocalTransport]:
    """A transport to that entrypoint."""
    handlers: dict[str, tuple[Method, object]] = {METHOD.path: (METHOD, answer)}
    made = LocalTransport(handlers, caller="t", service="x")  # type: ignore[arg-type]  # answer is a Handler
    yield made
    await made.aclose()


async def test_closing_before_the_first_step(transport: LocalTransport) -> None:
    """A caller whose callee is cancelled before its first step hears why, and does not wait for ever."""
    carry = transport.connect(METHOD)

    async def close_first() -> None:
        # Queued between the caller's step and its callee's.
        asyncio.get_running_loop().call_soon(lambda: [task.cancel() for task in transport._running.values()])

    calling = asyncio.ensure_future(carry(Call(METHOD, Side.CLIENT)))
    await close_first()
    await asyncio.sleep(0)
    closing = asyncio.create_task(transport.aclose())
    done, _ = await asyncio.wait([calling], timeout=5)
    await closing
    assert (len(done), type(calling.exception())) == (1, UnavailableError)


async def test_closed_transport_refuses(transport: LocalTransport) -> None:
    """A transport that was closed answers UNAVAILABLE with DRAINING."""
    await transport.aclose()
    with pytest.raises(UnavailableError) as caught:
        await transport.connect(METHOD)(Call(METHOD, Side.CLIENT))
    assert caught.value.reason == "DRAINING"


async def test_unknown_method() -> None:
    """A method that the callee does not have is UNIMPLEMENTED with METHOD_UNKNOWN."""
    empty = LocalTransport({}, caller="t", service="x")
    with pytest.raises(UnimplementedError) as caught:
        await empty.connect(METHOD)(Call(METHOD, Side.CLIENT))
    assert caught.value.reason == "METHOD_UNKNOWN"


@pytest.mark.parametrize("as_bytes", [True, False])
def test_limit(*, as_bytes: bool) -> None:
    """A message of the limit passes, one byte more does not, whether it comes as a message or as bytes."""
    overhead = GetWarmReportResponse(data=b"x" * MESSAGE_LIMIT).ByteSize() - MESSAGE_LIMIT
    fits = GetWarmReportResponse(data=b"x" * (MESSAGE_LIMIT - overhead))
    over = GetWarmReportResponse(data=b"x" * (MESSAGE_LIMIT - overhead + 1))
    isolated(fits.SerializeToString() if as_bytes else fits)
    with pytest.raises(ResourceExhaustedError):
        isolated(over.SerializeToString() if as_bytes else over)
