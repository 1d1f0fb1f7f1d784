"""Work that outlives the call which began it."""

import asyncio

import structlog
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.background import Background
from mesh.call import CURRENT, Call, Side
from mesh.contract import service_of
from mesh.hosting.vitals import Vitals

METHOD = next(iter(service_of(BooksServiceStub).methods.values()))


async def test_work_is_free_of_its_caller() -> None:
    """A task begins without the call that spawned it, and so without its deadline."""
    CURRENT.set(Call(METHOD, Side.SERVER, deadline=0.0))

    async def current() -> Call | None:
        return CURRENT.get()

    async with Background() as background:
        assert await background.spawn(current(), name="look") is None


async def test_what_runs_is_cancelled_at_the_end() -> None:
    """Tasks that still run when the nursery closes are cancelled, and it waits for their end."""
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async with Background() as background:
        background.spawn(endless(), name="endless")
        await asyncio.sleep(0)
    assert ended == ["ended"]


async def test_grace_lets_work_finish() -> None:
    """With a grace, work that is about to end may end."""
    done: list[str] = []

    async def short() -> None:
        await asyncio.sleep(0.01)
        done.append("done")

    async with Background(grace_s=5) as background:
        background.spawn(short(), name="short")
    assert done == ["done"]


async def test_failure_is_logged_under_its_name() -> None:
    """A task that nobody awaits does not fail in silence."""

    async def broken() -> None:
        raise ValueError("broken")

    with structlog.testing.capture_logs() as logs:
        async with Background(grace_s=5) as background:
            background.spawn(broken(), name="refresh")
    assert [(log["event"], log["task"], log["error"]) for log in logs] == [
        ("background_failed", "refresh", "ValueError")
    ]


async def test_a_vital_loop_that_fails() -> None:
    """A loop that the service can't do without is told of when it fails; a task that may fail is not."""

    async def broken() -> None:
        raise ValueError("broken")

    vitals = Vitals()
    async with Background(vitals=vitals) as background:
        background.spawn(broken(), name="refresh")
        await asyncio.wait([background.spawn(broken(), name="cron", vital=True)])
        assert vitals.failed == ("cron",)


async def test_a_vital_loop_that_is_ended() -> None:
    """A loop that ends with its service has not failed."""
    vitals = Vitals()
    async with Background(vitals=vitals) as background:
        background.spawn(asyncio.Event().wait(), name="cron", vital=True)
        await asyncio.sleep(0)
    assert vitals.failed == ()
