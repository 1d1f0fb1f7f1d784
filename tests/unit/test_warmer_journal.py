"""Jobs at rest."""

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from mesh.status import UnavailableError
from mesh.stores.memory import MemoryKv
from services.warmer.job import Job, State
from services.warmer.journal import Journal
from services.warmer.outcome import BatchRecord, Outcome, Settled
from services.warmer.plan import Plan, Search, SearchKind

LIBRARY = "ab" * 32


def job(job_id: str = "warm-1", state: State = State.RUNNING) -> Job:
    """A job on the library."""
    return Job(id=job_id, state=state, library_id=LIBRARY, create_time=1.0, update_time=1.0)


def plan(*queries: str) -> Plan:
    """A plan of batches of one search each."""
    searches = [Search(SearchKind.TITLE, q) for q in queries]
    return Plan(searches, [range(at, at + 1) for at in range(len(searches))])


def record() -> BatchRecord:
    """What became of a batch of one search."""
    record = BatchRecord(1)
    record.settle(0, Settled(Outcome.WARMED))
    return record


async def begun(kv: MemoryKv, what: Job) -> Journal:
    """A journal with a job that runs on the library."""
    journal = Journal(kv)
    await journal.begin(what, pb.WarmRequest(library_id=LIBRARY))
    await journal.claim_library(LIBRARY, what.id)
    return journal


async def test_a_running_job_holds_its_library() -> None:
    """Whoever wants a library that a job runs on is told which."""
    journal = await begun(MemoryKv(), job())
    assert await journal.claim_library(LIBRARY, "warm-2") == job()


async def test_a_job_that_ended_holds_nothing() -> None:
    """A job that ended without letting go of its library holds it no more."""
    journal = await begun(MemoryKv(), job())
    await journal.put(job(state=State.SUCCEEDED))
    assert await journal.claim_library(LIBRARY, "warm-2") is None


async def test_a_late_end_takes_nothing_from_others() -> None:
    """A job that tidies up late does not let go of what another holds by now."""
    kv = MemoryKv()
    journal = await begun(kv, job())
    await journal.put(job(state=State.SUCCEEDED))
    await journal.claim_library(LIBRARY, "warm-2")
    await journal.end(job(state=State.SUCCEEDED))
    assert await kv.get(f"running:{LIBRARY}") == b"warm-2"


async def test_an_ended_job_leaves_no_marker() -> None:
    """When a job has ended, nothing says that it is at work."""
    kv = MemoryKv()
    journal = await begun(kv, job())
    await journal.end(job(state=State.SUCCEEDED))
    keys = {key async for key in kv.scan("")}
    assert keys == {"job:warm-1", "asked:warm-1"}


async def test_unended_jobs_oldest_first() -> None:
    """The jobs that have not ended are found in the order in which they were begun."""
    kv = MemoryKv()
    for name in ("warm-2", "warm-1", "warm-3"):
        await Journal(kv).begin(job(name), pb.WarmRequest())
    await Journal(kv).end(job("warm-3", State.CANCELLED))
    assert [found.id for found in await Journal(kv).unended()] == ["warm-1", "warm-2"]


async def test_records_of_the_same_plan() -> None:
    """What was checkpointed is known again under the same plan."""
    journal = Journal(MemoryKv())
    await journal.adopt("warm-1", plan("a", "b"))
    await journal.put_batch("warm-1", 1, record())
    assert [found.pending() for found in await journal.adopt("warm-1", plan("a", "b"))] == [[0], []]


async def test_records_of_another_plan_are_gone() -> None:
    """Under another plan nothing is settled, not even when the process dies before it has settled anything anew."""
    journal = Journal(MemoryKv())
    await journal.adopt("warm-1", plan("a", "b"))
    await journal.put_batch("warm-1", 1, record())
    await journal.adopt("warm-1", plan("c", "d"))
    assert [found.pending() for found in await journal.adopt("warm-1", plan("c", "d"))] == [[0], [0]]


async def test_records_of_another_job_stay() -> None:
    """A job whose name begins as another's does not touch that one's checkpoints."""
    journal = Journal(MemoryKv())
    await journal.adopt("warm-10", plan("a"))
    await journal.put_batch("warm-10", 0, record())
    await journal.adopt("warm-1", plan("c"))
    assert [found.pending() for found in await journal.adopt("warm-10", plan("a"))] == [[]]


async def test_a_store_that_is_down() -> None:
    """A journal that can't be read says which store is down."""
    kv = MemoryKv()
    kv.down = True
    with pytest.raises(UnavailableError) as caught:
        await Journal(kv).job("warm-1")
    assert caught.value.metadata == {"store": "WARMING_CACHE"}
