"""Turns calls away before they queue up: of a caller that makes too many, and where there is no place for them."""

from collections.abc import Awaitable

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_OVERLOADED, ERROR_REASON_RATE_LIMITED

from mesh.call import Call, Handler, Layer, Reply
from mesh.config.entrypoint_settings import EntrypointSettings
from mesh.contract import Method
from mesh.gate import Gate
from mesh.rate_limit import RateLimit
from mesh.runtime import Runtime
from mesh.status import ResourceExhaustedError


def rating(runtime: Runtime, settings: EntrypointSettings) -> Layer:
    """Each caller makes no more calls than it may; one that nobody limits costs nothing."""
    if not settings.rate_per_s:
        return lambda _, inner: inner
    limit = RateLimit(per_s=settings.rate_per_s, burst=settings.burst, clock=runtime.clock)

    def layer(_: Method, inner: Handler) -> Handler:
        def rated(call: Call) -> Awaitable[Reply]:
            caller = call.caller
            wait_s = limit.take(caller)
            if wait_s > 0:
                call.note("shed", f"{caller or 'people'} may make {settings.rate_per_s:g} calls a second")
                raise ResourceExhaustedError(
                    ERROR_REASON_RATE_LIMITED,
                    f"{caller or 'people'} may make {settings.rate_per_s:g} calls a second here, and made more",
                    retry_after_s=wait_s,
                    metadata={"caller": caller, "service": runtime.service},
                )
            return inner(call)

        return rated

    return layer


def limiting(runtime: Runtime, settings: EntrypointSettings) -> Layer:
    """No more calls run at once than the entrypoint has places for, and few wait; work gives way to people's."""
    unary, streams = _gate(settings), _gate(settings)

    def layer(method: Method, inner: Handler) -> Handler:
        # A stream may last for hours; it must not take the place of calls that last for milliseconds.
        gate = streams if method.server_streaming or method.client_streaming else unary
        meet = runtime.turns.company.meet

        async def limited(call: Call) -> Reply:
            batch = call.trace is not None and call.trace.batch
            if not batch:
                meet()
            if not gate.enter(batch=batch) and (against := await gate.wait(batch=batch)):
                call.note("shed", against)
                raise ResourceExhaustedError(
                    ERROR_REASON_OVERLOADED,
                    f"{runtime.service} has as much to do as it can; try again later",
                    retry_after_s=settings.queue_ms / 1000,
                    metadata={"service": runtime.service},
                )
            try:
                return await inner(call)
            finally:
                gate.leave()

        return limited

    return layer


def _gate(settings: EntrypointSettings) -> Gate:
    return Gate(
        limit=settings.max_concurrent,
        queue=settings.queue,
        wait_s=settings.queue_ms / 1000,
        batch_share=settings.batch_share,
    )
