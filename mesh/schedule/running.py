"""Runs one firing: the handler beside the lease that gives it the right to run, and what came of it."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from mesh.call import Clock
from mesh.schedule.firing import Firing, Handler
from mesh.schedule.keeping import Keeping
from mesh.schedule.state import lost
from mesh.status import MeshError
from mesh.stores.errors import StoreError

Sleep = Callable[[float], Awaitable[object]]
"""Waits for so many seconds."""

_log = structlog.get_logger("mesh.schedule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often replicas look after their triggers, in seconds. A store's operation takes a second at most."""

    lease_s: float = 15.0
    """How long the lease of a firing lasts: how long others wait for a replica that died."""
    renew_s: float = 3.0
    """Between two renewals, so that two may fail."""
    look_s: float = 5.0
    """Between two looks while a firing runs somewhere, or while the store is away."""
    rest_s: float = 60.0
    """The longest between two looks: how late it is noticed that somebody has moved the clock."""


class Runner:
    """Runs firings.

    Args:
        keeping: where triggers are kept.
        handler: what a firing does.
        timing: how often leases are renewed.
        clock: seconds since the epoch.
        monotonic: seconds, never going back.
        sleep: waits for seconds.
    """

    def __init__(
        self, keeping: Keeping, handler: Handler, timing: Timing, *, clock: Clock, monotonic: Clock, sleep: Sleep
    ) -> None:
        self._keeping = keeping
        self._handler = handler
        self._timing = timing
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep

    async def run(self, firing: Firing, holder: str, leased_at: float) -> Firing:
        """A firing to its end, and keeps what came of it.

        Cancelling ends it where it is; its lease is let go of, so that another replica makes up for it at once.

        Args:
            firing: it is kept as under way.
            holder: its lease.
            leased_at: when that was taken out, by `monotonic`.
        """
        line = firing.cron
        if self._is_over(leased_at):
            # This process stood still between its lease and its right to run.
            await self._let_go(line, holder)
            return self._lost(firing)
        handling = asyncio.ensure_future(self._outcome(firing))
        renewing = asyncio.ensure_future(self._renew(line, holder, leased_at))
        try:
            await asyncio.wait({handling, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                return self._lost(firing)
            ended = self._cancelled(firing) if handling.cancelled() else handling.result()
            await self._keep(ended, holder)
            return ended
        finally:
            handling.cancel()
            renewing.cancel()
            await asyncio.gather(handling, renewing, return_exceptions=True)
            await self._let_go(line, holder)

    async def _outcome(self, firing: Firing) -> Firing:
        """What the handler makes of a firing."""
        outcome, reason = "", ""
        try:
            outcome = await self._handler(firing)
        except MeshError as error:
            outcome, reason = error.message, error.reason
            _log.warning("firing_failed", trigger=firing.cron, firing=firing.id, reason=reason)
        except Exception:  # noqa: BLE001 - whatever a handler breaks of, the next firing comes
            error_id = uuid.uuid4().hex
            outcome, reason = f"something broke; the log has it under {error_id}", "INTERNAL"
            _log.exception("firing_broke", trigger=firing.cron, firing=firing.id, error_id=error_id)
        return self._ended(firing, outcome, reason)

    def _cancelled(self, firing: Firing) -> Firing:
        """A firing whose handler gave up by itself, as one does that waits for what was cancelled."""
        return self._ended(firing, "what the firing waited for was cancelled", "CANCELLED")

    def _ended(self, firing: Firing, outcome: str, reason: str) -> Firing:
        return replace(firing, end_time=max(self._clock(), firing.start_time), outcome=outcome, reason=reason)

    async def _renew(self, line: str, holder: str, leased_at: float) -> None:
        """Renews a lease, and returns before it is over, or once it is another's to give up."""
        while True:
            await self._sleep(self._timing.renew_s)
            if self._is_over(leased_at):
                return
            now = self._monotonic()
            try:
                if not await self._keeping.renew(line, holder):
                    return
            except StoreError:
                continue
            leased_at = now

    def _is_over(self, leased_at: float) -> bool:
        """Whether a lease counts as lost: the next renewal would come too late, should this one take long and fail."""
        return self._monotonic() + 2 * self._timing.renew_s > leased_at + self._timing.lease_s

    async def _keep(self, ended: Firing, holder: str) -> None:
        """Keeps what came of a firing, as soon as the store answers, unless it was given up meanwhile."""
        while True:
            try:
                found = await self._keeping.find(ended.cron)
                state = found.state
                if state is None or state.running is None or state.running.holder != holder:
                    # Or the store kept it and was cut off before it could say so.
                    if state is None or ended not in state.firings:
                        _log.warning("firing_given_up", trigger=ended.cron, firing=ended.id, outcome=ended.outcome)
                    return
                if await self._keeping.change(ended.cron, found, state.finished(ended)):
                    return
            except StoreError:
                await self._sleep(min(1.0, self._timing.look_s))

    async def _let_go(self, line: str, holder: str) -> None:
        with contextlib.suppress(StoreError):  # it dies by itself as well
            await self._keeping.let_go(line, holder)

    def _lost(self, firing: Firing) -> Firing:
        _log.warning("firing_lost", trigger=firing.cron, firing=firing.id)
        return lost(firing, self._clock())
