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


Reply = Message | bytes
"""One response: a message, or the bytes of one, for an answer that lies ready need not be parsed to be sent on."""


class Side(enum.Enum):
    """Which end of a call a layer stands at."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(slots=True, eq=False)
class Call:
    """One RPC as layers see it, the same in process and over the wire.

    Requests are bytes here, so that a retry sends what was sent and nobody can reach into the caller's objects. This is
    the only mutable type of the mesh; it belongs to one side of one call.
    """

    method: Method
    """What is called."""
    side: Side
    """Which end this is."""
    local: bool = False
    """Whether it comes from this process, on the server side."""
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
    requests: AsyncIterator[bytes] | None = None
    """The requests of a method that takes a stream."""
    send: Callable[[Reply], Awaitable[None]] | None = None
    """Hands one response of a stream to the caller; waits while the caller is behind."""
    message: Message | None = None
    """The request as the entrypoint sees it, on the server side, once it is decoded."""
    initial: Callable[[Sequence[Metadatum]], Awaitable[None]] | None = None
    """Sends what the callee sends before the first response, on the server side."""
    response_time_s: float = 0.0
    """How long the answer took, as the answering side saw it."""
    binding_time_s: float = 0.0
    """On the client side, how long the call took; on the server side, how long the calls took that it made itself."""

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, never below 0; None when there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


Handler = Callable[[Call], Awaitable[Reply]]
"""Carries a call to its end: returns the response (b"" for a stream, whose responses went to `send`) or raises.

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
