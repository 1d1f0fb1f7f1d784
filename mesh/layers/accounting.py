"""One account of every call, on both sides: its time, its count in the stats, its record in the journal.

They are one layer, for each needs the same two moments, and a layer costs every call of the mesh.
"""

import time
from collections.abc import Callable

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_CANCELLED

from mesh.call import CACHE_KEY, CURRENT, Call, Handler, Layer, Reply, Side
from mesh.contract import Method
from mesh.journal import Record
from mesh.runtime import Runtime
from mesh.status import CancelledCallError, Hop, MeshError
from mesh.trace import Trace

_GONE = CancelledCallError(ERROR_REASON_CANCELLED, "the caller went away")
"""How a call that never ended is counted."""


def client_accounting(runtime: Runtime, binding: str, service: str, entrypoint: str) -> Layer:
    """Times, counts and writes down each call through a binding, and adds its time to that of the call being answered.

    Args:
        runtime: the calling service's.
        binding: the binding's name.
        service: the service that is called.
        entrypoint: its entrypoint.
    """

    def layer(method: Method, inner: Handler) -> Handler:
        series, write = runtime.stats.called(binding, service, method.path), runtime.journal.add
        record, caller = _recorder(Side.CLIENT, binding, service, entrypoint, method.path), runtime.service

        async def accounted(call: Call) -> Reply:
            started = time.perf_counter()
            series.active += 1
            error: MeshError | None = _GONE
            reply: Reply = b""
            try:
                reply = await inner(call)
                error = None
            except MeshError as failure:
                error = failure
                error.trace_id = "" if call.trace is None else call.trace.trace_hex
                error.trail = (_hop(call, runtime.service, service, entrypoint, error), *error.trail)
                raise
            else:
                return reply
            finally:
                call.binding_time_s = elapsed = time.perf_counter() - started
                series.ended(elapsed, error)
                answered = CURRENT.get()
                if answered is not None:
                    answered.binding_time_s += elapsed
                if call.trace is not None:
                    received = len(reply) if type(reply) is bytes else 0
                    write(record(call, call.trace, caller, error, elapsed, received))

        return accounted

    return layer


def server_accounting(runtime: Runtime, entrypoint: str) -> Layer:
    """Times and counts each call that is answered.

    It writes down those of people, whom no binding writes down, and those that were answered in another way.
    """
    service = runtime.service

    def layer(method: Method, inner: Handler) -> Handler:
        series, write = runtime.stats.served(method.path), runtime.journal.add
        record = _recorder(Side.SERVER, "", service, entrypoint, method.path)

        async def accounted(call: Call) -> Reply:
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
                trace = call.trace
                if trace is not None and (call.notes or not call.caller):
                    write(record(call, trace, call.caller, error, elapsed, 0))

        return accounted

    return layer


def _hop(call: Call, caller: str, service: str, entrypoint: str, error: MeshError) -> Hop:
    return Hop(
        caller=caller,
        binding=call.binding,
        service=service,
        entrypoint=entrypoint,
        method=call.method.name,
        attempts=call.attempt,
        breaker=call.breaker,
        code=error.code.name,
        reason=error.reason,
    )


def _recorder(
    side: Side, binding: str, service: str, entrypoint: str, path: str
) -> Callable[[Call, Trace, str, MeshError | None, float, int], Record]:
    """What makes the records of one method, of a call, its trace, caller, end, seconds, and bytes of the answer."""

    def record(
        call: Call, trace: Trace, caller: str, error: MeshError | None, elapsed_s: float, received: int
    ) -> Record:
        return tuple.__new__(  # half the time of calling the class, and each call comes here
            Record,
            (
                time.time(),
                trace,
                side,
                caller,
                binding,
                service,
                entrypoint,
                path,
                "OK" if error is None else error.code.name,
                "" if error is None else error.reason,
                elapsed_s,
                call.attempt,
                call.breaker,
                _tier(call) if call.trailing else "",
                len(call.request),
                received,
                tuple(call.notes) if call.notes else (),
            ),
        )

    return record


def _tier(call: Call) -> str:
    """The cache tier that the callee named; empty when it named none."""
    for key, value in call.trailing:
        if key == CACHE_KEY and isinstance(value, str):
            return value.partition(";")[0]
    return ""
