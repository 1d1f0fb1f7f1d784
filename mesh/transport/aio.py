"""The calling side of grpc.aio: the only module that opens its channels and reads its statuses."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CANCELLED,
    ERROR_REASON_DRAINING,
    ERROR_REASON_SERVICE_UNREACHABLE,
)
from grpc import aio

from mesh.call import Call, Handler, Metadatum, Reply
from mesh.config.props import BINDING_KEY
from mesh.contract import Method
from mesh.layers.deadline import out_of_time
from mesh.status import CancelledCallError, MeshError, UnavailableError
from mesh.status_details import DETAILS_KEY, from_status
from mesh.trace import to_metadata
from mesh.transport.balancing import channel_options
from mesh.transport.callers import ATTEMPT_KEY, AUTHORIZATION_KEY
from mesh.transport.times import take_times

_LOOK_S = 1.0
"""Seconds between two looks at whether a caller's certificate was replaced: two questions to the file system."""

_OLD_CHANNEL_S = 3600.0
"""Seconds that calls get to end on a channel whose certificate was replaced."""

_LATE = frozenset({grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL})
"""What gRPC's core makes of a call whose time ends while it is written, when it does not notice the time."""


_LOST_WRITE = "Internal error from Core"
"""What grpc.aio says of a call that ended while a request was written. It says so in place of the status that ended the
call, which is lost; and nothing is wrong inside of anybody."""


class Renewing(Protocol):
    """Credentials of a caller that may be replaced while it runs."""

    def current(self) -> int:
        """Another number once they were."""

    def channel(self) -> grpc.ChannelCredentials:
        """What to show now."""


@dataclass(frozen=True, slots=True)
class Security:
    """How a caller proves who it is, and knows whom it calls."""

    credentials: Renewing
    """What it shows."""
    host: str
    """The name in the callee's certificate."""


class AioTransport:
    """The way to an entrypoint in another process.

    Args:
        address: "127.0.0.1:7420" or "unix:/path", or what a Target of balancing says.
        balanced: it is one of several replicas, or several.
        security: what it shows, and whom it expects; None calls in plain text.
        authorization: what to show with each call, such as an operator's token; nothing when empty.
    """

    def __init__(
        self, address: str, *, balanced: bool = False, security: "Security | None" = None, authorization: str = ""
    ) -> None:
        self.kind = "unix" if address.startswith("unix:") else "tcp"
        self._address = address
        self._options = channel_options(balanced=balanced)
        self._security = security
        self._shown: tuple[Metadatum, ...] = ((AUTHORIZATION_KEY, authorization),) if authorization else ()
        self._starts: dict[str, Callable[..., Any]] = {}
        self._shut: set[asyncio.Task[None]] = set()
        self._version, self._looked_at = 0, time.monotonic()
        self._channel = self._open()

    def state(self) -> grpc.ChannelConnectivity:
        """READY when a call would go out at once; asking begins to connect."""
        return self._channel.get_state(try_to_connect=True)

    def _open(self) -> aio.Channel:
        security = self._security
        if security is None:
            return aio.insecure_channel(self._address, options=self._options)
        self._version = security.credentials.current()
        # The name that the callee's certificate has to have; what was dialled says nothing of who answers.
        options = [*self._options, ("grpc.ssl_target_name_override", security.host)]
        return aio.secure_channel(self._address, security.credentials.channel(), options=options)

    def _start(self, method: Method) -> Callable[..., Any]:
        """What begins a call of a method on a channel that shows a certificate as it is now."""
        if self._security is not None and time.monotonic() - self._looked_at > _LOOK_S:
            self._look(self._security)
        start = self._starts.get(method.path)
        if start is None:
            kinds: dict[tuple[bool, bool], Any] = {
                (False, False): self._channel.unary_unary,
                (False, True): self._channel.unary_stream,
                (True, False): self._channel.stream_unary,
                (True, True): self._channel.stream_stream,
            }
            start = self._starts[method.path] = kinds[method.client_streaming, method.server_streaming](method.path)
        return start

    def _look(self, security: "Security") -> None:
        """Opens the channel anew when the certificate was replaced; calls under way end on the old one."""
        self._looked_at = time.monotonic()
        if security.credentials.current() == self._version:
            return
        old, self._channel = self._channel, self._open()
        self._starts.clear()
        shut = asyncio.get_running_loop().create_task(old.close(_OLD_CHANNEL_S), name="close replaced channel")
        self._shut.add(shut)
        shut.add_done_callback(self._shut.discard)

    def connect(self, method: Method) -> Handler:
        """The handler that carries a call over the wire."""
        if method.server_streaming:
            return self._streaming(method)

        async def carry(call: Call) -> Reply:
            rpc = self._start(method)(
                call.requests if method.client_streaming else call.request,
                timeout=call.time_remaining(),
                metadata=(*_sent(call), *self._shown),
            )
            try:
                reply: bytes = await rpc
            except aio.AioRpcError as error:
                raise _failed(call, error) from None
            except asyncio.CancelledError:
                rpc.cancel()
                _raise_if_let_go(call)
                raise
            await _take_metadata(call, rpc)
            return reply

        return carry

    def _streaming(self, method: Method) -> Handler:
        async def carry(call: Call) -> Reply:
            rpc = self._start(method)(
                call.requests if method.client_streaming else call.request,
                timeout=call.time_remaining(),
                metadata=(*_sent(call), *self._shown),
            )
            send = call.send or _deaf
            try:
                if call.initial is not None:
                    await call.initial(tuple(await rpc.initial_metadata()))
                async for data in rpc:
                    await send(data)
            except aio.AioRpcError as error:
                raise _failed(call, error) from None
            except asyncio.CancelledError:
                _raise_if_let_go(call)
                raise
            finally:
                rpc.cancel()
            call.trailing.extend(take_times(call, iter(await rpc.trailing_metadata())))
            return b""

        return carry

    async def aclose(self) -> None:
        """Closes the channel; calls under way are given up."""
        for shut in self._shut:
            shut.cancel()
        await self._channel.close()


def _sent(call: Call) -> Sequence[Metadatum]:
    """What goes over the wire beside the request: what the caller says, where the call stands, its binding and try."""
    own: list[Metadatum] = [] if call.trace is None else [*to_metadata(call.trace)]
    keys = {key for key, _ in own}
    if call.binding:
        own.append((BINDING_KEY, call.binding))
    if call.attempt > 1:
        own.append((ATTEMPT_KEY, str(call.attempt)))
    return (*(pair for pair in call.metadata if pair[0] not in keys), *own)


async def _deaf(_: Reply) -> None:
    """Where responses go that nobody takes."""


async def _take_metadata(call: Call, rpc: Any) -> None:
    call.trailing.extend(take_times(call, iter(await rpc.trailing_metadata())))
    if call.initial is not None and (initial := await rpc.initial_metadata()):
        await call.initial(tuple(initial))


def _raise_if_let_go(call: Call) -> None:
    """Gives a call its status that was cancelled though nobody cancelled its caller.

    grpc.aio does so to a call that runs out of time while its requests are written.

    Raises:
        MeshError: nobody has asked this task to end.
    """
    task = asyncio.current_task()
    if task is not None and not task.cancelling():
        if _is_late(call):
            raise out_of_time(call) from None
        raise CancelledCallError(ERROR_REASON_CANCELLED, "the call was given up on its way") from None


def _is_late(call: Call) -> bool:
    return call.deadline is not None and time.monotonic() >= call.deadline


def _failed(call: Call, error: aio.AioRpcError) -> MeshError:
    """The error as the callee raised it, rebuilt from the wire."""
    trailing = tuple(error.trailing_metadata() or ())
    call.trailing.extend(take_times(call, ((key, value) for key, value in trailing if key != DETAILS_KEY)))
    is_bare = not any(key == DETAILS_KEY for key, _ in trailing)
    if is_bare and (error.code() is grpc.StatusCode.DEADLINE_EXCEEDED or (error.code() in _LATE and _is_late(call))):
        return out_of_time(call)
    if is_bare and error.code() is grpc.StatusCode.INTERNAL and error.details() == _LOST_WRITE:
        return UnavailableError(
            ERROR_REASON_SERVICE_UNREACHABLE,
            f"{call.method.name} was ended from the other side while its requests were written",
            metadata={"binding": call.binding or call.method.service},
        )
    if not trailing and error.code() is grpc.StatusCode.CANCELLED:
        # A listener that closes says so of calls that it has taken in and not begun. What begins here ends with more.
        return UnavailableError(ERROR_REASON_DRAINING, "the callee is ending and has not begun this call")
    return from_status(error.code(), error.details() or "", trailing)
