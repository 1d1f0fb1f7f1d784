"""The channel that a generated stub is made with: it puts the layers around a transport, whichever that is."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import grpc
from google.protobuf.message import Message
from grpc import aio

from mesh.call import Call, Handler, Layer, Metadatum, Side, compose
from mesh.contract import Method, Service
from mesh.transport.calls import StreamUnaryCall, UnaryUnaryCall
from mesh.transport.outbox import Requests
from mesh.transport.streams import StreamStreamCall, UnaryStreamCall

_CLIENT = Side.CLIENT


class Transport(Protocol):
    """A way to a callee."""

    kind: str
    """"in_process", "unix" or "tcp"."""

    def connect(self, method: Method) -> Handler:
        """The innermost handler of a method: it carries a call over to the callee."""

    async def aclose(self) -> None:
        """Lets go of the way; calls under way are given up."""


class BindingChannel(aio.Channel):
    """What stubs of one binding call through.

    Args:
        service: the contract that the stub speaks.
        caller: the service that calls.
        binding: the name of the binding.
        layers: what stands around each call, outermost first.
        transport: the way to the callee.
    """

    def __init__(
        self, *, service: Service, caller: str, binding: str, layers: Sequence[Layer], transport: Transport
    ) -> None:
        self._methods = service.methods
        self._caller = caller
        self._binding = binding
        self._layers = layers
        self.transport = transport

    def _handler(self, path: str) -> tuple[Method, Handler]:
        method = self._methods[path]
        return method, compose(self._layers, method, self.transport.connect(method))

    def _call(
        self, method: Method, timeout: float | None, metadata: Sequence[Metadatum] | None, request: bytes = b""
    ) -> Call:
        # Filled in after it is made: a class called with keywords packs them into a dict first, for half a microsecond.
        call = Call(method, _CLIENT)
        call.caller = self._caller
        call.binding = self._binding
        call.request = request
        if timeout is not None:
            call.deadline = time.monotonic() + timeout
        if metadata is not None:
            call.metadata = tuple(metadata)
        return call

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Callable[..., UnaryUnaryCall]:  # type: ignore[override]  # serializers are ours: messages travel as bytes
        """One request, one response."""
        spec, handler = self._handler(method)

        def start(
            request: Message,
            *,
            timeout: float | None = None,
            metadata: Sequence[Metadatum] | None = None,
            **_: Any,
        ) -> UnaryUnaryCall:
            call = self._call(spec, timeout, metadata, encode(spec, request))
            return UnaryUnaryCall(handler, call)

        return start

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Callable[..., UnaryStreamCall]:  # type: ignore[override]  # as above
        """One request, a stream of responses."""
        spec, handler = self._handler(method)

        def start(
            request: Message,
            *,
            timeout: float | None = None,
            metadata: Sequence[Metadatum] | None = None,
            **_: Any,
        ) -> UnaryStreamCall:
            call = self._call(spec, timeout, metadata, encode(spec, request))
            return UnaryStreamCall(handler, call)

        return start

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Callable[..., StreamUnaryCall]:  # type: ignore[override]  # as above
        """A stream of requests, one response."""
        spec, handler = self._handler(method)

        def start(
            request_iterator: Requests | None = None,
            timeout: float | None = None,
            metadata: Sequence[Metadatum] | None = None,
            **_: Any,
        ) -> StreamUnaryCall:
            return StreamUnaryCall(handler, self._call(spec, timeout, metadata), request_iterator)

        return start

    def stream_stream(self, method: str, *_: Any, **__: Any) -> Callable[..., StreamStreamCall]:  # type: ignore[override]  # as above
        """A stream of requests, a stream of responses."""
        spec, handler = self._handler(method)

        def start(
            request_iterator: Requests | None = None,
            timeout: float | None = None,
            metadata: Sequence[Metadatum] | None = None,
            **_: Any,
        ) -> StreamStreamCall:
            return StreamStreamCall(handler, self._call(spec, timeout, metadata), request_iterator)

        return start

    async def close(self, grace: float | None = None) -> None:  # noqa: ARG002 - gRPC's signature; calls end with their callers
        """Lets go of the transport."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        """Nothing to open: transports connect when they are first used."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        """Lets go of the transport."""
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: ARG002, FBT001, FBT002 - gRPC's signature
        """Idle, always: whether the callee answers is for its health to say."""
        return grpc.ChannelConnectivity.IDLE

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Returns at once; the state never changes."""

    async def channel_ready(self) -> None:
        """Returns at once; calls connect by themselves."""


def encode(method: Method, request: Message) -> bytes:
    """One request as bytes.

    Raises:
        TypeError: the message is of another type than the method takes.
    """
    if type(request) is not method.request_type:
        raise TypeError(f"{method.name} takes {method.request_type.__name__}, not {type(request).__name__}")
    return request.SerializeToString()
