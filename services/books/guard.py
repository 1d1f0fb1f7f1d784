"""The only place that asks a store on a search's behalf: bounded in time and in number, and never an error."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from mesh.background import Background
from mesh.breaker import Breaker, Refusal
from mesh.call import Clock
from mesh.config.breaker_settings import BreakerSettings
from mesh.status import Outcome
from mesh.stores.errors import StoreError

PATIENT_S = 1.0
"""Seconds that one store gets when no person waits: for a write, or for the reads of a batch."""

_PLACES, _PATIENT_PLACES = 24, 32
"""Operations on one store at a time, of those that a person waits for and of the others: a search never stands behind
the writes of a batch. The adapter of the key-value store has 64 connections."""

_ABANDONED_S = 5.0
"""Seconds after which an operation that nobody waits for any more is given up."""

_SLICES = 5
"""Parts that a wait is made of; `_settled` says why."""

_LATE = 1.3
"""Times its own length from which on a slice tells of a busy loop or machine, and not of the store."""

_LONGEST_S = 1.0
"""Seconds that a wait may take however busy the loop is; the stores' own adapters wait no longer."""

_BREAKER = BreakerSettings(
    consecutive_failures=5, failure_rate=0, open_s=1.0, growth=1.0, jitter=0.0, probe_lease_s=_ABANDONED_S
)
"""A store that failed five times in a row is left alone for a second, so that most searches pay nothing for it."""

_log = structlog.get_logger("services.books")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Said(Generic[Value]):
    """What a store answered."""

    value: Value


class Guard:
    """Stands before one store.

    Args:
        name: the store's name in logs: "hot", "cold".
        background: where operations run on when their caller has stopped waiting: to break one off costs the store a
            connection.
        clock: seconds, never going back.
    """

    def __init__(self, name: str, background: Background, *, clock: Clock) -> None:
        self.name = name
        self.failure_count = 0
        """Operations that failed, were too slow, or were not tried since others had failed."""
        self._background = background
        self._breaker = Breaker(_BREAKER, clock)
        self._places = asyncio.Semaphore(_PLACES)
        self._patient_places = asyncio.Semaphore(_PATIENT_PLACES)
        self.is_well = True
        """The latest operation went well."""

    async def ask(self, operation: Callable[[], Awaitable[Value]], *, limit_s: float) -> Said[Value] | None:
        """Does one operation on the store; None when the store failed. Raises nothing.

        Args:
            operation: begins it.
            limit_s: seconds to wait for it; who has PATIENT_S stands in line with the patient. Waiting for a free place
                is not counted: the crowd is our own, and says nothing of the store.
        """
        async with self._patient_places if limit_s >= PATIENT_S else self._places:
            permit = self._breaker.acquire()
            if isinstance(permit, Refusal):
                self.failure_count += 1
                return None
            outcome = Outcome.NEUTRAL
            try:
                said = await _settled(self._background.spawn(self._said(operation), name=f"{self.name} tier"), limit_s)
                outcome = Outcome.FAILURE if said is None else Outcome.SUCCESS
            finally:
                self._breaker.release(permit, outcome)
            self._note(is_well=said is not None)
            return said

    async def _said(self, operation: Callable[[], Awaitable[Value]]) -> Said[Value] | None:
        try:
            async with asyncio.timeout(_ABANDONED_S):
                return Said(await operation())
        except (StoreError, TimeoutError):
            return None
        except Exception:  # noqa: BLE001 - what a store does wrong never costs a search
            # An adapter that breaks its promise costs no search either, but somebody has to mend it.
            _log.exception("tier_broke", tier=self.name)
            return None

    def _note(self, *, is_well: bool) -> None:
        self.failure_count += not is_well
        if self.is_well is not is_well:
            self.is_well = is_well
            _log.warning("tier_well_again" if is_well else "tier_failing", tier=self.name)


async def _settled(task: asyncio.Task[Said[Value] | None], limit_s: float) -> Said[Value] | None:
    """What a task gives within its time; None when it takes longer.

    The wait is made of slices, and one in which the loop itself was late does not count. Had the loop been busy for
    longer than the whole limit, a single timer would fire before the answer is read that has long lain in the socket,
    and a crowd of callers would have a busy service take its store for a slow one.
    """
    slice_s, counted, started = limit_s / _SLICES, 0, time.monotonic()
    while counted < _SLICES and time.monotonic() - started < max(limit_s, _LONGEST_S):
        began = time.monotonic()
        done, _pending = await asyncio.wait({task}, timeout=slice_s)
        if done:
            return task.result()
        counted += time.monotonic() - began < _LATE * slice_s
    return None
