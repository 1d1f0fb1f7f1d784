"""What the warmer's entrypoints live on: the only place that puts its parts together, opens and closes them."""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from mesh.background import Background
from mesh.call import Clock
from mesh.schedule.schedule import Schedule
from services.warmer.env import Env
from services.warmer.jobs.asking import Asker
from services.warmer.jobs.batch_work import BEAT_S
from services.warmer.jobs.closing import Closing
from services.warmer.jobs.crew import POLL_S, Crew
from services.warmer.jobs.duties import Duties
from services.warmer.jobs.forgetting import Forgetting
from services.warmer.jobs.jobs import Jobs
from services.warmer.jobs.leases import Leases
from services.warmer.jobs.reporting import Reports
from services.warmer.jobs.store import DEAD_MS, JobStore
from services.warmer.jobs.watch import STEP_S
from services.warmer.library.desk import LibraryDesk
from services.warmer.library.intake import Intake
from services.warmer.library.libraries import Libraries
from services.warmer.library.memory import keep_large_apart
from services.warmer.plan.estimate import Estimator
from services.warmer.plan.parked import Parked
from services.warmer.plan.planning import Planner
from services.warmer.plan.shelf import PlanShelf
from services.warmer.settings import Settings, settings_of
from services.warmer.triggers.coverage import CoverageReports
from services.warmer.triggers.handlers import handler_of
from services.warmer.triggers.micro_batch import MicroBatch
from services.warmer.triggers.verifying import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What both entrypoints live on."""

    settings: Settings
    """The settings, checked."""
    libraries: Libraries
    """Libraries at rest."""
    intake: Intake
    """Takes libraries in."""
    desk: LibraryDesk
    """Answers for stored libraries."""
    planner: Planner
    """Plans jobs."""
    shelf: PlanShelf
    """Plans at rest."""
    estimator: Estimator
    """Tells what plans cost."""
    reports: Reports
    """Reports of jobs."""
    jobs: Jobs
    """The jobs."""
    crew: Crew
    """What this replica does for the jobs of all."""
    schedule: Schedule
    """The triggers."""
    verifier: Verifier
    """Looks whether what was warmed is still cached."""
    coverage: CoverageReports
    """What the verifications found."""
    clock: Clock
    """Seconds since the epoch."""
    random_hex: Callable[[int], str]
    """Gives this many random bytes in hex."""
    watch_s: float
    """Seconds between two looks of whoever watches a job."""

    def dry_name(self) -> str:
        """A name for a plan that nobody keeps."""
        return f"dry-{self.random_hex(8)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How often things are looked at; tests are in more of a hurry."""

    poll_s: float = POLL_S
    """Seconds after which a replica looks what there is to do."""
    beat_s: float = BEAT_S
    """Seconds between two words of a batch to the store."""
    watch_s: float = STEP_S
    """Seconds between two looks of whoever watches a job."""
    dead_ms: int = DEAD_MS
    """Milliseconds without a word after which whoever has a batch is taken for dead."""


@asynccontextmanager
async def lifespan(env: Env) -> AsyncIterator[State]:
    """Opens what the warmer needs, takes its part in the jobs, and leaves them where they are at the end.

    Raises:
        ConfigurationError: some settings make no sense, each of them a problem.
    """
    settings = settings_of(env)
    keep_large_apart()
    async with Background(vitals=env.MESH.vitals) as background:
        state = state_of(env, settings, background)
        background.spawn(state.crew.run(), name="jobs", vital=True)
        state.schedule.start()
        yield state


def state_of(
    env: Env,
    settings: Settings,
    background: Background,
    *,
    clock: Clock = time.time,
    asker: Asker | None = None,
    random_hex: Callable[[int], str] = secrets.token_hex,
    tempo: Tempo | None = None,
) -> State:
    """What the entrypoints live on, put together; tests give their own time and randomness."""
    tempo = tempo or Tempo()
    libraries, shelf, parked = Libraries(env.LIBRARY_DATA), PlanShelf(env.LIBRARY_DATA), Parked(env.LIBRARY_DATA)
    replica, turns = random_hex(8), env.MESH.turns
    store = JobStore(env.WARMING_CACHE, replica, clock, dead_ms=tempo.dead_ms)
    planner = Planner(libraries=libraries, shelf=shelf, parked=parked)
    reports = Reports(libraries=libraries, store=store, shelf=shelf, turns=turns)
    forgetting = Forgetting(store=store, libraries=libraries, shelf=shelf)
    duties = Duties(
        store=store,
        leases=Leases(env.WARMING_CACHE, replica),
        planner=planner,
        shelf=shelf,
        closing=Closing(store=store, shelf=shelf, turns=turns, reports=reports, parked=parked, forgetting=forgetting),
        clock=clock,
    )
    crew = Crew(
        store,
        shelf,
        asker or Asker(env.BOOKS_API_PROXY, turns),
        duties,
        clock=clock,
        concurrency=settings.concurrency,
        poll_s=tempo.poll_s,
        beat_s=tempo.beat_s,
    )
    jobs = Jobs(store, wake=crew.wake, clock=clock, random_hex=random_hex)
    micro_batch = MicroBatch(
        libraries=libraries,
        planner=planner,
        shelf=shelf,
        parked=parked,
        jobs=jobs,
        kv=env.WARMING_CACHE,
        searches=settings.micro_batch,
        ahead_s=settings.ahead_s,
    )
    coverage = CoverageReports(env.LIBRARY_DATA)
    verifier = Verifier(
        libraries=libraries,
        planner=planner,
        shelf=shelf,
        jobs=jobs,
        proxy=env.BOOKS_ADMIN,
        reports=coverage,
        clock=clock,
        random=Random(random_hex(8)),  # noqa: S311 - a sample, no secret
        sample=settings.sample,
        ahead_s=settings.ahead_s,
    )
    handler = handler_of(env.MESH.crons, micro_batch, verifier)
    return State(
        settings=settings,
        libraries=libraries,
        intake=Intake(libraries, max_bytes=settings.max_library_bytes, max_rows=settings.max_library_rows, clock=clock),
        desk=LibraryDesk(
            libraries=libraries,
            is_busy=store.runs_on,
            forget=(parked.forget, shelf.forget_library, forgetting.library),
        ),
        planner=planner,
        shelf=shelf,
        estimator=Estimator(books=env.BOOKS_API_PROXY, leaf=env.ISBNDB_ADMIN, shelf=shelf),
        reports=reports,
        jobs=jobs,
        crew=crew,
        schedule=Schedule(
            env.WARMING_CACHE,
            env.MESH.crons,
            handler,
            background,
            prefix="trigger:",
            store="WARMING_CACHE",
            clock=clock,
        ),
        verifier=verifier,
        coverage=coverage,
        clock=clock,
        random_hex=random_hex,
        watch_s=tempo.watch_s,
    )
