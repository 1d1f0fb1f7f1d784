"""Tries again what may be tried again: where the contract says that twice is as good as once, and not too often.

The rules are those of gRPC's retry design (gRFC A6, https://github.com/grpc/proposal/blob/master/A6-client-retries.md),
with a budget in the place of its throttling.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc

from mesh.call import CURRENT, Call, Handler, Layer, Reply
from mesh.config.binding_settings import BindingSettings, RetrySettings
from mesh.contract import Idempotency, Method
from mesh.retry_budget import RetryBudget
from mesh.runtime import Runtime
from mesh.status import MeshError

PUSHBACK_KEY = "grpc-retry-pushback-ms"
"""Trailing metadata in which any gRPC server says how long to wait; a number below 0 asks for no further try (A6)."""

_CODES = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
"""What another try may mend: a callee that can't be reached, and one that gave the call up because it drains."""


def retrying(runtime: Runtime, settings: BindingSettings, budget: RetryBudget) -> Layer:
    """Tries again after a jittered pause, as long as there is time, budget and hope.

    Args:
        runtime: the calling service's.
        settings: how often, and after what pause.
        budget: the binding's.
    """

    def layer(method: Method, inner: Handler) -> Handler:
        retry = settings.of(method.name).retry
        if not may_repeat(method) or retry.attempts < 2:  # noqa: PLR2004 - one attempt is no second
            return inner

        async def retried(call: Call) -> Reply:
            budget.count()
            if call.send is not None:
                call.send = _watched(call, call.send)
            while True:
                try:
                    return await inner(call)
                except MeshError as error:
                    if error.code not in _CODES:
                        raise
                    pause_s = _pause_s(retry, call, error, runtime.chance)
                    against = _against(retry, call, error, pause_s) or _spent(budget, call)
                    if against:
                        call.note("not_retried", f"{error.reason}: {against}")
                        raise
                    call.note("retried", f"{error.reason} at attempt {call.attempt}; waited {pause_s * 1000:.0f} ms")
                await asyncio.sleep(pause_s)
                call.attempt += 1
                call.trailing.clear()

        return retried

    return layer


def _pause_s(retry: RetrySettings, call: Call, error: MeshError, chance: Callable[[], float]) -> float:
    """Seconds before the next try: what the callee asks for, or a pause that doubles; below 0 is never."""
    asked_s = _pushback_s(call) if error.retry_after_s is None else error.retry_after_s
    if asked_s is not None:
        return asked_s
    backoff_ms: float = min(retry.longest_backoff_ms, retry.backoff_ms * 2 ** (call.attempt - 1))
    return backoff_ms / 1000 * chance()


def _against(retry: RetrySettings, call: Call, error: MeshError, pause_s: float) -> str:
    """Why there is to be no other try; empty when nothing speaks against it."""
    if call.attempt >= retry.attempts:
        return "that was the last attempt"
    if call.began_to_answer:
        return "the caller has seen a part of the answer"
    # Two hops with three attempts each would be nine calls; so only the hop next to the fault tries again. Where that
    # one did not, for its budget was used up or its breaker open, another budget must not undo what it decided.
    if any(hop.binding for hop in error.trail):
        return "it failed further down, where trying again was decided upon"
    answered = CURRENT.get()
    if answered is not None and answered.attempt > 1:
        return "the call being answered is itself a second try"
    if pause_s < 0:
        return "the callee asks for no other try"
    if call.deadline is not None and time.monotonic() + pause_s >= call.deadline:
        return "there is no time for it"
    return ""


def _spent(budget: RetryBudget, call: Call) -> str:
    """Takes one try from the budget; why not, when it is used up."""
    return "" if budget.spend() else f"the retry budget of {call.binding} is used up"


def may_repeat(method: Method) -> bool:
    """Whether the contract says that calling twice is as good as once, and the request can be sent twice."""
    return method.idempotency is not Idempotency.UNKNOWN and not method.client_streaming


def _pushback_s(call: Call) -> float | None:
    """What a foreign server asks for in trailing metadata; what can't be read asks for no other try, as A6 has it."""
    said = next((value for key, value in call.trailing if key == PUSHBACK_KEY), None)
    if said is None:
        return None
    try:
        return int(said) / 1000
    except ValueError:
        return -1.0


def _watched(call: Call, send: Callable[[Reply], Awaitable[None]]) -> Callable[[Reply], Awaitable[None]]:
    """After the first response of a stream its caller has seen something, which can't be taken back."""

    async def watched(reply: Reply) -> None:
        call.began_to_answer = True
        await send(reply)

    return watched
