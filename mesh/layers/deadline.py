"""Gives every call a deadline, hands on what is left of it, and refuses calls that have too little."""

import time

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DEADLINE_EXCEEDED, ERROR_REASON_DEADLINE_TOO_SHORT

from mesh.call import CURRENT, Call, Handler, Layer, Reply
from mesh.config.binding_settings import BindingSettings
from mesh.contract import Method
from mesh.recent import Recent
from mesh.status import DeadlineExceededError

_RESERVE_S = 0.01
"""Seconds that a service keeps to say that it has no more time; a binding has its own (BindingSettings.reserve_ms)."""

_RESERVE_SHARE = 0.1
"""The most of its time that a service keeps for itself; a reserve must not eat up a short deadline."""


def client_deadline(settings: BindingSettings) -> Layer:
    """Each call gets the earliest of what its caller asked for, what the call being answered leaves, and the default.

    A caller that asked for a time of its own is taken at its word; the default is for those that did not. A call that
    answers a call with a deadline leaves it a reserve, in which the answering service can still say something useful.
    A call with less time left than half of the callee's latest answers took is refused: it would only cost.
    """

    def layer(method: Method, inner: Handler) -> Handler:
        own = settings.of(method.name)
        default_s, reserve_s = own.deadline_ms / 1000, own.reserve_ms / 1000
        # A stream lives as long as its caller reads it, which says nothing of what its callee needs.
        recent = None if method.server_streaming or method.client_streaming else Recent()

        async def limited(call: Call) -> Reply:
            now = time.monotonic()
            deadline = call.deadline
            if deadline is None:
                deadline = now + default_s
            answered = CURRENT.get()
            if answered is not None and (limit := answered.deadline) is not None:
                limit -= min(reserve_s, (limit - now) * _RESERVE_SHARE)
                deadline = min(limit, deadline)
            call.deadline = deadline
            if deadline <= now:
                raise out_of_time(call)
            if recent is None:
                return await inner(call)
            needed_s = recent.quantile_s(now, 0.5)
            if needed_s is not None and deadline - now < needed_s:
                raise _too_short(call, deadline - now, needed_s)
            reply = await inner(call)
            ended = time.monotonic()
            recent.record(ended, ended - now)
            return reply

        return limited

    return layer


def _too_short(call: Call, left_s: float, needed_s: float) -> DeadlineExceededError:
    call.note("refused", f"{left_s * 1000:.1f} ms are left, and half of the latest calls took {needed_s * 1000:.1f} ms")
    return DeadlineExceededError(
        ERROR_REASON_DEADLINE_TOO_SHORT,
        f"too little time is left for {call.method.name}, so it was not called",
        metadata={"binding": call.binding, "left_ms": f"{left_s * 1000:.0f}", "needed_ms": f"{needed_s * 1000:.0f}"},
    )


def less_reserve_s(left_s: float) -> float:
    """Seconds that the work of answering a call may take which has so many left: less what telling of it takes."""
    return left_s - min(_RESERVE_S, left_s * _RESERVE_SHARE)


def out_of_time(call: Call) -> DeadlineExceededError:
    """The error of a call whose time is over."""
    where = call.binding or call.method.service
    return DeadlineExceededError(
        ERROR_REASON_DEADLINE_EXCEEDED,
        f"{call.method.name} took longer than its caller had time",
        metadata={"binding": where, "method": call.method.name},
    )
