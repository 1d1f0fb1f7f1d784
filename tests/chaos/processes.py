"""SIGKILL for each service, under load: what needs it fails at once, all else goes on, and its successor takes over."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from clients.connect import BOOKS, ISBNDB, WARMER
from clients.warming import upload
from mesh.status import MeshError
from tests.chaos.claims import Claim, Size, fail_only, faster, none_fails, said_only, well_again, within
from tests.chaos.course import ANSWER_S, DEADLINE_S, REFUSED_REMOTE_S, REOPEN_S, Scenario, through
from tests.chaos.faults import provider_fails, standing
from tests.chaos.house import House, new_isbn

RESTART_S = 8.0
"""Seconds from the death of a service's process until its successor has loaded its code and answers."""

UNREACHABLE = "UNAVAILABLE SERVICE_UNREACHABLE"

ROWS = 60
"""Books of the job: enough for seconds of work."""

_UNDER_WAY = {pb.WARM_JOB_STATE_PENDING, pb.WARM_JOB_STATE_RUNNING, pb.WARM_JOB_STATE_WAITING}


@contextlib.asynccontextmanager
async def _killed(house: House, service: str) -> AsyncIterator[None]:
    house.kill(service)
    yield


async def _books(house: House, size: Size) -> Sequence[Claim]:
    course = await through(house, size, _killed(house, BOOKS))
    searches = course.load.of("cached", course.began)
    return [
        fail_only("cached searches", searches, [UNREACHABLE]),
        faster("cached searches that failed", searches.failed, ANSWER_S, size),
        fail_only("uncached searches", course.load.of("uncached", course.began), [UNREACHABLE]),
        well_again(course.well_s + course.ended - course.began, RESTART_S, size),
    ]


async def _leaf(house: House, size: Size) -> Sequence[Claim]:
    course = await through(house, size, _killed(house, ISBNDB))
    cached, uncached = course.load.of("cached"), course.load.of("uncached", course.began)
    return [
        none_fails("cached searches", cached),
        said_only("cached searches", cached, ("HOT",), size),
        faster("cached searches", cached, ANSWER_S, size, share=0.99),
        fail_only("uncached searches", uncached, [UNREACHABLE, "UNAVAILABLE CIRCUIT_OPEN"]),
        faster("uncached searches that failed", uncached.failed, ANSWER_S, size),
        well_again(course.well_s + course.ended - course.began, RESTART_S + REOPEN_S, size),
    ]


async def _frozen_leaf(house: House, size: Size) -> Sequence[Claim]:
    course = await through(house, size, standing(house, ISBNDB), least_s=DEADLINE_S + REOPEN_S / 2)
    cached, uncached = course.load.of("cached"), course.load.of("uncached", course.began)
    return [
        none_fails("cached searches", cached),
        said_only("cached searches", cached, ("HOT",), size),
        faster("cached searches", cached, ANSWER_S, size, share=0.99),
        fail_only("uncached searches", uncached, ["UNAVAILABLE DEADLINE_EXCEEDED", "UNAVAILABLE CIRCUIT_OPEN"]),
        faster("uncached searches that failed", uncached.failed, DEADLINE_S + ANSWER_S, size),
        faster("uncached searches, breaker open", uncached.because("CIRCUIT_OPEN"), REFUSED_REMOTE_S, size, share=0.5),
        well_again(course.well_s, REOPEN_S + ANSWER_S, size),
    ]


async def _warmer(house: House, size: Size) -> Sequence[Claim]:
    """A job is under way when its process dies; the successor goes on with it."""
    async with provider_fails(house, kind="latency", latency_ms=150):
        job_id = await _job_under_way(house)
        course = await through(house, size, _killed(house, WARMER))
    job = await _ended(house, job_id, within_s=60)
    took_s = time.monotonic() - course.began
    state = pb.WarmJobState.Name(job.state).removeprefix("WARM_JOB_STATE_")
    done = job.progress
    settled = done.fresh_count + done.warmed_count + done.not_found_count
    return [
        none_fails("cached searches", course.load.of("cached")),
        none_fails("uncached searches", course.load.of("uncached")),
        Claim(
            what="the job under way",
            claimed="ends as if nothing had been",
            measured=f"{state}, {settled} of {done.search_count} searches",
            holds=state == "SUCCEEDED" and settled == done.search_count > 0,
        ),
        within("the job under way ends", took_s, RESTART_S + 30, size),
    ]


async def _job_under_way(house: House) -> str:
    """Begins to warm books that nobody has asked for yet."""
    rows = [f"Lost Book {name},Nobody {name}" for name in (new_isbn() for _ in range(ROWS))]
    path = house.deployment.book.with_name("library.csv")
    path.write_text("\n".join(["Title,Author", *rows]))
    uploaded = await upload(house.services.warmer, path)
    request = pb.WarmRequest(library_id=uploaded.library.id, strategy=pb.STRATEGY_ISBN)
    return (await house.services.warmer.Warm(request)).job.id


async def _ended(house: House, job_id: str, *, within_s: float) -> pb.WarmJob:
    """The job when it has ended, or as it is when the time is over."""
    end, job = time.monotonic() + within_s, pb.WarmJob(state=pb.WARM_JOB_STATE_RUNNING)
    while job.state in _UNDER_WAY and time.monotonic() < end:
        with contextlib.suppress(MeshError):
            job = (await house.services.warmer.GetWarmJob(pb.GetWarmJobRequest(job_id=job_id))).job
        await asyncio.sleep(0.1)
    return job


PROCESSES = (
    Scenario(broken="the leaf killed", run=_leaf),
    Scenario(broken="the leaf frozen", run=_frozen_leaf, brief=False),
    Scenario(broken="books killed", run=_books),
    Scenario(broken="the warmer killed in the middle of a job", run=_warmer),
)
