import asyncio
import time
from collections.abc import Awaitable, Callable

from structlog.testing import capture_logs

from mesh.background import Background
from mesh.stores.errors import StoreTimeoutError, StoreUnavailableError
from mesh.testing import FakeClock
from services.books.guard import Guard, Said

Operation = Callable[[], Awaitable[str]]


async def answers() -> str:
    """A store that is well."""
    return "value"


async def is_down() -> str:
    """A store that can't be reached."""
    raise StoreUnavailableError("down")


async def hangs() -> str:
    """A store that never answers."""
    await asyncio.Event().wait()
    return "never"


async def breaks() -> str:
    """An adapter with a mistake in it."""
    raise KeyError("metadata")


async def times_out() -> str:
    """A store whose own limit is shorter than ours."""
    raise StoreTimeoutError("slow")


async def ask(guard: Guard, operation: Operation, times: int = 1) -> Said[str] | None:
    """The last of several answers."""
    said = None
    for _ in range(times):
        said = await guard.ask(operation, limit_s=0.01)
    return said


async def test_answer_comes_through() -> None:
    """What a store says is what the guard says."""
    async with Background() as background:
        assert await ask(Guard("hot", background, clock=FakeClock()), answers) == Said("value")


async def test_failures_are_no_errors() -> None:
    """Whatever a store does wrong, the guard says nothing, and counts it."""
    async with Background() as background:
        guard = Guard("hot", background, clock=FakeClock())
        said = [await ask(guard, operation) for operation in (is_down, hangs, breaks, times_out)]
        assert (said, guard.failure_count) == ([None] * 4, 4)


async def test_failing_store_is_left_alone() -> None:
    """After five failures in a row nothing is asked of a store for a second."""
    asked = 0

    async def down() -> str:
        nonlocal asked
        asked += 1
        raise StoreUnavailableError("down")

    async with Background() as background:
        guard = Guard("hot", background, clock=FakeClock())
        await ask(guard, down, times=8)
        assert (asked, guard.failure_count) == (5, 8)


async def test_store_is_tried_again() -> None:
    """A second later a store that is well again answers."""
    clock = FakeClock()
    async with Background() as background:
        guard = Guard("hot", background, clock=clock)
        await ask(guard, is_down, times=8)
        clock.advance(1)
        assert await ask(guard, answers) == Said("value")


async def test_changes_are_logged_once() -> None:
    """A store that fails is told of once, and once more when it is well."""
    clock = FakeClock()
    async with Background() as background:
        guard = Guard("cold", background, clock=clock)
        with capture_logs() as logs:
            await ask(guard, is_down, times=3)
            await ask(guard, answers, times=2)
    assert [(log["event"], log["tier"]) for log in logs] == [("tier_failing", "cold"), ("tier_well_again", "cold")]


async def test_busy_loop_is_not_held_against_a_store() -> None:
    """A store that has answered while the loop was busy is heard, though the time is long over."""

    async def answers_soon() -> str:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[str] = loop.create_future()
        loop.call_later(0.002, answered.set_result, "value")
        value = await answered
        for _ in range(3):
            # Reading an answer takes a client several turns of the loop.
            await asyncio.sleep(0)
        return value

    async with Background() as background:
        guard = Guard("hot", background, clock=FakeClock())
        asking = asyncio.create_task(guard.ask(answers_soon, limit_s=0.01))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(time.sleep, 0.05)
        assert await asking == Said("value")


async def test_operation_goes_on_without_its_caller() -> None:
    """A slow operation is not broken off when its caller stops waiting."""
    end = asyncio.Event()
    ended = asyncio.Event()

    async def slow() -> str:
        await end.wait()
        ended.set()
        return "late"

    async with Background() as background:
        assert await ask(Guard("hot", background, clock=FakeClock()), slow) is None
        end.set()
        async with asyncio.timeout(1):
            await ended.wait()


async def test_operations_are_bounded_in_number() -> None:
    """However many ask at once, a store has at most 32 operations to do at a time."""
    running = most = 0

    async def counted() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return "value"

    async with Background() as background:
        guard = Guard("hot", background, clock=FakeClock())
        await asyncio.gather(*(guard.ask(counted, limit_s=1) for _ in range(200)))
        assert most == 32
