"""The call objects that a stub gives its caller for methods that answer with a stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.message import Message
from grpc import aio

from mesh.call import Call, Handler, Reply
from mesh.transport.calls import MeshCall, as_message
from mesh.transport.outbox import Outbox, Requests
from mesh.transport.pipe import Pipe


class _ResponseStream(MeshCall):
    """Begins at once; its responses wait in a pipe, and its outcome is raised after the last of them."""

    def __init__(self, handler: Handler, call: Call) -> None:
        super().__init__(handler, call)
        # The task must not keep this object alive: who drops the call without reading it to its end gives it up.
        self._responses: Pipe[Reply] = Pipe()
        call.send = _sender(self._responses)
        self._outcome.at_end(self._responses.end)

    def __aiter__(self) -> AsyncIterator[Any]:
        """The responses; raises MeshError after the last if the call failed."""
        return self._messages()

    async def _messages(self) -> AsyncIterator[Message]:
        while (message := await self.read()) is not aio.EOF:
            yield message

    async def read(self) -> Any:
        """The next response, or aio.EOF after the last."""
        self.start()
        try:
            data = await self._responses.get()
        except asyncio.CancelledError:
            # Whoever is cancelled while reading takes the call along, as grpc.aio has it.
            self.cancel()
            raise
        if data is not None:
            return as_message(self._call.method, data)
        await self._settled()
        self._raise_failure()
        return aio.EOF

    def __del__(self) -> None:
        """Gives up a call that nobody listens to any more."""
        task = getattr(self, "_task", None)
        if task is not None and not task.done() and not task.get_loop().is_closed():
            task.cancel()


def _sender(pipe: Pipe[Reply]) -> Callable[[Reply], Awaitable[None]]:
    async def send(reply: Reply) -> None:
        await pipe.put(reply)

    return send


class UnaryStreamCall(_ResponseStream, aio.UnaryStreamCall[Any, Any]):
    """One request, a stream of responses."""

    def __init__(self, handler: Handler, call: Call) -> None:
        super().__init__(handler, call)
        self.start()


class StreamStreamCall(_ResponseStream, aio.StreamStreamCall[Any, Any]):
    """A stream of requests, a stream of responses."""

    def __init__(self, handler: Handler, call: Call, requests: Requests | None) -> None:
        super().__init__(handler, call)
        self._outbox = Outbox(self._outcome, requests)
        call.requests = aiter(self._outbox.pipe)
        self._outbox.feed(self.start())

    async def read(self) -> Any:
        """The next response, or aio.EOF after the last."""
        try:
            return await super().read()
        finally:
            self._outbox.raise_fault()

    async def write(self, request: Message) -> None:
        """Sends one request; waits while the callee is behind."""
        await self._outbox.write(request)

    async def done_writing(self) -> None:
        """Says that no more requests will come."""
        self._outbox.pipe.end()
