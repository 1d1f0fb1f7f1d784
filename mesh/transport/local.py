"""The transport in process: no socket, and yet nothing of one end can be touched by the other.

Messages are copied, errors cross without their stacks, and the callee runs in a task of its own. So a callee that holds
on to its request, changes its answer later, sets context variables or will not be cancelled is nothing to its caller.
"""

import asyncio
import time
import types
from collections.abc import Generator, Mapping, Sequence
from functools import partial

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CANCELLED,
    ERROR_REASON_DRAINING,
    ERROR_REASON_MESSAGE_TOO_LARGE,
    ERROR_REASON_METHOD_UNKNOWN,
)

from mesh.call import Call, Handler, Metadatum, Reply, Side
from mesh.config.props import NO_PROPS, Props
from mesh.contract import Method
from mesh.layers.deadline import out_of_time
from mesh.status import CancelledCallError, MeshError, ResourceExhaustedError, UnavailableError, UnimplementedError
from mesh.transport.expiry import Expiry

MESSAGE_LIMIT = 4 * 1024 * 1024
"""Bytes of one message, the default of gRPC, so that what works in process works over the wire."""

_TOO_QUICK_S = 50e-6
"""A copy that took less can't have been over the limit, for no core moves 80 GB a second; sizing costs a copy."""

_SERVER = Side.SERVER


class LocalTransport:
    """The way to an entrypoint in this process.

    Args:
        handlers: the entrypoint's methods by path.
        caller: the service that calls; the callee sees it as its peer.
        service: the service that is called.
        props: what the caller's manifest says of it to the callee.
    """

    kind = "in_process"

    def __init__(
        self, handlers: Mapping[str, tuple[Method, Handler]], *, caller: str, service: str, props: Props = NO_PROPS
    ) -> None:
        self._handlers = handlers
        self._caller = caller
        self._service = service
        self._props = props
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[_Answer, asyncio.Task[None]] = {}
        self._expiry = Expiry()

    def connect(self, method: Method) -> Handler:
        """The handler that carries a call over to the entrypoint's own."""
        found = self._handlers.get(method.path)
        if found is None:
            return _unknown
        handler = found[1]

        async def carry(call: Call) -> Reply:
            if self._closed:
                raise self._ending("takes no new calls")
            if len(call.request) > MESSAGE_LIMIT:
                raise _too_large(len(call.request))
            loop = self._loop
            if loop is None:
                # Kept, for to ask which one runs is to ask the system.
                loop = self._loop = asyncio.get_running_loop()
            served = _served(call, self._caller, self._props)
            answer = _Answer()
            task = loop.create_task(self._serve(handler, served, answer), name=method.path)
            self._running[answer] = task
            try:
                # The callee runs until it waits for something. Most have answered by then: that spares a timer, a
                # future, and a second turn of the loop.
                await _turn()
                if not answer.given:
                    await self._wait(served, answer, task)
            except asyncio.CancelledError:
                task.cancel()
                raise
            finally:
                call.response_time_s = served.response_time_s
                if served.trailing:
                    call.trailing.extend(served.trailing)
            if answer.error is not None:
                raise answer.error
            return answer.reply

        return carry

    async def _wait(self, served: Call, answer: "_Answer", task: asyncio.Task[None]) -> None:
        """Waits for the answer, but no longer than the call has time."""
        answer.waiter = task.get_loop().create_future()
        if served.deadline is not None:
            self._expiry.add(served, served.deadline, partial(_expire, served, answer, task))
        try:
            await answer.waiter
        finally:
            self._expiry.drop(served)

    async def _serve(self, handler: Handler, call: Call, answer: "_Answer") -> None:
        """Runs the callee and hands over what came of it, unless the caller has stopped waiting."""
        try:
            answer.give(isolated(await handler(call)), None)
        except asyncio.CancelledError:
            answer.give(b"", _given_up())
        except MeshError as error:
            answer.give(b"", error.detached())
        finally:
            del self._running[answer]

    async def aclose(self) -> None:
        """Takes no more calls and gives up those that run; they end as they would over the wire."""
        self._closed = True
        running = dict(self._running)
        for answer, task in running.items():
            answer.give(b"", self._ending("could not wait for this call any longer"))
            task.cancel()
        if running:
            await asyncio.wait(running.values())
        for answer in running:
            # A task that is cancelled before its first step never gets to take itself off.
            self._running.pop(answer, None)
        self._expiry.close()

    def _ending(self, what: str) -> UnavailableError:
        message = f"{self._service} is ending and {what}"
        return UnavailableError(ERROR_REASON_DRAINING, message, metadata={"service": self._service})


class _Answer:
    """What came of a callee: the first that is given counts, for a caller out of time has stopped waiting."""

    __slots__ = ("error", "given", "reply", "waiter")

    def __init__(self) -> None:
        self.given = False
        self.reply: Reply = b""
        self.error: MeshError | None = None
        self.waiter: asyncio.Future[None] | None = None

    def give(self, reply: Reply, error: MeshError | None) -> None:
        """Hands it over."""
        if self.given:
            return
        self.given, self.reply, self.error = True, reply, error
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


@types.coroutine
def _turn() -> Generator[None, None, None]:
    """Lets run what is ready, once."""
    yield


def _served(call: Call, caller: str, props: Props) -> Call:
    """The callee's side of a call. Filled in after it is made, for a class that is called with keywords costs more."""
    served = Call(call.method, _SERVER)
    served.local = True
    served.caller = caller
    served.props = props
    served.deadline = call.deadline
    served.metadata = call.metadata
    served.trace = call.trace
    served.attempt = call.attempt
    served.request = call.request
    served.requests = call.requests
    served.initial = call.initial
    if call.method.server_streaming:
        _as_on_the_wire(call, served)
    return served


def _given_up() -> CancelledCallError:
    return CancelledCallError(ERROR_REASON_CANCELLED, "the callee gave the call up")


async def _unknown(call: Call) -> Reply:
    raise UnimplementedError(ERROR_REASON_METHOD_UNKNOWN, "Method not found!", metadata={"method": call.method.path})


def _expire(call: Call, answer: _Answer, task: asyncio.Task[None]) -> None:
    """Tells the caller on time, whatever the callee makes of its cancellation."""
    answer.give(b"", out_of_time(call))
    task.cancel()


def isolated(reply: Reply) -> Reply:
    """A response that shares nothing with the callee's.

    Raises:
        ResourceExhaustedError: it is over MESSAGE_LIMIT.
    """
    if isinstance(reply, bytes):
        if len(reply) > MESSAGE_LIMIT:
            raise _too_large(len(reply))
        return reply
    started = time.perf_counter()
    copy = type(reply)()
    copy.CopyFrom(reply)
    if time.perf_counter() - started > _TOO_QUICK_S and (size := copy.ByteSize()) > MESSAGE_LIMIT:
        raise _too_large(size)
    return copy


def _too_large(size: int) -> ResourceExhaustedError:
    """What the wire would refuse is refused."""
    return ResourceExhaustedError(
        ERROR_REASON_MESSAGE_TOO_LARGE,
        f"a message of {size} bytes is larger than the limit of {MESSAGE_LIMIT}",
        metadata={"limit": str(MESSAGE_LIMIT)},
    )


def _as_on_the_wire(call: Call, served: Call) -> None:
    """Lets a stream do what it could do over the wire: no message over the limit, no initial metadata after one."""
    sent = False

    async def send(reply: Reply) -> None:
        nonlocal sent
        sent = True
        if call.send is not None:
            await call.send(isolated(reply))

    async def initial(metadata: Sequence[Metadatum]) -> None:
        if sent:
            raise RuntimeError("initial metadata goes before the first response")
        if call.initial is not None:
            await call.initial(metadata)

    served.send, served.initial = send, initial
