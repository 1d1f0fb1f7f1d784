"""One batch in hand: asks for it, tells the store how it goes, and lets go of it when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from mesh.status import UnavailableError
from services.warmer.jobs.asking import Asker, QuotaSpentError
from services.warmer.jobs.job import Job, State
from services.warmer.jobs.outcome import BatchRecord, Settled
from services.warmer.jobs.store import Hand, JobStore
from services.warmer.plan.searches import Search

BEAT_S = 0.4
"""Seconds between two words to the store: it is told how far the batch is, and tells whether the job is halted."""

_log = structlog.get_logger("services.warmer")


class BatchWork:
    """A batch in hand.

    Args:
        job: whose it is.
        hand: the batch.
        searches: what is in it.
        store: where jobs lie.
        asker: asks the proxy.
        wait: has the job wait for so many seconds.
        beat_s: seconds between two words to the store.
    """

    def __init__(
        self,
        job: Job,
        hand: Hand,
        searches: Sequence[Search],
        store: JobStore,
        asker: Asker,
        *,
        wait: Callable[[float], Awaitable[None]],
        beat_s: float = BEAT_S,
    ) -> None:
        self._job = job
        self._hand = hand
        self._searches = searches
        self._store = store
        self._asker = asker
        self._wait = wait
        self._beat_s = beat_s
        self._record = (BatchRecord.decode(hand.record, len(searches)) if hand.record else None) or BatchRecord(
            len(searches)
        )

    async def run(self) -> None:
        """Settles the batch, as far as it may; what was answered counts, whatever ends it."""
        asking = asyncio.ensure_future(
            self._asker.ask(self._searches, self._record.pending(), self, min_fresh_s=self._job.min_fresh_s)
        )
        try:
            while not asking.done():
                await asyncio.wait({asking}, timeout=self._beat_s)
                if not asking.done() and not await self._may_go_on():
                    return
            await self._end(asking)
        except asyncio.CancelledError:
            # The process drains: the next one goes on from here, and at once.
            await _ended(asking)
            await self._note("release")
            raise
        finally:
            await _ended(asking)

    async def _may_go_on(self) -> bool:
        """Tells the store how far the batch is; whether it is still in hand, and its job at work."""
        try:
            state = await self._store.note(self._hand, self._record, "keep")
        except UnavailableError as error:
            # The answers come all the same, and are counted when the store is back.
            _log.warning("batch_not_noted", job=self._job.id, batch=self._hand.number, reason=error.reason)
            return True
        if state is State.RUNNING:
            return True
        if state is None:
            _log.info("batch_lost", job=self._job.id, batch=self._hand.number)
        else:
            await self._note("release")
        return False

    async def _end(self, asking: "asyncio.Future[None]") -> None:
        try:
            await asking
        except QuotaSpentError as spent:
            # First the job waits, so that nobody takes the batch only to be refused as well.
            await self._wait(spent.retry_after_s)
            await self._note("release")
            return
        while not await self._note("finish"):  # noqa: ASYNC110 - a store that is away tells nobody when it is back
            await asyncio.sleep(self._beat_s)

    async def _note(self, way: str) -> bool:
        """Tells the store the last of the batch; whether it heard."""
        try:
            await self._store.note(self._hand, self._record, way)
        except UnavailableError as error:
            _log.warning("batch_not_noted", job=self._job.id, batch=self._hand.number, reason=error.reason)
            return False
        return True

    def settle(self, place: int, settled: Settled) -> None:
        """A search of the batch is done with."""
        self._record.settle(place, settled)

    def spend(self, calls: int) -> None:
        """Calls to providers were made."""
        self._record.calls += calls

    def retry(self, count: int) -> None:
        """Searches are asked for once more."""
        self._record.retries += count


async def _ended(asking: "asyncio.Future[None]") -> None:
    """Gives up what is asked for; what the proxy is at by then still reaches its cache."""
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
