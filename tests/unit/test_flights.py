import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.background import Background
from mesh.call import CURRENT, Call, Side
from mesh.contract import service_of
from mesh.flights import Flights
from mesh.status import DeadlineExceededError, NotFoundError, UnavailableError
from mesh.trace import Trace

METHOD = next(iter(service_of(BooksServiceStub).methods.values()))


class Work:
    """Work that ends when it is told to, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        """Waits for the end."""
        self.begun += 1
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


@pytest.fixture
async def flights() -> AsyncIterator[Flights[str]]:
    """Flights that end with the test."""
    async with Background() as background:
        yield Flights(background)


async def settle() -> None:
    """Lets every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_callers_one_work(flights: Flights[str]) -> None:
    """Work is begun once for all who ask while it runs, and counts for the one who led."""
    work = Work()
    callers = [asyncio.create_task(flights.lead("k", work, limit_s=5)) for _ in range(3)]
    await settle()
    work.end.set_result("done")
    outcomes = await asyncio.gather(*callers)
    assert (work.begun, outcomes) == (1, [("done", True), ("done", False), ("done", False)])


async def test_other_key_other_work(flights: Flights[str]) -> None:
    """Different questions do not share their work."""
    work = Work()
    work.end.set_result("done")
    await asyncio.gather(flights.lead("a", work, limit_s=5), flights.lead("b", work, limit_s=5))
    assert work.begun == 2


async def test_work_knows_the_chain_and_no_deadline(flights: Flights[str]) -> None:
    """Work stands in the chain of the call that began it, so that a circle is found, and outlives its deadline."""
    began = Call(method=METHOD, side=Side.SERVER, deadline=time.monotonic() + 5, trace=Trace(1, 2, 0, ("a", "b")))
    seen: list[Call | None] = []

    async def work() -> str:
        seen.append(CURRENT.get())
        return "done"

    token = CURRENT.set(began)
    await flights.join("k", work)
    CURRENT.reset(token)
    assert [(call.trace, call.deadline) for call in seen if call is not None] == [(began.trace, None)]


async def test_ended_work_is_forgotten(flights: Flights[str]) -> None:
    """Whoever asks after the end begins anew: keeping answers is the cache's business."""
    work = Work()
    work.end.set_result("done")
    await flights.lead("k", work, limit_s=5)
    await flights.lead("k", work, limit_s=5)
    assert work.begun == 2


async def test_leader_leaves(flights: Flights[str]) -> None:
    """The work goes on for the others when the caller that began it leaves."""
    work = Work()
    leader = asyncio.create_task(flights.lead("k", work, limit_s=5))
    other = asyncio.create_task(flights.lead("k", work, limit_s=5))
    await settle()
    leader.cancel()
    await settle()
    work.end.set_result("done")
    assert (await other, work.cancelled) == (("done", False), 0)


async def test_last_caller_leaves(flights: Flights[str]) -> None:
    """When nobody waits any more, the work is cancelled."""
    work = Work()
    callers = [asyncio.create_task(flights.lead("k", work, limit_s=5)) for _ in range(2)]
    await settle()
    for caller in callers:
        caller.cancel()
    await settle()
    assert work.cancelled == 1


async def test_next_caller_after_cancelled_work(flights: Flights[str]) -> None:
    """Who comes right after the last has left gets new work, not the cancelled one."""
    work = Work()
    given_up = asyncio.create_task(flights.lead("k", work, limit_s=5))
    await settle()
    given_up.cancel()
    # One step: the caller has left, and the cancelled work has not come to its end yet.
    await asyncio.sleep(0)
    late = asyncio.create_task(flights.lead("k", work, limit_s=5))
    await settle()
    work.end.set_result("done")
    assert await late == ("done", True)


async def test_time_is_each_callers_own(flights: Flights[str]) -> None:
    """A caller whose time is over leaves; one with more time still gets the answer."""
    work = Work()
    patient = asyncio.create_task(flights.lead("k", work, limit_s=5))
    await settle()
    with pytest.raises(TimeoutError):
        await flights.lead("k", work, limit_s=0)
    work.end.set_result("done")
    assert await patient == ("done", True)


async def test_own_call_runs_out(flights: Flights[str]) -> None:
    """Whose own call runs out of time hears so before it is over; the last one's leaving tells the work of it."""
    began = Call(method=METHOD, side=Side.SERVER, deadline=time.monotonic() + 1.0)
    seen: list[Call | None] = []

    async def work() -> str:
        try:
            return await asyncio.Future()
        finally:
            seen.append(CURRENT.get())

    token = CURRENT.set(began)
    with pytest.raises(DeadlineExceededError):
        await flights.join("k", work)
    CURRENT.reset(token)
    left_s = began.time_remaining()
    await settle()
    assert left_s is not None
    assert (left_s > 0, [call.time_remaining() for call in seen if call is not None]) == (True, [0.0])


async def test_caller_that_goes_away(flights: Flights[str]) -> None:
    """Work that is given up with time left hears of no deadline: nobody was too slow."""
    seen: list[Call | None] = []

    async def work() -> str:
        try:
            return await asyncio.Future()
        finally:
            seen.append(CURRENT.get())

    token = CURRENT.set(Call(method=METHOD, side=Side.SERVER, deadline=time.monotonic() + 5))
    caller = asyncio.create_task(flights.join("k", work))
    CURRENT.reset(token)
    await settle()
    caller.cancel()
    await settle()
    assert [call.deadline for call in seen if call is not None] == [None]


async def test_failure_reaches_all(flights: Flights[str]) -> None:
    """Each caller gets an error of its own, so that none can change another's."""
    work = Work()
    callers = [asyncio.create_task(flights.lead("k", work, limit_s=5)) for _ in range(2)]
    await settle()
    work.end.set_exception(UnavailableError("PROVIDER_UNAVAILABLE", "down"))
    first, second = await asyncio.gather(*callers, return_exceptions=True)
    assert (UnavailableError, UnavailableError, False) == (type(first), type(second), first is second)


async def test_failure_is_not_kept(flights: Flights[str]) -> None:
    """After a failure the next caller tries anew."""
    work = Work()
    work.end.set_exception(NotFoundError("BOOK_NOT_FOUND", "none"))
    for _ in range(2):
        with pytest.raises(NotFoundError):
            await flights.lead("k", work, limit_s=5)
    assert work.begun == 2
