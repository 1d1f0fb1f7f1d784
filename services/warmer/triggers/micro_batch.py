"""Every quarter of an hour: begins the next small job, on what is undone or will soon expire."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import AbortedError
from mesh.stores.errors import StoreError
from mesh.stores.protocol import Kv
from services.warmer import faults
from services.warmer.jobs.job import Extent, Part
from services.warmer.jobs.jobs import Jobs
from services.warmer.library.libraries import Libraries
from services.warmer.plan.parked import Parked
from services.warmer.plan.planning import Planned, Planner
from services.warmer.plan.shelf import PlanShelf

_CURSOR = "micro-batch"
"""Where in WARMING_CACHE it is noted how far the libraries were gone through."""


class _Cursor(msgspec.Struct, frozen=True):
    """What comes next."""

    library_id: str = ""
    """The library that was worked on last."""
    batch: int = 0
    """Its first batch that is not looked at yet."""


_cursors = msgspec.json.Decoder(_Cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Begins small jobs, through the very door by which people begin theirs."""

    libraries: Libraries
    planner: Planner
    shelf: PlanShelf
    parked: Parked
    jobs: Jobs
    kv: Kv = field(repr=False)
    searches: int
    """Searches of one micro-batch, about."""
    ahead_s: float
    """Seconds that an answer must stay fresh yet to be left alone."""

    async def fire(self, cron: str) -> str:
        """Begins the next job; a sentence on what it is.

        What was left undone comes first. Else all libraries are gone through batch by batch, round and round, so that
        each entry is looked at before it expires; what stays fresh costs no call.

        Raises:
            MeshError: a store does not answer.
        """
        ids = [library.id async for library in self.libraries.all()]
        if not ids:
            return "there is no library"
        for library_id in ids:
            if undone := len(await self.parked.of(library_id)):
                request = pb.WarmRequest(library_id=library_id, rows=pb.ROW_SELECTION_PARKED)
                if job_id := await self._begun(request, cron, None):
                    return f"{job_id} tries {undone} undone searches of library {library_id[:12]} again"
        cursor = await self._cursor()
        for turn, library_id in enumerate(_turned(ids, cursor)):
            request = pb.WarmRequest(library_id=library_id, strategy=pb.STRATEGY_HYBRID)
            planned = await self.planner.plan(request, "")
            first = cursor.batch if not turn and library_id == cursor.library_id else 0
            part, extent = await self._slice(planned, first)
            if not extent.searches:
                continue
            if job_id := await self._begun(request, cron, (part, extent)):
                await self._note(_Cursor(library_id, part.end))
                batches = f"batches {part.first + 1} to {part.end} of {planned.head.batches}"
                return f"{job_id} looks at {extent.searches} searches of library {library_id[:12]}, {batches}"
        return "every library is being worked on already, or is empty"

    async def _begun(self, request: pb.WarmRequest, cron: str, part: tuple[Part, Extent] | None) -> str:
        """The job that was begun; empty when another has the library."""
        try:
            job = await self.jobs.start(request, trigger=cron, min_fresh_s=self.ahead_s, planned=part)
        except AbortedError:
            return ""
        return job.id

    async def _slice(self, planned: Planned, first: int) -> tuple[Part, Extent]:
        """The batches from one on that make up a micro-batch."""
        end, searches = first, 0
        while end < planned.head.batches and searches < self.searches:
            searches += len(await self.shelf.batch(planned.plan_id, end))
            end += 1
        library = planned.library
        extent = Extent(
            rows=library.row_count, books=library.book_count, authors=library.author_count, searches=searches
        )
        return Part(plan_id=planned.plan_id, first=first, end=end, is_own=False), extent

    async def _cursor(self) -> _Cursor:
        try:
            data = await self.kv.get(_CURSOR)
        except StoreError as error:
            raise faults.store_unavailable("WARMING_CACHE") from error
        return _cursors.decode(data) if data else _Cursor()

    async def _note(self, cursor: _Cursor) -> None:
        try:
            await self.kv.put(_CURSOR, msgspec.json.encode(cursor))
        except StoreError as error:
            raise faults.store_unavailable("WARMING_CACHE") from error


def _turned(ids: Sequence[str], cursor: _Cursor) -> Sequence[str]:
    """The libraries from the one of the cursor on, and that one once more at the end, from its first batch."""
    at = next((at for at, library_id in enumerate(ids) if library_id >= cursor.library_id), 0)
    return [*ids[at:], *ids[: at + 1]]
