"""Call, Handler and Layer: the three types that everything else in the mesh is written against."""

import enum
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from google.protobuf.message import Message

from mesh.contract import Method

Metadatum = tuple[str, str | bytes]
"""One key and its value; keys ending in "-bin" carry bytes, as gRPC has it."""

Clock = Callable[[], float]
"""Seconds from some fixed point, never going back."""


class Side(enum.Enum):
    """Which end of a call a layer stands at."""

    CLIENT = "client"
    SERVER = "server"


async def _no_requests() -> AsyncIterator[bytes]:
    """The request stream of a method that has none."""
    return
    yield b""


async def _no_send(_: bytes) -> None:
    """The response stream of a method that has none."""
    raise TypeError("this method answers with one message, not with a stream")


@dataclass(slots=True, eq=False)
class Call:
    """One RPC as layers see it, the same in process and over the wire.

    Messages are bytes here: each end encodes and decodes once, so neither can reach into the other's objects, sizes are
    known, and a retry sends what was sent. The only mutable type of the mesh; it belongs to one side of one call.
    """

    method: Method
    """What is called."""
    side: Side
    """Which end this is."""
    peer: str = ""
    """Who calls, on the server side: a service's name in process, an address over the wire."""
    caller: str = ""
    """The service at whose side the call was made, on the client side."""
    binding: str = ""
    """The binding that it goes through, on the client side."""
    deadline: float | None = None
    """When the caller gives up, on the clock of time.monotonic(); None is never."""
    metadata: Sequence[Metadatum] = ()
    """What the caller sent beside the request."""
    trailing: list[Metadatum] = field(default_factory=list)
    """What the callee sends after the last response."""
    request: bytes = b""
    """The request of a method that takes one message."""
    requests: AsyncIterator[bytes] = field(default_factory=_no_requests)
    """The requests of a method that takes a stream."""
    send: Callable[[bytes], Awaitable[None]] = _no_send
    """Hands one response of a stream to the caller; waits while the caller is behind."""
    message: Message | None = None
    """The request as the entrypoint sees it, on the server side, once it is decoded."""
    initial: Callable[[Sequence[Metadatum]], Awaitable[None]] | None = None
    """Sends what the callee sends before the first response, on the server side."""
    binding_time_s: float = 0.0
    """Time that the entrypoint spent in calls of its own, on the server side."""

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, never below 0; None when there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


Handler = Callable[[Call], Awaitable[bytes]]
"""Carries a call to its end: returns the response (empty for a stream, whose responses went to `send`) or raises.

On return the call has succeeded; on a raised MeshError it has failed; there is no third way, for streams neither.
"""

Layer = Callable[[Method, Handler], Handler]
"""Wraps the handler of one method; whatever it keeps for a method it makes here, once."""

CURRENT: ContextVar[Call | None] = ContextVar("mesh_current_call", default=None)
"""The call that is being answered, so that the calls it makes know their time and their chain."""


def compose(layers: Sequence[Layer], method: Method, innermost: Handler) -> Handler:
    """The handler with its layers around it; the first listed is the outermost, so it acts first."""
    handler = innermost
    for layer in reversed(layers):
        handler = layer(method, handler)
    return handler
