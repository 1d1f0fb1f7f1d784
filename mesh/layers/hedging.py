"""Asks a second time when the first answer is late, and takes whichever comes first; off unless a manifest asks for it.

After Dean and Barroso, The Tail at Scale (CACM 56, 2, 2013): a second request after the 95th percentile of the latency
shortens the tail for some 5 % more load, which the retry budget bounds.
"""

import asyncio
import dataclasses
import time

from mesh.call import Call, Handler, Layer, Reply
from mesh.config.binding_settings import BindingSettings
from mesh.contract import Method
from mesh.layers.retrying import may_repeat
from mesh.recent import Recent
from mesh.retry_budget import RetryBudget


def hedging(settings: BindingSettings, budget: RetryBudget) -> Layer:
    """A second attempt when the first takes longer than most lately did; the slower one is cancelled.

    Args:
        settings: whether, and after what share of the calls has answered.
        budget: the binding's, the same that retries draw on.
    """

    def layer(method: Method, inner: Handler) -> Handler:
        hedge = settings.of(method.name).hedge
        if not hedge.enabled or not may_repeat(method) or method.server_streaming:
            return inner
        recent = Recent()

        async def hedged(call: Call) -> Reply:
            started = time.monotonic()
            late_s = recent.quantile_s(started, hedge.quantile)
            reply = await (inner(call) if late_s is None else _race(call, late_s))
            now = time.monotonic()
            recent.record(now, now - started)
            return reply

        async def _race(call: Call, late_s: float) -> Reply:
            attempts = [_Attempt(call, inner)]
            try:
                await asyncio.wait([attempts[0].task], timeout=late_s)
                if not attempts[0].task.done() and budget.spend():
                    call.note("hedged", f"no answer after {late_s * 1000:.0f} ms")
                    call.attempt += 1
                    attempts.append(_Attempt(call, inner))
                return await _first(call, attempts)
            finally:
                for each in attempts:
                    each.task.cancel()
                # Nothing runs on when the call has ended.
                await asyncio.gather(*(each.task for each in attempts), return_exceptions=True)

        return hedged

    return layer


class _Attempt:
    """One try, with a call of its own, so that two do not write into one."""

    def __init__(self, call: Call, inner: Handler) -> None:
        self.call = dataclasses.replace(call, trailing=[], notes=None)
        self.task = asyncio.ensure_future(inner(self.call))


async def _first(call: Call, attempts: list[_Attempt]) -> Reply:
    """The first answer; a failure counts only when no other attempt is left."""
    waiting = {each.task: each for each in attempts}
    while True:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            attempt = waiting.pop(task)
            if task.exception() is None or not waiting:
                call.trailing.extend(attempt.call.trailing)
                call.response_time_s = attempt.call.response_time_s
                call.deadline = attempt.call.deadline
                return task.result()
