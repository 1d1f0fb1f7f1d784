"""Fires the triggers of a service: each instant once, whichever replica does it, and never two of a trigger at a time.

Replicas meet in a key-value store, under keys that begin with a prefix of the service's:

last:<cron>      the last instant that was fired, or when the trigger was first seen
firing:<cron>    who fires it now; a lease
history:<cron>   the last hundred firings

Which instant is due is read off one's own clock, and whether it was fired off `last`, under the lease. So a clock that
is ahead fires early by as much, and one that is behind finds that it was done. Instants that were missed, since nobody
was there or the firing before took so long, are made up for by one firing, as systemd does it with Persistent=true.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_JOB_ALREADY_RUNNING,
    ERROR_REASON_STORE_UNAVAILABLE,
    ERROR_REASON_TRIGGER_NOT_FOUND,
)

from mesh.call import Clock
from mesh.schedule.firing import Firing, History
from mesh.schedule.lease import Lease, LeaseLostError, Sleep, while_kept
from mesh.schedule.times import latest_until, next_after
from mesh.status import AbortedError, MeshError, NotFoundError, UnavailableError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv

LOOK_S = 15.0
"""Seconds that a replica sleeps at most, so that it notices soon when another died in the midst of a firing."""

LATE_S = 60.0
"""Seconds past its instant from which on a firing counts as made up for."""

_AWAY_S = 2.0
"""Seconds before a store that is away is tried again."""

_log = structlog.get_logger("mesh.schedule")

Handler = Callable[[str], Awaitable[str]]
"""Does what a trigger is for, given its cron line; a sentence on what that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger, as people are told of it."""

    cron: str
    """Its line."""
    next: float
    """When it is due next, in seconds since the epoch."""
    firings: Sequence[Firing]
    """The last ones, newest first."""


class Schedule:
    """The triggers of a service, in one of its replicas.

    Args:
        handlers: what to do, by cron line.
        kv: where the replicas meet.
        prefix: what the keys begin with.
        replica: a name that no other process has.
        clock: seconds since the epoch.
        sleep: waits for seconds on that clock.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        kv: Kv,
        *,
        prefix: str,
        replica: str,
        clock: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._handlers = handlers
        self._kv = kv
        self._prefix = prefix
        self._replica = replica
        self._clock = clock
        self._sleep = sleep
        self._history = History(kv, prefix)

    async def run(self) -> None:
        """Fires what is due until it is cancelled; a store that is away is waited for."""
        async with asyncio.TaskGroup() as group:
            for cron in self._handlers:
                group.create_task(self._run(cron))

    async def triggers(self, limit: int) -> list[Trigger]:
        """The triggers, in the order of their lines, each with its last firings.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        now = self._clock()
        try:
            return [
                Trigger(cron=cron, next=next_after(cron, now), firings=(await self._history.firings(cron))[:limit])
                for cron in self._handlers
            ]
        except StoreError as error:
            raise _away() from error

    async def fire(self, cron: str) -> Firing:
        """Fires a trigger now, by hand; the firing as it ended.

        Raises:
            NotFoundError: TRIGGER_NOT_FOUND.
            AbortedError: JOB_ALREADY_RUNNING; the trigger is being fired.
            UnavailableError: STORE_UNAVAILABLE.
        """
        if cron not in self._handlers:
            known = ", ".join(map(repr, self._handlers))
            raise NotFoundError(
                ERROR_REASON_TRIGGER_NOT_FOUND, f"no trigger has this line; there are {known}", metadata={"cron": cron}
            )
        lease = self._lease(cron)
        try:
            if not await lease.take():
                what = "this trigger is being fired in this moment"
                raise AbortedError(ERROR_REASON_JOB_ALREADY_RUNNING, what, metadata={"cron": cron})
            try:
                now = self._clock()
                return await self._fired(cron, Firing(due=now, start=now, forced=True), lease)
            finally:
                await lease.give_back()
        except StoreError as error:
            raise _away() from error

    async def _run(self, cron: str) -> None:
        while True:
            try:
                seconds = await self._look(cron)
            except StoreError as error:
                _log.warning("schedule_waits", cron=cron, error=type(error).__name__)
                seconds = _AWAY_S
            if seconds > 0:
                await self._sleep(seconds)

    async def _look(self, cron: str) -> float:
        """Fires what is due; seconds until the next look."""
        now = self._clock()
        last = await self._last(cron, now)
        due = next_after(cron, last)
        if due > now and not await self._was_cut_off(cron):
            return min(LOOK_S, due - now)
        lease = self._lease(cron)
        if not await lease.take():
            return min(LOOK_S, 1.0)
        try:
            if cut_off := await self._was_cut_off(cron):
                ended = msgspec.structs.replace(cut_off, end=self._clock(), outcome="was cut off", reason="CANCELLED")
                await self._history.end(cron, cut_off, ended)
                if not cut_off.made_up:
                    await self._fired(cron, Firing(due=cut_off.due, start=self._clock(), made_up=True), lease)
                return 0.0
            # Whoever had the lease before may have fired it.
            last = await self._last(cron, now)
            now = self._clock()
            if next_after(cron, last) > now:
                return 0.0
            due = latest_until(cron, now)
            is_late = now - due > LATE_S or due != next_after(cron, last)
            # Noted before it is done, in one step: who dies then leaves a firing that was cut off, and none that is
            # done twice.
            await self._fired(
                cron,
                Firing(due=due, start=now, made_up=is_late),
                lease,
                {self._key("last", cron): repr(due).encode()},
            )
        finally:
            await lease.give_back()
        return 0.0

    async def _last(self, cron: str, now: float) -> float:
        """The last instant that was fired; for a trigger that nobody has seen, now, for it owes nothing to the past."""
        key = self._key("last", cron)
        data = await self._kv.get(key)
        if data is None:
            await self._kv.put_if_absent(key, repr(now).encode())
            data = await self._kv.get(key)
        return float(data) if data else now

    async def _was_cut_off(self, cron: str) -> Firing | None:
        """The newest firing, where it has not ended and nobody is at it any more."""
        if await self._kv.get(self._key("firing", cron)) not in (None, self._replica.encode()):
            return None
        newest = next(iter(await self._history.firings(cron)), None)
        return newest if newest is not None and newest.end is None else None

    async def _fired(
        self, cron: str, firing: Firing, lease: Lease, beside: Mapping[str, bytes] | None = None
    ) -> Firing:
        await self._history.add(cron, firing, beside or {})
        outcome, reason = "", ""
        try:
            outcome = await while_kept(lease, self._handlers[cron](cron))
        except MeshError as error:
            outcome, reason = error.message, error.reason
        except LeaseLostError:
            # Whoever has it now has told of this firing that it was cut off.
            _log.warning("firing_lost", cron=cron)
            return firing
        except Exception:  # noqa: BLE001 - a handler that breaks must not end the schedule
            error_id = uuid.uuid4().hex
            _log.exception("trigger_broke", cron=cron, error_id=error_id)
            outcome, reason = f"something broke; the log has it under {error_id}", "INTERNAL"
        ended = msgspec.structs.replace(firing, end=self._clock(), outcome=outcome, reason=reason)
        await self._history.end(cron, firing, ended)
        _log.info("trigger_fired", cron=cron, outcome=outcome, reason=reason)
        return ended

    def _lease(self, cron: str) -> Lease:
        return Lease(self._kv, self._key("firing", cron), self._replica, self._sleep)

    def _key(self, kind: str, cron: str) -> str:
        return f"{self._prefix}{kind}:{cron}"


def _away() -> UnavailableError:
    return UnavailableError(ERROR_REASON_STORE_UNAVAILABLE, "the store of the schedule does not answer")
