"""Call, Handler and Layer: the three types that everything else in the mesh is written against."""

import enum
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.protobuf.message import Message

from mesh.config.props import Props
from mesh.contract import Method
from mesh.trace import Trace

Metadatum = tuple[str, str | bytes]
"""One key and its value; keys ending in "-bin" carry bytes, as gRPC has it."""

Note = tuple[str, str]
"""A decision of the mesh for one call: what it was, in one word, and why."""

Clock = Callable[[], float]
"""Seconds from some fixed point, never going back."""


Reply = Message | bytes
"""One response: a message, or the bytes of one, for an answer that lies ready need not be parsed to be sent on."""


CACHE_KEY = "x-cache"
"""Trailing metadata in which a callee tells of its cache what it likes, and first the tier that answered, up to a
semicolon: "MEMORY; age_ms=2000; fresh". The tier goes into the caller's record of the call."""


class Side(enum.Enum):
    """Which end of a call a layer stands at."""

    CLIENT = "client"
    SERVER = "server"


class Wire(Protocol):
    """What a transport over the wire is asked for, by few; so a call holds it whole and not each of its methods."""

    def peer(self) -> str:
        """The address of whoever calls."""

    def send_initial_metadata(self, initial_metadata: Any) -> Awaitable[None]:
        """Sends what goes before the first response."""


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
    wire: Wire | None = None
    """What came over the wire, on the server side; None in process."""
    props: Props | None = None
    """What the caller's manifest says of it, on the server side; None where that is nothing."""
    caller: str = ""
    """The service that calls: on the server side, the one that has proven to be it; empty for people."""
    operator: bool = False
    """The caller has proven to be an operator, on the server side."""
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
    """Sends what the callee sends before the first response; over the wire the wire itself does."""
    response_time_s: float = 0.0
    """How long the answer took, as the answering side saw it."""
    binding_time_s: float = 0.0
    """On the client side, how long the call took; on the server side, how long the calls took that it made itself."""

    trace: Trace | None = None
    """Its id, and the calls that led to it; the first layers see to it that there is one."""
    came_traced: bool = False
    """It came over the wire with a trace, so its caller knows the id of that."""
    attempt: int = 1
    """Which try this is."""
    began_to_answer: bool = False
    """Its caller has seen a response of its stream, on the client side."""
    breaker: str = "CLOSED"
    """Where the breaker of its binding and method stood when it was let through, on the client side."""
    notes: list[Note] | None = None
    """What the mesh decided for it beside carrying it over, in order; None until there is something."""

    def note(self, what: str, why: str) -> None:
        """Keeps a decision, for whoever asks later what was done for the call.

        Args:
            what: one word: "refused", "retried", "hedged", "shed", "served_stale".
            why: the reason, in a few words without anything secret.
        """
        self.notes = notes = self.notes or []
        notes.append((what, why))

    def lineage(self) -> "Call":
        """A call that stands where this one does and has neither its deadline nor its caller's data.

        It is what work goes on with that belongs to several calls, or outlives the one which began it.
        """
        lineage = Call(self.method, self.side)
        lineage.trace = self.trace
        return lineage

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


def answers_batch() -> bool:
    """Whether the call being answered is batch work: nobody waits for it, so it leaves to people what is scarce."""
    answered = CURRENT.get()
    return answered is not None and answered.trace is not None and answered.trace.batch


def compose(layers: Sequence[Layer], method: Method, innermost: Handler) -> Handler:
    """The handler with its layers around it; the first listed is the outermost, so it acts first."""
    handler = innermost
    for layer in reversed(layers):
        handler = layer(method, handler)
    return handler
