"""Refuses calls to a callee that keeps failing: one breaker for each binding and method of a service."""

import asyncio
import time

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_CIRCUIT_OPEN

from mesh.breaker import Breaker, BreakerState, Event, Refusal
from mesh.call import CURRENT, Call, Handler, Layer, Reply
from mesh.config.binding_settings import BindingSettings
from mesh.contract import Method
from mesh.runtime import Runtime
from mesh.status import MeshError, Outcome, UnavailableError, classify

_log = structlog.get_logger("mesh.breaking")

_CLOSED = BreakerState.CLOSED
_NEUTRAL, _SUCCESS, _FAILURE = Outcome.NEUTRAL, Outcome.SUCCESS, Outcome.FAILURE  # looked up once: each call needs them


def breaking(runtime: Runtime, binding: str, settings: BindingSettings) -> Layer:
    """Asks the breaker before each call, and tells it the classified outcome after."""
    clock = runtime.clock

    def layer(method: Method, inner: Handler) -> Handler:
        def tell(event: Event) -> None:
            log = _log.info if event.new is BreakerState.CLOSED else _log.warning
            log(
                # A person may also set a breaker to what it is, so that it forgets what it counted.
                "breaker_moved" if event.new is not event.old or event.why == "hand" else "breaker_would_open",
                binding=binding,
                method=method.name,
                old=event.old.value,
                new=event.new.value,
                why=event.why,
            )

        breaker = Breaker(settings.of(method.name).breaker, clock, runtime.chance, tell)
        runtime.breakers.add(binding, method.name, breaker)
        timed = breaker.times_calls

        async def guarded(call: Call) -> Reply:
            permit = breaker.acquire()
            if breaker.state is not _CLOSED:
                call.breaker = breaker.state.value
            if isinstance(permit, Refusal):
                call.note("refused", f"the breaker is {breaker.state.value}")
                raise _refused(binding, method, permit, breaker.state)
            outcome, started = _NEUTRAL, clock() if timed else 0.0
            try:
                reply = await inner(call)
                outcome = _SUCCESS
            except MeshError as error:
                outcome = classify(error)
                raise
            except asyncio.CancelledError:
                outcome = _of_cancelled()
                raise
            except Exception:
                # The way to the callee broke in a manner that nobody foresaw: that is no sign of its health.
                outcome = _FAILURE
                raise
            else:
                return reply
            finally:
                # A call whose caller just went away leaves NEUTRAL behind, and a probe's place free.
                breaker.release(permit, outcome, clock() - started if timed else 0.0)

        return guarded

    return layer


def _of_cancelled() -> Outcome:
    """What a cancelled call says of its callee: it was too slow, if the time of whoever waited for it is over."""
    answered = CURRENT.get()
    is_late = answered is not None and answered.deadline is not None and time.monotonic() >= answered.deadline
    return _FAILURE if is_late else _NEUTRAL


def _refused(binding: str, method: Method, refusal: Refusal, state: BreakerState) -> UnavailableError:
    why = "is held open by an operator" if state is BreakerState.FORCED_OPEN else "has failed too often lately"
    return UnavailableError(
        ERROR_REASON_CIRCUIT_OPEN,
        f"{binding} {why}, so {method.name} was not called",
        retry_after_s=refusal.retry_after_s,
        metadata={"binding": binding, "method": method.name, "state": state.value},
    )
