"""Lets in who may call, and nobody else, on every transport; by the identity that the transport vouches for."""

from collections.abc import Awaitable

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_BOUND, ERROR_REASON_NOT_PROVEN

from mesh.call import Call, Handler, Layer, Reply
from mesh.config.manifest import DEFAULT_ENTRYPOINT
from mesh.config.permissions import Door
from mesh.contract import Method
from mesh.status import MeshError, PermissionDeniedError, UnauthenticatedError


def admission(service: str, entrypoint: str, door: Door) -> Layer:
    """Refuses every call that the manifests do not allow.

    It acts before the call alone, so it hands on what carries it, and costs no coroutine of its own.

    Args:
        service: the service that is called.
        entrypoint: its entrypoint.
        door: who may call it.
    """
    callers, public = door.callers, door.public

    def layer(_: Method, inner: Handler) -> Handler:
        def admitted(call: Call) -> Awaitable[Reply]:
            if (public and not call.caller) or call.caller in callers or call.operator:
                return inner(call)
            call.note("refused", f"{call.caller or 'people'} may not call {entrypoint}")
            raise _refusal(call.caller, service, entrypoint)

        return admitted

    return layer


def _refusal(caller: str, service: str, entrypoint: str) -> MeshError:
    metadata = {"caller": caller, "service": service, "entrypoint": entrypoint}
    if caller:
        what = f"{caller} has no binding to {entrypoint} of {service}"
    elif entrypoint == DEFAULT_ENTRYPOINT:
        what = f"{service} is not open to people: the address book does not call it public"
    else:
        what = f"{entrypoint} of {service} is for operators; show an operator's token or certificate"
        return UnauthenticatedError(ERROR_REASON_NOT_PROVEN, what, metadata=metadata)
    return PermissionDeniedError(ERROR_REASON_NOT_BOUND, what, metadata=metadata)
