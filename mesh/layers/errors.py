"""Gives every ending its status: running out of time is told from being abandoned, and what nobody foresaw is hidden.

An unforeseen exception is INTERNAL with an id, under which the log has its stack.
"""

import asyncio
import time
import uuid

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL

from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.layers.deadline import out_of_time
from mesh.status import InternalError, MeshError

_log = structlog.get_logger("mesh.errors")


def errors(service: str) -> Layer:
    """Lets MeshErrors pass, and a cancellation that is no deadline's; hides everything else behind an id."""

    def layer(method: Method, inner: Handler) -> Handler:
        async def guarded(call: Call) -> Reply:
            try:
                return await inner(call)
            except MeshError:
                raise
            except asyncio.CancelledError:
                # A call that is out of time is cancelled just as one whose caller has gone.
                if call.deadline is not None and time.monotonic() >= call.deadline:
                    raise out_of_time(call) from None
                raise
            except Exception as unforeseen:
                error_id = uuid.uuid4().hex
                call.note("broke", f"{type(unforeseen).__name__}; the log has its stack under {error_id}")
                _log.exception("call_broke", service=service, method=method.path, error_id=error_id)
                raise InternalError(
                    ERROR_REASON_INTERNAL,
                    f"something broke inside {service}; the log has it under {error_id}",
                    metadata={"error_id": error_id},
                ) from unforeseen

        return guarded

    return layer
