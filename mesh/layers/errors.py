"""Turns every exception that nobody foresaw into INTERNAL with an id, and logs its stack under that id."""

import uuid

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL, ERROR_REASON_NOT_BUILT

from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.status import InternalError, MeshError, UnimplementedError

_log = structlog.get_logger("mesh.errors")


def errors(service: str) -> Layer:
    """Lets MeshErrors and cancellation pass, and hides everything else behind an id."""

    def layer(method: Method, inner: Handler) -> Handler:
        async def guarded(call: Call) -> Reply:
            try:
                return await inner(call)
            except MeshError:
                raise
            except NotImplementedError:
                # A generated servicer raises this for a method that its entrypoint leaves out.
                raise UnimplementedError(
                    ERROR_REASON_NOT_BUILT,
                    f"{method.name} is in the contract of {service} but not built yet",
                    metadata={"method": method.name},
                ) from None
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
