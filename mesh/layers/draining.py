"""Lets calls from outside in through the service's entrance, which is closed when the service ends."""

from collections.abc import Awaitable

from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.runtime import Runtime


def draining(runtime: Runtime) -> Layer:
    """Refuses what comes too late, and knows what runs; calls in process pass by."""
    service, entrance = runtime.service, runtime.entrance

    def layer(_: Method, inner: Handler) -> Handler:
        def admitted(call: Call) -> Awaitable[Reply]:
            return inner(call) if call.local else entrance.carry(call, inner, service)

        return admitted

    return layer
