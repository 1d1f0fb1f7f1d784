"""Refuses calls to a callee that keeps failing: one breaker for each binding and method of a service."""

import random
from collections.abc import Iterable

import structlog
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_CIRCUIT_OPEN

from mesh.breaker import Breaker, BreakerState, Event, Refusal
from mesh.breaker_settings import BreakerSettings
from mesh.call import Call, Clock, Handler, Layer, Reply
from mesh.contract import Method
from mesh.status import MeshError, Outcome, UnavailableError, classify

_log = structlog.get_logger("mesh.breaking")

_NEUTRAL, _SUCCESS, _FAILURE = Outcome.NEUTRAL, Outcome.SUCCESS, Outcome.FAILURE  # looked up once: each call needs them


class Breakers:
    """The breakers of one calling service, by "BINDING/Method"."""

    def __init__(self) -> None:
        self._all: dict[str, Breaker] = {}

    def add(self, binding: str, method: str, breaker: Breaker) -> None:
        """Makes a breaker known under its name."""
        self._all[f"{binding}/{method}"] = breaker

    def items(self) -> Iterable[tuple[str, Breaker]]:
        """Names and breakers, by name."""
        return sorted(self._all.items())

    def matching(self, name: str) -> dict[str, Breaker]:
        """The breakers that a name fits: "BINDING/Method", or "BINDING/*" for all of a binding."""
        if name.endswith("/*"):
            return {key: found for key, found in self._all.items() if key.startswith(name[:-1])}
        return {name: self._all[name]} if name in self._all else {}


def breaking(breakers: Breakers, binding: str, settings: BreakerSettings, clock: Clock) -> Layer:
    """Asks the breaker before each call, and tells it the classified outcome after."""

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

        breaker = Breaker(settings, clock, random.random, tell)
        breakers.add(binding, method.name, breaker)
        timed = breaker.times_calls

        async def guarded(call: Call) -> Reply:
            permit = breaker.acquire()
            if isinstance(permit, Refusal):
                raise _refused(binding, method, permit, breaker.state)
            outcome, started = _NEUTRAL, clock() if timed else 0.0
            try:
                reply = await inner(call)
                outcome = _SUCCESS
            except MeshError as error:
                outcome = classify(error)
                raise
            except Exception:
                # The way to the callee broke in a manner that nobody foresaw: that is no sign of its health.
                outcome = _FAILURE
                raise
            else:
                return reply
            finally:
                # A cancelled call leaves NEUTRAL behind, and a probe's place free.
                breaker.release(permit, outcome, clock() - started if timed else 0.0)

        return guarded

    return layer


def _refused(binding: str, method: Method, refusal: Refusal, state: BreakerState) -> UnavailableError:
    why = "is held open by an operator" if state is BreakerState.FORCED_OPEN else "has failed too often lately"
    return UnavailableError(
        ERROR_REASON_CIRCUIT_OPEN,
        f"{binding} {why}, so {method.name} was not called",
        retry_after_s=refusal.retry_after_s,
        metadata={"binding": binding, "method": method.name, "state": state.value},
    )
