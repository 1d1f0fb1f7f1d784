"""Refuses calls to a callee that keeps failing: one breaker for each binding and method of a service."""

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_CIRCUIT_OPEN

from mesh.binding_settings import BindingSettings
from mesh.breaker import Breaker, BreakerState, Event, Refusal
from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.runtime import Runtime
from mesh.status import MeshError, Outcome, UnavailableError, classify

_log = structlog.get_logger("mesh.breaking")

_CLOSED = BreakerState.CLOSED
_NEUTRAL, _SUCCESS = Outcome.NEUTRAL, Outcome.SUCCESS  # looked up once: each call needs them


def breaking(runtime: Runtime, binding: str, settings: BindingSettings) -> Layer:
    """Asks the breaker before each call, and tells it the classified outcome after."""
    clock = runtime.clock

    def layer(method: Method, inner: Handler) -> Handler:
        def tell(event: Event) -> None:
            log = _log.info if event.new is BreakerState.CLOSED else _log.warning
            log(
                "breaker_moved" if event.new is not event.old else "breaker_would_open",
                binding=binding,
                method=method.name,
                old=event.old.value,
                new=event.new.value,
                why=event.why,
            )

        breaker = Breaker(settings.of(method.name).breaker, clock, runtime.chance, tell)
        runtime.breakers.add(binding, method.name, breaker)

        async def guarded(call: Call) -> Reply:
            permit = breaker.acquire()
            if breaker.state is not _CLOSED:
                call.breaker = breaker.state.value
            if isinstance(permit, Refusal):
                call.note("refused", f"the breaker is {breaker.state.value}")
                raise _refused(binding, method, permit, breaker.state)
            outcome, started = _NEUTRAL, clock()
            try:
                reply = await inner(call)
                outcome = _SUCCESS
            except MeshError as error:
                outcome = classify(error)
                raise
            else:
                return reply
            finally:
                # A cancelled call leaves NEUTRAL behind, and a probe's place free.
                breaker.release(permit, outcome, clock() - started)

        return guarded

    return layer


def _refused(binding: str, method: Method, refusal: Refusal, state: BreakerState) -> UnavailableError:
    return UnavailableError(
        ERROR_REASON_CIRCUIT_OPEN,
        f"{binding} has failed too often lately, so {method.name} was not called",
        retry_after_s=refusal.retry_after_s,
        metadata={"binding": binding, "method": method.name, "state": state.value},
    )
