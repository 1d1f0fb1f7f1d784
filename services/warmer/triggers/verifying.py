"""Every night: looks at a sample of each library's keys in every tier, and has warmed what is missing or expires."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bookmesh.books.v1 import admin_service_pb2 as books_pb
from bookmesh.books.v1.admin_service_pb2_grpc import AdminServiceStub
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT
from bookmesh.warmer.v1 import admin_service_pb2 as pb
from bookmesh.warmer.v1 import warmer_service_pb2 as warmer_pb

from mesh.call import Clock
from mesh.status import AbortedError, MeshError
from services.warmer.jobs.jobs import Jobs
from services.warmer.jobs.messages import timestamp
from services.warmer.library.libraries import Libraries
from services.warmer.plan.planning import Planned, Planner
from services.warmer.plan.searches import Search
from services.warmer.plan.shelf import PlanShelf
from services.warmer.triggers.coverage import CoverageReports


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Looks whether what was warmed is still cached, and repairs what is not."""

    libraries: Libraries
    planner: Planner
    shelf: PlanShelf
    jobs: Jobs
    proxy: AdminServiceStub
    """The proxy's Admin entrypoint, which tells what lies where."""
    reports: CoverageReports
    clock: Clock
    """Seconds since the epoch."""
    random: Random
    """Draws the samples."""
    sample: int
    """Keys of each library that are looked at every night."""
    ahead_s: float
    """Seconds until the next look: what does not stay fresh until then is warmed anew now."""

    async def fire(self, cron: str) -> str:
        """Looks at all libraries, repairs them, and keeps the report; a sentence on what was found.

        Raises:
            MeshError: a store does not answer.
        """
        report = await self.verify("", self.sample, repair=True, trigger=cron)
        found = report.libraries
        if not found:
            return "there is no library"
        looked, present = sum(each.key_count for each in found), sum(each.present_count for each in found)
        jobs = sum(bool(each.job_id) for each in found)
        return f"{present} of {looked} keys of {len(found)} libraries were cached; {jobs} repairs begun"

    async def verify(self, library_id: str, sample: int, *, repair: bool, trigger: str = "") -> pb.VerifyCacheResponse:
        """Looks at one library, or at all, and keeps the report. One that can't be looked at holds up no other.

        Args:
            library_id: which; all when empty.
            sample: keys of each that are looked at; all when 0.
            repair: a job warms what is missing or expires before the next look.
            trigger: the cron line that asks.

        Raises:
            NotFoundError: LIBRARY_NOT_FOUND.
            UnavailableError: STORE_UNAVAILABLE.
        """
        if library_id:
            ids = [(await self.libraries.require(library_id)).id]
        else:
            ids = [library.id async for library in self.libraries.all()]
        report = pb.VerifyCacheResponse(verify_time=timestamp(self.clock()))
        for each in ids:
            coverage = report.libraries.add(library_id=each)
            try:
                await self._look(coverage, sample, repair=repair, trigger=trigger)
            except MeshError as error:
                coverage.error.CopyFrom(CallError(code=error.code.name, reason=error.reason, message=error.message))
        await self.reports.keep(report)
        return report

    async def _look(self, coverage: pb.Coverage, sample: int, *, repair: bool, trigger: str) -> None:
        request = warmer_pb.WarmRequest(library_id=coverage.library_id, strategy=warmer_pb.STRATEGY_HYBRID)
        planned = await self.planner.plan(request, "")
        coverage.library_key_count = planned.head.searches
        now, lacking = self.clock(), 0
        for search in await self._sampled(planned, sample):
            answer = await self.proxy.InspectKey(books_pb.InspectKeyRequest(q=search.q))
            copies = {copy.tier: copy for copy in answer.copies if copy.present}
            fresh_until = max((copy.fresh_until_time.seconds for copy in copies.values()), default=0)
            is_expiring = bool(copies) and fresh_until < now + self.ahead_s
            coverage.key_count += 1
            coverage.present_count += bool(copies)
            coverage.hot_count += TIER_HOT in copies
            coverage.cold_count += TIER_COLD in copies
            coverage.expiring_count += is_expiring
            # What lies in the near tiers alone is lost when their time is over, long before the next look.
            lacking += is_expiring or TIER_COLD not in copies
        if repair and lacking:
            try:
                job = await self.jobs.start(request, trigger=trigger, min_fresh_s=self.ahead_s)
            except AbortedError as busy:
                # A job that is at work on the library does no less.
                coverage.job_id = busy.metadata.get("job_id", "")
            else:
                coverage.job_id = job.id

    async def _sampled(self, planned: Planned, sample: int) -> Sequence[Search]:
        """Searches of a plan, each as likely as any other (Vitter's algorithm R); all of them when 0 are asked for."""
        drawn: list[Search] = []
        seen = 0
        async for _, searches in self.shelf.batches(planned.plan_id, range(planned.head.batches)):
            for search in searches:
                seen += 1
                if not sample or len(drawn) < sample:
                    drawn.append(search)
                elif (place := self.random.randrange(seen)) < sample:
                    drawn[place] = search
        return drawn
