"""Gives every call a deadline, hands on what is left of it, and tells running out of time from being abandoned."""

import asyncio
import time

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DEADLINE_EXCEEDED

from mesh.call import CURRENT, Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.status import DeadlineExceededError


def client_deadline(default_s: float) -> Layer:
    """The earliest of what the caller asked for, what is left of the call being answered, and the binding's default.

    A caller that asked for a time of its own is taken at its word; the default is for those that did not. A call that
    answers a call with a deadline never outlives it.
    """

    def layer(_: Method, inner: Handler) -> Handler:
        async def limited(call: Call) -> Reply:
            now = time.monotonic()
            if call.deadline is None:
                call.deadline = now + default_s
            answered = CURRENT.get()
            if answered is not None and answered.deadline is not None and answered.deadline < call.deadline:
                call.deadline = answered.deadline
            if call.deadline <= now:
                raise out_of_time(call)
            return await inner(call)

        return limited

    return layer


def server_deadline() -> Layer:
    """Raises DeadlineExceededError where the cancellation that arrives is that of a deadline."""

    def layer(_: Method, inner: Handler) -> Handler:
        async def watched(call: Call) -> Reply:
            try:
                return await inner(call)
            except asyncio.CancelledError:
                # gRPC cancels a call that is out of time just as one whose caller has gone.
                if call.deadline is not None and time.monotonic() >= call.deadline:
                    raise out_of_time(call) from None
                raise

        return watched

    return layer


def out_of_time(call: Call) -> DeadlineExceededError:
    """The error of a call whose time is over."""
    where = call.binding or call.method.service
    return DeadlineExceededError(
        ERROR_REASON_DEADLINE_EXCEEDED,
        f"{call.method.name} took longer than its caller had time",
        metadata={"binding": where, "method": call.method.name},
    )
