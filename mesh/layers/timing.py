"""Times and counts every call, on both sides; the times go to the caller in trailing metadata."""

import time
from collections.abc import Iterator

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_CANCELLED

from mesh.call import CURRENT, Call, Handler, Layer, Metadatum, Reply
from mesh.contract import Method
from mesh.stats import Stats
from mesh.status import CancelledCallError, MeshError

RESPONSE_TIME_KEY = "x-response-time"
"""Milliseconds that the whole answer took, as the answering service saw it."""

BINDING_TIME_KEY = "x-service-binding-time"
"""Milliseconds of the call, as its caller saw it; in an answer to the outside, of all calls that the answer needed."""

_GONE = CancelledCallError(ERROR_REASON_CANCELLED, "the caller went away")
"""How a call that never ended is counted."""


def server_timing(stats: Stats) -> Layer:
    """Times and counts a call that is answered."""

    def layer(method: Method, inner: Handler) -> Handler:
        series = stats.served(method.path)

        async def timed(call: Call) -> Reply:
            started = time.perf_counter()
            series.active += 1
            error: MeshError | None = _GONE
            try:
                reply = await inner(call)
                error = None
            except MeshError as failure:
                error = failure
                raise
            else:
                return reply
            finally:
                call.response_time_s = elapsed = time.perf_counter() - started
                series.ended(elapsed, error)

        return timed

    return layer


def client_timing(stats: Stats, binding: str, service: str) -> Layer:
    """Times and counts a call through a binding, and adds its time to that of the call being answered."""

    def layer(method: Method, inner: Handler) -> Handler:
        series = stats.called(binding, service, method.path)

        async def timed(call: Call) -> Reply:
            started = time.perf_counter()
            series.active += 1
            error: MeshError | None = _GONE
            try:
                reply = await inner(call)
                error = None
            except MeshError as failure:
                error = failure
                raise
            else:
                return reply
            finally:
                call.binding_time_s = elapsed = time.perf_counter() - started
                series.ended(elapsed, error)
                answered = CURRENT.get()
                if answered is not None:
                    answered.binding_time_s += elapsed

        return timed

    return layer


def times(call: Call) -> Iterator[Metadatum]:
    """The times of an ended call as trailing metadata; written out only where somebody reads them."""
    if call.response_time_s:
        yield RESPONSE_TIME_KEY, f"{call.response_time_s * 1000:.3f}"
    if call.binding_time_s:
        yield BINDING_TIME_KEY, f"{call.binding_time_s * 1000:.3f}"


def take_times(call: Call, trailing: Iterator[Metadatum]) -> Iterator[Metadatum]:
    """Puts the callee's time onto the call, and gives back the rest; each hop tells of its own calls alone."""
    for key, value in trailing:
        if key == RESPONSE_TIME_KEY and isinstance(value, str):
            call.response_time_s = float(value) / 1000
        elif key != BINDING_TIME_KEY:
            yield key, value
