"""What an entrypoint method gets beside its request: gRPC's ServicerContext, the same on every transport."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import grpc
from google.protobuf.message import Message
from grpc import aio

from mesh.call import Call, Metadatum
from mesh.config.props import NO_PROPS, Props
from mesh.layers.decoding import decode
from mesh.rules import check
from mesh.status import error_of

if TYPE_CHECKING:
    Context = aio.ServicerContext[Any, Any]
else:
    Context = aio.ServicerContext

Answer = TypeVar("Answer", bound=Message)

_OK = grpc.StatusCode.OK


class CallContext(Context):
    """A view of the call that is being answered."""

    status = _OK
    """What the call ends with if nothing is raised."""
    _details = ""

    def __init__(self, call: Call) -> None:
        self.call = call

    def invocation_metadata(self) -> aio.Metadata:
        """What the caller sent beside the request."""
        return aio.Metadata(*self.call.metadata)

    def set_trailing_metadata(self, trailing_metadata: Sequence[Metadatum]) -> None:  # type: ignore[override]  # the stubs' alias is private
        """Adds to what is sent after the last response."""
        self.call.trailing.extend(trailing_metadata)

    def trailing_metadata(self) -> aio.Metadata:
        """What will be sent after the last response, so far."""
        return aio.Metadata(*self.call.trailing)

    async def send_initial_metadata(self, initial_metadata: Sequence[Metadatum]) -> None:  # type: ignore[override]  # the stubs' alias is private
        """Sends metadata before the first response."""
        if self.call.wire is not None:
            await self.call.wire.send_initial_metadata(tuple(initial_metadata))
        elif self.call.initial is not None:
            await self.call.initial(tuple(initial_metadata))

    def time_remaining(self) -> float | None:  # type: ignore[override]  # grpc.aio too gives None where there is no deadline
        """Seconds until the caller gives up; None when it does not."""
        return self.call.time_remaining()

    def peer(self) -> str:
        """Who calls: a service's name in process, an address over the wire."""
        return self.call.caller if self.call.wire is None else self.call.wire.peer()

    @property
    def props(self) -> Props:
        """What the caller's manifest says of it; see `props_of`."""
        return self.call.props or NO_PROPS

    async def read(self) -> Any:
        """The next request of a stream, or aio.EOF."""
        data = None if self.call.requests is None else await anext(self.call.requests, None)
        return aio.EOF if data is None else check(decode(self.call.method, data))

    async def write(self, message: Any) -> None:
        """Sends one response of a stream; waits while the caller is behind."""
        if self.call.send is None:
            raise TypeError(f"{self.call.method.name} answers with one message, not with a stream")
        await self.call.send(message)

    async def abort(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: Sequence[Metadatum] = (),  # type: ignore[override]  # the stubs' alias is private
    ) -> NoReturn:
        """Ends the call with a status; raising a MeshError says more."""
        self.call.trailing.extend(trailing_metadata)
        raise error_of(code, "", details)

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """Ends the call with a status."""
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    def set_code(self, code: grpc.StatusCode) -> None:
        """Sets the status that the call ends with if nothing is raised; raising a MeshError says more."""
        self.status = code

    def set_details(self, details: str) -> None:
        """Sets the sentence that goes with set_code."""
        self._details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """Does nothing: there is no wire to spare in process, and the answer must not depend on the transport."""

    def disable_next_message_compression(self) -> None:
        """Does nothing, as set_compression."""

    def peer_identities(self) -> Iterable[bytes] | None:
        """Nobody has proven anything on these transports."""
        return None

    def peer_identity_key(self) -> str | None:
        """None, as peer_identities."""
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Empty, as peer_identities."""
        return {}

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls back when the entrypoint's task is done."""
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: callback(self))

    def cancelled(self) -> bool:
        """Whether the caller has gone."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    def done(self) -> bool:
        """False: the call is done when its entrypoint is."""
        return False

    def code(self) -> grpc.StatusCode:
        """OK until set_code says otherwise."""
        return self.status

    def details(self) -> str:
        """Empty until set_details says otherwise."""
        return self._details

    def raise_set_status(self) -> None:
        """Raises the status that was set, for an entrypoint that has returned without raising it.

        Raises:
            MeshError: set_code was given another status than OK.
        """
        if self.status is not _OK:
            raise error_of(self.status, "", self._details)


def ready(_kind: type[Answer], data: bytes) -> Answer:
    """An answer that lies ready as bytes, for an entrypoint to return: they go to the caller as they are.

    The type is what the contract says of the method, so that type checkers see what a caller gets; nothing is parsed.
    """
    return cast("Answer", data)


def props_of(context: Context) -> Props:
    """What the caller's manifest says of it, in the `props` of the binding that the call came through.

    Nobody but who deploys the caller sets them, so an entrypoint may rely on them; the mapping can't be changed. They
    are empty for a caller that has none, and for one that has not proven who it is.
    """
    return context.props if isinstance(context, CallContext) else NO_PROPS
