"""The transport in process: no socket, and yet nothing of one end can be touched by the other.

Messages are copied, errors cross without their stacks, and the callee runs in a task of its own. So a callee that holds
on to its request, changes its answer later, sets context variables or will not be cancelled is nothing to its caller.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial

from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_CANCELLED,
    ERROR_REASON_DRAINING,
    ERROR_REASON_MESSAGE_TOO_LARGE,
    ERROR_REASON_METHOD_UNKNOWN,
)

from mesh.call import Call, Handler, Metadatum, Reply, Side
from mesh.contract import Method
from mesh.layers.deadline import out_of_time
from mesh.status import CancelledCallError, MeshError, ResourceExhaustedError, UnavailableError, UnimplementedError
from mesh.transport.expiry import Expiry

MESSAGE_LIMIT = 4 * 1024 * 1024
"""Bytes of one message, the default of gRPC, so that what works in process works over the wire."""

_TOO_QUICK_S = 25e-6
"""A copy that took less can't have been over the limit, for no memory moves 160 GB a second; sizing costs a copy."""


class LocalTransport:
    """The way to an entrypoint in this process.

    Args:
        handlers: the entrypoint's methods by path.
        caller: the service that calls; the callee sees it as its peer.
        service: the service that is called.
    """

    kind = "in_process"

    def __init__(self, handlers: Mapping[str, tuple[Method, Handler]], *, caller: str, service: str) -> None:
        self._handlers = handlers
        self._caller = caller
        self._service = service
        self._closed = False
        self._running: dict[Call, asyncio.Task[None]] = {}
        self._expiry = Expiry()

    def connect(self, method: Method) -> Handler:
        """The handler that carries a call over to the entrypoint's own."""
        found = self._handlers.get(method.path)
        if found is None:
            return _unknown
        handler = found[1]

        async def carry(call: Call) -> Reply:
            if self._closed:
                raise UnavailableError(
                    ERROR_REASON_DRAINING,
                    f"{self._service} is finishing what runs",
                    metadata={"service": self._service},
                )
            _check_size(len(call.request))
            served = Call(
                method,
                Side.SERVER,
                peer=self._caller,
                deadline=call.deadline,
                metadata=call.metadata,
                request=call.request,
                requests=call.requests,
                initial=call.initial,
            )
            if method.server_streaming:
                _as_on_the_wire(call, served)
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[Reply] = loop.create_future()
            task = loop.create_task(self._serve(handler, served, answer))
            self._running[served] = task
            if served.deadline is not None:
                self._expiry.add(served, served.deadline, partial(_expire, served, answer, task))
            try:
                return await answer
            except asyncio.CancelledError:
                task.cancel()
                raise
            finally:
                self._expiry.drop(served)
                call.response_time_s = served.response_time_s
                if served.trailing:
                    call.trailing.extend(served.trailing)

        return carry

    async def _serve(self, handler: Handler, call: Call, answer: asyncio.Future[Reply]) -> None:
        """Runs the callee and hands over what came of it, unless the caller has stopped waiting."""
        try:
            reply = isolated(await handler(call))
        except asyncio.CancelledError:
            if not answer.done():
                answer.set_exception(CancelledCallError(ERROR_REASON_CANCELLED, "the callee gave the call up"))
        except MeshError as error:
            if not answer.done():
                answer.set_exception(error.detached())
        else:
            if not answer.done():
                answer.set_result(reply)
        finally:
            del self._running[call]

    async def aclose(self) -> None:
        """Takes no more calls and gives up those that run."""
        self._closed = True
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        self._expiry.close()


async def _unknown(call: Call) -> Reply:
    raise UnimplementedError(ERROR_REASON_METHOD_UNKNOWN, "Method not found!", metadata={"method": call.method.path})


def _expire(call: Call, answer: asyncio.Future[Reply], task: asyncio.Task[None]) -> None:
    """Tells the caller on time, whatever the callee makes of its cancellation."""
    if not answer.done():
        answer.set_exception(out_of_time(call))
    task.cancel()


def isolated(reply: Reply) -> Reply:
    """A response that shares nothing with the callee's.

    Raises:
        ResourceExhaustedError: it is over MESSAGE_LIMIT.
    """
    if isinstance(reply, bytes):
        _check_size(len(reply))
        return reply
    started = time.perf_counter()
    copy = type(reply)()
    copy.CopyFrom(reply)
    if time.perf_counter() - started > _TOO_QUICK_S:
        _check_size(copy.ByteSize())
    return copy


def _check_size(size: int) -> None:
    """Refuses what the wire would refuse.

    Raises:
        ResourceExhaustedError: the message is over MESSAGE_LIMIT.
    """
    if size > MESSAGE_LIMIT:
        raise ResourceExhaustedError(
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
