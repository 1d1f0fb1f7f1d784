"""What a call's task and its caller share: the outcome on its way back, and the requests on their way out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from google.protobuf.message import Message

from mesh.call import Metadatum, Reply
from mesh.status import MeshError
from mesh.transport.pipe import Pipe

Requests = AsyncIterator[Message] | Iterable[Message]


class Outcome:
    """What came of a call. The call's task holds this and not the call object, so a caller can drop the latter."""

    __slots__ = ("callbacks", "cancelled", "done", "error", "initial", "initial_seen", "reply")

    def __init__(self) -> None:
        self.done = False
        self.cancelled = False
        self.reply: Reply = b""
        self.error: MeshError | None = None
        self.callbacks: list[Callable[[], None]] | None = None
        self.initial: Sequence[Metadatum] = ()
        self.initial_seen: asyncio.Event | None = None

    async def receive_initial(self, metadata: Sequence[Metadatum]) -> None:
        """Takes what the callee sends before its first response."""
        self.initial = metadata
        if self.initial_seen is not None:
            self.initial_seen.set()

    def finish(self) -> None:
        """Marks the end and calls back."""
        self.done = True
        callbacks, self.callbacks = self.callbacks, None
        for callback in callbacks or ():
            callback()

    def at_end(self, callback: Callable[[], None]) -> None:
        """Calls back at the end."""
        if self.callbacks is None:
            self.callbacks = []
        self.callbacks.append(callback)


class Outbox:
    """The requests of a streaming call: from an iterator, or from write().

    An iterator is read in a task of its own, as gRPC reads it: it runs in its caller's context and goes ahead of the
    callee by as much as the pipe holds.
    """

    def __init__(self, outcome: Outcome, requests: Requests | None) -> None:
        self.pipe: Pipe[bytes] = Pipe()
        self._requests = requests
        self._fault: Exception | None = None
        self._feeder: asyncio.Task[None] | None = None
        outcome.at_end(self._close)

    def feed(self, call: asyncio.Task[None]) -> None:
        """Begins to read the iterator, if there is one; its fault gives the call up."""
        if self._requests is not None:
            self._feeder = asyncio.get_running_loop().create_task(self._feed(self._requests, call))

    async def _feed(self, requests: Requests, call: asyncio.Task[None]) -> None:
        try:
            if isinstance(requests, Iterable):
                for request in requests:
                    await self.pipe.put(request.SerializeToString())
            else:
                async for request in requests:
                    await self.pipe.put(request.SerializeToString())
        except Exception as fault:  # noqa: BLE001 - whatever the caller's iterator raises goes back to the caller
            self._fault = fault
            call.cancel()
        else:
            self.pipe.end()

    async def write(self, request: Message) -> None:
        """Queues one request.

        Raises:
            asyncio.InvalidStateError: the call has ended, or takes its requests from an iterator.
        """
        if self._requests is not None:
            raise asyncio.InvalidStateError("this call takes its requests from the iterator that it was given")
        if not await self.pipe.put(request.SerializeToString()):
            raise asyncio.InvalidStateError("the call has ended, or done_writing was called")

    def _close(self) -> None:
        """Lets go of writers that wait, and of the iterator: the call has ended."""
        self.pipe.end()
        if self._feeder is not None and not self._feeder.done():
            self._feeder.cancel()

    def raise_fault(self) -> None:
        """Raises what the caller's own iterator raised, if it did."""
        if self._fault is not None:
            raise self._fault
