import asyncio

import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_PROVIDER_UNAVAILABLE

from mesh.background import Background
from mesh.status import UnavailableError
from services.books.flight import Flights


class Work:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        """Begins, and waits for the end."""
        self.begun += 1
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def turn() -> None:
    """Lets everything that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_of_one_key_share_the_work() -> None:
    """A thousand callers of one key begin one work and all get what it gives."""
    async with Background() as background:
        flights, work = Flights[str](background), Work()
        callers = [asyncio.create_task(flights.join("key", work)) for _ in range(1_000)]
        await turn()
        work.end.set_result("answer")
        assert (await asyncio.gather(*callers), work.begun) == (["answer"] * 1_000, 1)


async def test_keys_do_not_wait_for_each_other() -> None:
    """Each key has work of its own."""
    async with Background() as background:
        flights, one, other = Flights[str](background), Work(), Work()
        waiting = asyncio.create_task(flights.join("one", one))
        other.end.set_result("other")
        assert await flights.join("other", other) == "other"
        waiting.cancel()


async def test_leader_that_leaves_ends_nothing() -> None:
    """The work goes on for the others when the caller that began it leaves."""
    async with Background() as background:
        flights, work = Flights[str](background), Work()
        leader = asyncio.create_task(flights.join("key", work))
        await turn()
        follower = asyncio.create_task(flights.join("key", work))
        await turn()
        leader.cancel()
        await turn()
        work.end.set_result("answer")
        assert await follower == "answer"


async def test_work_ends_with_its_last_caller() -> None:
    """The work is cancelled when nobody waits for it any more."""
    async with Background() as background:
        flights, work = Flights[str](background), Work()
        callers = [asyncio.create_task(flights.join("key", work)) for _ in range(3)]
        await turn()
        for caller in callers:
            caller.cancel()
        await turn()
        assert work.cancelled == 1


async def test_who_comes_after_the_last_begins_anew() -> None:
    """A caller never joins work that is being cancelled."""
    async with Background() as background:
        flights, work, fresh = Flights[str](background), Work(), Work()
        caller = asyncio.create_task(flights.join("key", work))
        await turn()
        caller.cancel()
        fresh.end.set_result("fresh")
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert await flights.join("key", fresh) == "fresh"


async def test_failure_is_each_callers_own() -> None:
    """A failure reaches every caller, as an error object that no other caller has."""
    error = UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down")

    async def fail() -> str:
        raise error

    async with Background() as background:
        flights = Flights[str](background)
        outcomes = await asyncio.gather(*(flights.join("key", fail) for _ in range(3)), return_exceptions=True)
        assert len({id(outcome) for outcome in [*outcomes, error] if isinstance(outcome, UnavailableError)}) == 4


async def test_failure_is_forgotten() -> None:
    """What failed is tried again by the next caller."""
    async with Background() as background:
        flights, work = Flights[str](background), Work()
        work.end.set_exception(UnavailableError(ERROR_REASON_PROVIDER_UNAVAILABLE, "down"))
        with pytest.raises(UnavailableError):
            await flights.join("key", work)
        assert "key" not in flights
