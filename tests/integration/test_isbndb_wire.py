"""The leaf against a server that misbehaves on the wire, byte by byte."""

import asyncio
import gzip
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest
from bookmesh.isbndb.v1 import isbndb_service_pb2 as pb
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceStub
from structlog.testing import capture_logs

from mesh.breakers import Breakers
from mesh.introspection import Introspection
from mesh.quota.key_ring import KeyRing
from mesh.quota.ledger import LocalLedger
from mesh.secrets import Secret
from mesh.stats import Stats
from mesh.status import MeshError, UnavailableError
from mesh.status_details import details_of
from mesh.testing import in_process
from services.isbndb.entrypoints import Default, lifespan
from services.isbndb.env import Env
from services.isbndb.keys import account_of
from services.isbndb.plans import terms_of
from services.isbndb.upstream import Upstream, open_session

CANARY = "canary-key-90210"
BOOK = b'{"book": {"title": "Dune", "isbn13": "9780441013593", "authors": ["Frank Herbert"]}}'
REQUEST = pb.GetBookRequest(isbn="9780441013593")
OTHER_REQUEST = pb.GetBookRequest(isbn="9780553418026")


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Wire:
    """A server that does to each connection what it is told to."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.arrived = asyncio.Event()
        """Set when a request has come."""
        self.serving: set[asyncio.Task[None]] = set()
        self.gone = asyncio.Event()
        """Set when a client has closed its connection before it was answered."""
        self.act: Callable[[asyncio.StreamWriter], Awaitable[None]] = self.send(http(BOOK))
        self.url = ""

    def send(self, *pieces: bytes, pause_s: float = 0.0) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
        """Writes some bytes, with pauses between them, and closes the connection."""

        async def act(writer: asyncio.StreamWriter) -> None:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)

        return act

    async def hang(self, _: asyncio.StreamWriter) -> None:
        """Answers nothing until the client leaves."""
        await asyncio.wait_for(self.gone.wait(), 20)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begins to serve a connection, in a task that the fixture waits for."""
        task = asyncio.create_task(self.serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads a request, then acts; watches for the client's going meanwhile."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.arrived.set()
            watching = asyncio.create_task(self.watch(reader))
            try:
                await self.act(writer)
            finally:
                watching.cancel()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def watch(self, reader: asyncio.StreamReader) -> None:
        """Notes the end of what the client sends."""
        with suppress(ConnectionError):
            while await reader.read(1_000):
                pass
        self.gone.set()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A server on a free port, which answers well until it is told otherwise."""
    wire = Wire()
    server = await asyncio.start_server(wire.connected, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield wire
    server.close()
    wire.gone.set()
    await asyncio.gather(*wire.serving)
    await server.wait_closed()


def env(url: str) -> Env:
    """The leaf's bindings, without limits."""
    return Env(
        ISBNDB_API_KEY=Secret("ISBNDB_API_KEY", CANARY),
        RATE_LIMIT_MS=0,
        MAX_BOOKS_PER_AUTHOR=50,
        MESH=Introspection(worker="isbndb", stats=Stats(), breakers=Breakers()),
        ISBNDB_URL=url,
        ISBNDB_CALLS_PER_SECOND=10_000.0,
    )


@pytest.fixture
async def stub(wire: Wire) -> AsyncIterator[IsbndbServiceStub]:
    """The leaf before that server."""
    async with AsyncExitStack() as closing:
        bindings = env(wire.url)
        yield in_process(IsbndbServiceStub, Default(bindings, await closing.enter_async_context(lifespan(bindings))))


async def failure(stub: IsbndbServiceStub, *, left_s: float = 5.0) -> MeshError:
    """The error of a call that must fail."""
    with pytest.raises(MeshError) as caught:
        await stub.GetBook(REQUEST, timeout=left_s)
    return caught.value


async def test_key_goes_in_the_header_alone(wire: Wire, stub: IsbndbServiceStub) -> None:
    """The key is sent as ISBNdb takes it: bare, in Authorization, and nowhere else."""
    await stub.GetBook(REQUEST)
    (request,) = wire.requests
    assert (f"\r\nAuthorization: {CANARY}\r\n".encode() in request, request.count(CANARY.encode())) == (True, 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "PROVIDER_UNAVAILABLE"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "PROVIDER_UNAVAILABLE"),
        (b"\x16\x03\x01garbage that is no HTTP\r\n\r\n", "PROVIDER_BAD_ANSWER"),
        (http(BOOK[:20], length=len(BOOK)), "PROVIDER_BAD_ANSWER"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "PROVIDER_BAD_ANSWER"),
        (http(b"not gzip at all", "Content-Encoding: gzip"), "PROVIDER_BAD_ANSWER"),
        (http(b"<html>{not json"), "PROVIDER_BAD_ANSWER"),
        (http(b""), "PROVIDER_BAD_ANSWER"),
        (http(b'{"book": [1]}'), "PROVIDER_BAD_ANSWER"),
        (http(b'{"message": "Internal server error"}'), "PROVIDER_BAD_ANSWER"),
        (http(b"", "Location: /elsewhere", status="302 Found"), "PROVIDER_BAD_ANSWER"),
        (http(b"gone", status="404 Not Found"), "PROVIDER_BAD_ANSWER"),
        (http(b"", status="503 Service Unavailable"), "PROVIDER_UNAVAILABLE"),
        (http(b" " * (7 * 1024 * 1024)), "PROVIDER_BAD_ANSWER"),
        (http(gzip.compress(b" " * (64 * 1024 * 1024)), "Content-Encoding: gzip"), "PROVIDER_BAD_ANSWER"),
    ],
    ids=[
        "drop", "torn header", "no HTTP", "truncated", "bad chunk", "no gzip", "no JSON", "empty", "no book",
        "error as 200", "redirect", "foreign 404", "503", "too large", "bomb",
    ],
)  # fmt: skip
async def test_broken_answer(wire: Wire, stub: IsbndbServiceStub, answer: bytes, reason: str) -> None:
    """Every way in which an answer can break is UNAVAILABLE with its reason, and never "not found"."""
    wire.act = wire.send(answer)
    error = await failure(stub)
    assert (type(error), error.reason) == (UnavailableError, reason)


async def test_nobody_listens(wire: Wire) -> None:
    """An address where nobody listens is PROVIDER_UNAVAILABLE."""
    nobody = env("http://127.0.0.1:9")
    async with lifespan(nobody) as state:
        error = await failure(in_process(IsbndbServiceStub, Default(nobody, state)))
    assert error.reason == "PROVIDER_UNAVAILABLE"


async def test_redirect_is_not_followed(wire: Wire, stub: IsbndbServiceStub) -> None:
    """The key goes to no other address that an answer names."""
    wire.act = wire.send(http(b"", f"Location: {wire.url}/elsewhere", status="302 Found"))
    await failure(stub)
    assert len(wire.requests) == 1


async def test_failure_is_not_kept(wire: Wire, stub: IsbndbServiceStub) -> None:
    """After a failure the next caller asks anew and gets the book."""
    wire.act = wire.send(b"")
    await failure(stub)
    wire.act = wire.send(http(BOOK))
    answer = await stub.GetBook(REQUEST)
    assert (answer.work.title, answer.provider_call_count) == ("Dune", 1)


async def test_hang_is_a_timeout_before_the_deadline(wire: Wire, stub: IsbndbServiceStub) -> None:
    """A provider that hangs is PROVIDER_TIMEOUT, told while the caller still listens, and its socket is closed."""
    wire.act = wire.hang
    error = await failure(stub, left_s=0.5)
    await asyncio.wait_for(wire.gone.wait(), 5)
    assert error.reason == "PROVIDER_TIMEOUT"


async def test_slow_answer_arrives(wire: Wire, stub: IsbndbServiceStub) -> None:
    """An answer that trickles in within the time is an answer."""
    whole = http(BOOK)
    wire.act = wire.send(*(whole[at : at + 20] for at in range(0, len(whole), 20)), pause_s=0.01)
    assert (await stub.GetBook(REQUEST)).work.title == "Dune"


async def test_endless_answer_is_a_timeout(wire: Wire, stub: IsbndbServiceStub) -> None:
    """An answer that trickles on past the time is PROVIDER_TIMEOUT, however regularly its bytes come."""
    wire.act = wire.send(http(b"", length=10_000), *([b" "] * 10_000), pause_s=0.02)
    error = await failure(stub, left_s=0.5)
    assert error.reason == "PROVIDER_TIMEOUT"


async def test_cancelled_caller_ends_the_call(wire: Wire, stub: IsbndbServiceStub) -> None:
    """When the caller goes, the call to ISBNdb is given up down to its socket."""
    wire.act = wire.hang
    call = asyncio.ensure_future(stub.GetBook(REQUEST))
    await wire.arrived.wait()
    call.cancel()
    await asyncio.wait_for(wire.gone.wait(), 5)
    assert len(wire.requests) == 1


async def test_others_keep_the_call_of_a_cancelled_caller(wire: Wire, stub: IsbndbServiceStub) -> None:
    """When the caller that began a call goes, another that asked the same still gets its answer."""
    begun = asyncio.Event()

    async def act(writer: asyncio.StreamWriter) -> None:
        await begun.wait()
        writer.write(http(BOOK))
        await writer.drain()

    wire.act = act
    first = asyncio.ensure_future(stub.GetBook(REQUEST))
    await wire.arrived.wait()
    second = asyncio.ensure_future(stub.GetBook(REQUEST))
    await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.sleep(0.02)
    begun.set()
    answer = await second
    assert (answer.work.title, answer.provider_call_count, len(wire.requests)) == ("Dune", 0, 1)


async def test_slow_call_does_not_hold_up_others(wire: Wire, stub: IsbndbServiceStub) -> None:
    """While one call hangs, another begins at its turn and is answered."""
    wire.act = wire.hang
    slow = asyncio.ensure_future(stub.GetBook(OTHER_REQUEST))
    await wire.arrived.wait()
    wire.act = wire.send(http(BOOK))
    answer = await stub.GetBook(REQUEST, timeout=3)
    slow.cancel()
    assert answer.work.title == "Dune"


@pytest.mark.parametrize(
    "answer",
    [
        http(b"", status="401 Unauthorized"),
        http(b"", status="403 Forbidden"),
        http(b"", status="500 Internal Server Error"),
        http(b"", status="429 Too Many Requests"),
        b"",
        b"no HTTP\r\n\r\n",
        http(BOOK[:20], length=len(BOOK)),
        http(BOOK),
    ],
)
async def test_key_is_told_nowhere(wire: Wire, answer: bytes) -> None:
    """No log line, error, detail, stack or cause shows the key, whatever happens to the call that carried it."""
    wire.act = wire.send(answer)
    told, ledger, bindings = [], LocalLedger(), env(wire.url)
    account = account_of(terms_of(bindings), bindings.ISBNDB_API_KEY)
    with capture_logs() as logs:
        async with open_session() as session:
            upstream = Upstream(
                session,
                base_url=wire.url,
                keys=KeyRing([account], ledger, clock=time.monotonic),
                ledger=ledger,
            )
            try:
                told.append(repr(await upstream.get(("book", "9780441013593"), {}, left_s=5)))
            except MeshError as error:
                chain = [error, error.__cause__, error.__context__]
                told += [*map(repr, chain), "".join(traceback.format_exception(error)), str(details_of(error))]
            told += [repr(vars(upstream)), repr(vars(ledger)), repr(account)]
    assert CANARY not in "".join(told) + repr(logs)


async def test_every_call_is_logged(wire: Wire, stub: IsbndbServiceStub) -> None:
    """A call to ISBNdb is one event with path, status, outcome and time."""
    with capture_logs() as logs:
        await stub.GetBook(REQUEST)
    (event,) = [entry for entry in logs if entry["event"] == "provider_called"]
    assert {name: value for name, value in event.items() if name != "ms"} == {
        "event": "provider_called",
        "log_level": "info",
        "method": "GET",
        "path": "/book/9780441013593?with_prices=0",
        "status": 200,
        "outcome": "OK",
        "cause": "",
    }
