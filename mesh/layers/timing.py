"""Times and counts every call, on both sides, and tells the caller in trailing metadata."""

import time

from mesh.call import CURRENT, Call, Handler, Layer
from mesh.contract import Method
from mesh.stats import Stats
from mesh.status import MeshError, error_of

RESPONSE_TIME_KEY = "x-response-time"
"""Milliseconds that the whole answer took, as the answering service saw it."""

BINDING_TIME_KEY = "x-service-binding-time"
"""Milliseconds: of this call, as its caller saw it; in an answer from outside, of all calls that the answer needed."""


def _cancelled(error: BaseException) -> MeshError:
    """How a call that never ended is counted: its caller went away."""
    from grpc import StatusCode  # noqa: PLC0415

    return error_of(StatusCode.CANCELLED, "CANCELLED", str(error))


def server_timing(stats: Stats) -> Layer:
    """Counts a served call and adds `x-response-time`, and `x-service-binding-time` if it made calls itself."""

    def layer(method: Method, inner: Handler) -> Handler:
        series = stats.served(method.path)

        async def timed(call: Call) -> bytes:
            started = time.perf_counter()
            series.active += 1
            error: MeshError | None = None
            try:
                return await inner(call)
            except MeshError as failure:
                error = failure
                raise
            except BaseException as failure:
                error = _cancelled(failure)
                raise
            finally:
                elapsed = time.perf_counter() - started
                series.active -= 1
                series.ended(elapsed, error)
                call.trailing.append((RESPONSE_TIME_KEY, f"{elapsed * 1000:.3f}"))
                if call.binding_time_s:
                    call.trailing.append((BINDING_TIME_KEY, f"{call.binding_time_s * 1000:.3f}"))

        return timed

    return layer


def client_timing(stats: Stats, binding: str, service: str) -> Layer:
    """Counts a call through a binding and puts its time, as the caller saw it, into its trailing metadata."""

    def layer(method: Method, inner: Handler) -> Handler:
        series = stats.called(binding, service, method.path)

        async def timed(call: Call) -> bytes:
            started = time.perf_counter()
            series.active += 1
            error: MeshError | None = None
            try:
                return await inner(call)
            except MeshError as failure:
                error = failure
                raise
            except BaseException as failure:
                error = _cancelled(failure)
                raise
            finally:
                elapsed = time.perf_counter() - started
                series.active -= 1
                series.ended(elapsed, error)
                _tell(call, elapsed)

        return timed

    return layer


def _tell(call: Call, elapsed: float) -> None:
    """Replaces what the callee said of its own calls: each hop reports what it saw, not what it was told."""
    for place, (key, _) in enumerate(call.trailing):
        if key == BINDING_TIME_KEY:
            del call.trailing[place]
            break
    call.trailing.append((BINDING_TIME_KEY, f"{elapsed * 1000:.3f}"))
    answered = CURRENT.get()
    if answered is not None:
        answered.binding_time_s += elapsed
