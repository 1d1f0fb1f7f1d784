"""The door of a service: what it lets in, what it refuses once it closes, and what becomes of those inside."""

import asyncio

import pytest
from bookmesh.books.v1.books_service_pb2_grpc import BooksServiceStub

from mesh.call import Call, Handler, Reply, Side
from mesh.contract import service_of
from mesh.entrance import Entrance
from mesh.layers.draining import draining
from mesh.runtime import Runtime
from mesh.status import MeshError, UnavailableError

METHOD = service_of(BooksServiceStub).methods["/bookmesh.books.v1.BooksService/SearchAuto"]


class Callee:
    """An entrypoint that answers when it is told to."""

    def __init__(self, entrance: Entrance) -> None:
        self.may_end = asyncio.Event()
        self.stubborn = False
        self.handler: Handler = draining(Runtime(service="books", entrance=entrance))(METHOD, self.answer)

    async def answer(self, call: Call) -> Reply:
        """Waits, and answers."""
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            if not self.stubborn:
                raise
        return b"answered"

    async def call(self, *, local: bool = False) -> "asyncio.Task[Reply | MeshError]":
        """A call that has begun, if it was let in."""
        task = asyncio.create_task(self._outcome(Call(METHOD, Side.SERVER, local=local)))
        await asyncio.sleep(0)
        return task

    async def _outcome(self, call: Call) -> Reply | MeshError:
        try:
            return await self.handler(call)
        except MeshError as error:
            return error


def reason(outcome: Reply | MeshError) -> str:
    """The reason that a call was refused or cut off with; an answer has none."""
    return outcome.reason if isinstance(outcome, UnavailableError) else f"none: {outcome!r}"


async def test_running_calls_finish() -> None:
    """A call that runs when the door closes gets its answer, and the entrance waits for it."""
    entrance = Entrance()
    callee = Callee(entrance)
    calling = await callee.call()
    closing = asyncio.create_task(entrance.drain(10))
    await asyncio.sleep(0)
    waiting = not closing.done()
    callee.may_end.set()
    assert (waiting, await calling, await closing) == (True, b"answered", 0)


async def test_new_calls_are_refused() -> None:
    """A call that comes when the door is closed is UNAVAILABLE with DRAINING, and names the service."""
    entrance = Entrance()
    await entrance.drain(0)
    outcome = await (await Callee(entrance).call())
    assert (reason(outcome), getattr(outcome, "metadata", None)) == ("DRAINING", {"service": "books"})


async def test_calls_in_process_pass() -> None:
    """A call from this process is let in through a closed door, for a call that runs may need it to finish."""
    entrance = Entrance()
    await entrance.drain(0)
    callee = Callee(entrance)
    callee.may_end.set()
    assert await (await callee.call(local=True)) == b"answered"


async def test_overlong_calls_are_cut_off() -> None:
    """A call that outlasts the grace ends with UNAVAILABLE and DRAINING, never as cancelled."""
    entrance = Entrance()
    calling = await Callee(entrance).call()
    assert (await entrance.drain(0.01), reason(await calling)) == (1, "DRAINING")


async def test_one_that_answers_when_it_is_cut_off() -> None:
    """A call that makes an answer of its cancellation keeps that answer."""
    entrance = Entrance()
    callee = Callee(entrance)
    callee.stubborn = True
    calling = await callee.call()
    assert (await entrance.drain(0.01), await calling) == (1, b"answered")


async def test_a_caller_that_goes_away() -> None:
    """A call that its caller gives up ends as cancelled, and is not waited for."""
    entrance = Entrance()
    calling = await Callee(entrance).call()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await entrance.drain(10) == 0
