"""The listening side of grpc.aio: the only module that answers its calls and that speaks its abort."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, NoReturn

import grpc
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CANCELLED,
)
from grpc import aio

from mesh.call import Call, Handler, Metadatum, Reply, Side
from mesh.config.props import BINDING_KEY
from mesh.contract import Method
from mesh.status import CancelledCallError, MeshError
from mesh.status_details import DETAILS_KEY, details_of
from mesh.trace import TRACE_KEY, from_metadata
from mesh.transport.callers import ATTEMPT_KEY, AUTHORIZATION_KEY, Callers, attempt_of, heard, unproven
from mesh.transport.times import times

_OPTIONS: Sequence[tuple[str, int]] = (
    # Two processes would share a port without a word; a port that is taken must be an error.
    ("grpc.so_reuseport", 0),
)

_SERVER = Side.SERVER  # looked up once: each call needs it

_NO_DEADLINE_S = 10 * 365 * 24 * 3600
"""A remaining time above this is gRPC's way to say that there is no deadline."""


class AddressInUseError(Exception):
    """An address can't be listened on; the text says which."""


class AioServer:
    """One listener: the handlers of one entrypoint or more, served on one address.

    Args:
        handlers: methods by path, each with its layers.
        address: "127.0.0.1:7420" or "unix:/path"; port 0 takes any that is free.
        callers: how it tells its callers apart; without it nobody has proven anything.
        credentials: what it shows for itself; None serves in plain text.
    """

    def __init__(
        self,
        handlers: Mapping[str, tuple[Method, Handler]],
        address: str,
        callers: Callers | None = None,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self.address = address
        self._credentials = credentials
        self.server = aio.server(options=_OPTIONS)
        self.add(handlers, callers or Callers())

    def add(self, handlers: Mapping[str, tuple[Method, Handler]], callers: Callers) -> None:
        """Serves more methods; of those with the same path the first are served."""
        self.server.add_generic_rpc_handlers([_Handlers(handlers, callers)])

    async def start(self) -> None:
        """Listens; `address` then names the port that was taken for 0.

        Raises:
            AddressInUseError: someone else listens there, or it is not ours to listen on.
        """
        try:
            port = (
                self.server.add_insecure_port(self.address)
                if self._credentials is None
                else self.server.add_secure_port(self.address, self._credentials)
            )
        except RuntimeError as error:
            await self.server.stop(None)
            raise AddressInUseError(f"can't listen on {self.address}: it is taken, or not allowed") from error
        if self.address.endswith(":0"):
            self.address = f"{self.address[:-2]}:{port}"
        await self.server.start()

    async def stop(self, grace_s: float) -> None:
        """Takes nothing new, and gives what runs this many seconds to finish."""
        await self.server.stop(grace_s)


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of a path; gRPC itself answers UNIMPLEMENTED where there is none."""

    def __init__(self, handlers: Mapping[str, tuple[Method, Handler]], callers: Callers) -> None:
        self._found = {
            path: (_KINDS[method.client_streaming, method.server_streaming], method, handler, callers)
            for path, (method, handler) in handlers.items()
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """What answers one call; made for each, so that metadata which gRPC has read for this is not read once more."""
        found = self._found.get(handler_call_details.method)
        if found is None:
            return None
        kind, method, handler, callers = found
        return _new(kind, (method, handler, callers, handler_call_details.invocation_metadata or ()))


_new = tuple.__new__
"""Makes an _Answering in half the time that calling the class takes."""


class _Answering(tuple[Method, Handler, Callers, Sequence[Metadatum]]):
    """Answers one call: what gRPC calls a handler, for a method that takes one message and gives one.

    A tuple of what it needs, for one is made for each call.
    """

    __slots__ = ()

    request_streaming = False
    response_streaming = False
    request_deserializer = None  # requests are bytes here, and read by a layer
    response_serializer = None

    @property
    def unary_unary(self) -> "_Answering":
        """What gRPC calls, and first looks at."""
        return self

    def __await__(self) -> Generator[Any, None, bytes]:
        """Says that calling this gives something to await, and nothing else.

        gRPC asks each handler at each call whether it is awaitable, and of one that is not whether it is a function
        whose results are. That second question costs as much as three layers.
        """
        raise TypeError("a call is made before it is awaited")

    async def __call__(self, source: Any, context: Any) -> bytes:
        """Makes the call, and gives the response or its status."""
        method, handler, callers, metadata = self
        call = _received(method, source, context, callers, metadata)
        failure: MeshError
        try:
            reply = await handler(call)
        except MeshError as error:
            failure = error
        except asyncio.CancelledError:
            # The entrypoint cancelled itself, or its caller has gone; one that is still there must hear of it.
            failure = CancelledCallError(ERROR_REASON_CANCELLED, "the callee gave the call up")
        else:
            trailing = times(call)
            if trailing:
                context.set_trailing_metadata(trailing)
            return reply if isinstance(reply, bytes) else reply.SerializeToString()
        return await _abort(context, failure, times(call))


class _AnsweringStream(_Answering):
    """The same for a method that takes a stream."""

    __slots__ = ()

    request_streaming = True
    stream_unary = _Answering.unary_unary


class _AnsweringWithStream(_Answering):
    """The same for a method that gives a stream."""

    __slots__ = ()

    response_streaming = True

    async def unary_stream(self, source: Any, context: Any) -> None:
        """Makes the call, which sends its responses itself."""
        await self(source, context)


class _AnsweringStreamWithStream(_AnsweringWithStream):
    """The same for a method that takes a stream and gives one."""

    __slots__ = ()

    request_streaming = True
    stream_stream = _AnsweringWithStream.unary_stream


_KINDS: Mapping[tuple[bool, bool], type[_Answering]] = {
    (False, False): _Answering,
    (True, False): _AnsweringStream,
    (False, True): _AnsweringWithStream,
    (True, True): _AnsweringStreamWithStream,
}
"""What answers, by whether requests and responses are streams."""


def _received(method: Method, source: Any, context: Any, callers: Callers, metadata: Sequence[Metadatum]) -> Call:
    """The callee's side of a call. Filled in after it is made, for a class that is called with keywords costs more."""
    call = Call(method, _SERVER)
    own: dict[str, str | bytes] = {}
    call.metadata = heard(metadata, own)
    call.wire = context
    if callers.identify is not unproven:
        call.caller, call.operator = callers.identify(context)
    if own:
        call.trace, call.came_traced = from_metadata(own), TRACE_KEY in own
        shown = own.get(AUTHORIZATION_KEY)
        if shown is not None:
            call.operator = call.operator or (isinstance(shown, str) and callers.is_operators(shown))
    if call.caller:
        call.props = callers.props_for(call.caller, str(own.get(BINDING_KEY, "")))
        call.attempt = attempt_of(own.get(ATTEMPT_KEY))
    remaining = context.time_remaining()
    if remaining is not None and remaining < _NO_DEADLINE_S:
        call.deadline = time.monotonic() + remaining
    if method.client_streaming:
        call.requests = source
    else:
        call.request = source
    if method.server_streaming:
        call.send = _sender(context)
    return call


def _sender(context: Any) -> Callable[[Reply], Awaitable[None]]:
    async def send(reply: Reply) -> None:
        await context.write(as_bytes(reply))

    return send


def as_bytes(reply: Reply) -> bytes:
    """A response as it goes over the wire."""
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


async def _abort(context: Any, error: MeshError, trailing: Sequence[Metadatum]) -> NoReturn:
    """Ends a call with its status; outside every try, for abort speaks by raising."""
    if context.cancelled():
        raise asyncio.CancelledError
    try:
        await context.abort(error.code, error.message, (*trailing, (DETAILS_KEY, details_of(error))))
    except aio.InternalError:
        # The call ended in this very moment, so there is nobody left to hear of it.
        raise asyncio.CancelledError from None
    raise AssertionError("abort raises")
