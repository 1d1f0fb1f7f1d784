"""The call objects of methods that answer with one message: grpc.aio's own interface, on any transport."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc import aio

from mesh.call import Call, Handler, Reply
from mesh.contract import Method
from mesh.status import MeshError
from mesh.transport.outbox import Outbox, Outcome, Requests
from mesh.transport.times import times


async def _drive(handler: Handler, call: Call, outcome: Outcome) -> None:
    """Carries a call to its end and keeps what came of it; never raises: the outcome waits to be asked."""
    try:
        outcome.reply = await handler(call)
    except asyncio.CancelledError:
        outcome.cancelled = True
    except MeshError as error:
        outcome.error = error
    finally:
        outcome.finish()


class MeshCall(aio.Call):
    """What every call object has: status and metadata after the end, cancellation, and callbacks.

    Awaiting raises MeshError where a plain gRPC call raises AioRpcError; all else is as grpc.aio documents it.
    """

    def __init__(self, handler: Handler, call: Call) -> None:
        # Nothing that the call holds may lead back to this object: in a circle, the answers of all calls would stay in
        # memory until the garbage collector finds them.
        self._handler = handler
        self._call = call
        self._task: asyncio.Task[None] | None = None
        self._outcome = outcome = Outcome()
        call.initial = outcome.receive_initial

    def start(self) -> asyncio.Task[None]:
        """Runs the call in a task of its own, if nothing runs it yet."""
        if self._task is None:
            drive = _drive(self._handler, self._call, self._outcome)
            self._task = asyncio.get_running_loop().create_task(drive)
        return self._task

    async def _settled(self) -> None:
        """Waits for the end, without raising what came of it."""
        if not self._outcome.done:
            await asyncio.wait([self.start()])

    def _raise_failure(self) -> None:
        if self._outcome.error is not None:
            raise self._outcome.error
        if self._outcome.cancelled:
            raise asyncio.CancelledError

    def cancel(self) -> bool:
        """Gives the call up; False when it has ended already."""
        if self._outcome.done:
            return False
        if self._task is None:
            self._outcome.cancelled = True
            self._outcome.finish()
        else:
            self._task.cancel()
        return True

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._outcome.cancelled

    def done(self) -> bool:
        """Whether it has ended."""
        return self._outcome.done

    def time_remaining(self) -> float | None:
        """Seconds until its deadline; None when it has none."""
        return self._call.time_remaining()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls back when the call has ended, at once if it has already."""
        if self._outcome.done:
            callback(self)
        else:
            self._outcome.at_end(lambda: callback(self))

    async def initial_metadata(self) -> aio.Metadata:
        """What the callee sent before its first response."""
        outcome = self._outcome
        if not outcome.done and not outcome.initial:
            self.start()
            outcome.initial_seen = seen = outcome.initial_seen or asyncio.Event()
            outcome.at_end(seen.set)
            await seen.wait()
        return aio.Metadata(*outcome.initial)

    async def trailing_metadata(self) -> aio.Metadata:
        """What the callee sent after its last response, with the time that the call took."""
        await self._settled()
        return aio.Metadata(*self._call.trailing, *times(self._call))

    async def code(self) -> grpc.StatusCode:
        """How the call ended."""
        await self._settled()
        if self._outcome.error is not None:
            return self._outcome.error.code
        return grpc.StatusCode.CANCELLED if self._outcome.cancelled else grpc.StatusCode.OK

    async def details(self) -> str:
        """The sentence that goes with the status; empty for OK."""
        await self._settled()
        return "" if self._outcome.error is None else self._outcome.error.message

    async def wait_for_connection(self) -> None:
        """Starts the call; whether the callee can be reached shows in its status."""
        self.start()


class UnaryUnaryCall(MeshCall, aio.UnaryUnaryCall[Any, Any]):
    """One request, one response.

    It begins when it is awaited, in the task that awaits it, which spares a task for each call; asking it anything else
    first begins it in a task of its own. To run several at once, gather them.
    """

    def __await__(self) -> Generator[Any, None, Any]:
        """The response, or the MeshError."""
        return self._response().__await__()

    async def _response(self) -> Message:
        outcome = self._outcome
        if outcome.done:
            self._raise_failure()
        elif self._task is not None:
            await outlived(self._task)
            self._raise_failure()
        else:
            self._task = asyncio.current_task()
            try:
                outcome.reply = await self._handler(self._call)
            except asyncio.CancelledError:
                outcome.cancelled = True
                raise
            except MeshError as error:
                outcome.error = error
                raise
            finally:
                outcome.finish()
        return as_message(self._call.method, outcome.reply)


class StreamUnaryCall(MeshCall, aio.StreamUnaryCall[Any, Any]):
    """A stream of requests, one response; begins at once, as it must to take requests."""

    def __init__(self, handler: Handler, call: Call, requests: Requests | None) -> None:
        super().__init__(handler, call)
        self._outbox = Outbox(self._outcome, requests)
        call.requests = aiter(self._outbox.pipe)
        self._outbox.feed(self.start())

    def __await__(self) -> Generator[Any, None, Any]:
        """The response, or the MeshError."""
        return self._response().__await__()

    async def _response(self) -> Message:
        await outlived(self.start())
        self._outbox.raise_fault()
        self._raise_failure()
        return as_message(self._call.method, self._outcome.reply)

    async def write(self, request: Message) -> None:
        """Sends one request; waits while the callee is behind."""
        await self._outbox.write(request)

    async def done_writing(self) -> None:
        """Says that no more requests will come."""
        self._outbox.pipe.end()


def as_message(method: Method, reply: Reply) -> Message:
    """A response as its caller gets it."""
    return method.response_type.FromString(reply) if isinstance(reply, bytes) else reply


async def outlived(task: asyncio.Task[None]) -> None:
    """Waits for a call's task; whoever is cancelled while waiting takes the call along, as grpc.aio has it."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        raise
