"""The event loop on which batch work stands behind people's calls."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from mesh.background import Background
from mesh.company import Company
from mesh.flights import Flights
from mesh.hosting.patient_loop import LONGEST_REST_S, RESTS, PatientLoop
from mesh.turns import COMPANY_SLICE_S, PATIENT, SLICE_S


@pytest.fixture
def loop() -> Iterator[PatientLoop]:
    """A loop of its own, for one test."""
    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        found = runner.get_loop()
        assert isinstance(found, PatientLoop)
        yield found


class Crowd(Company):
    """People who call all the time."""

    is_there = True


def patient() -> contextvars.Context:
    """A context in which nobody waits."""
    context = contextvars.Context()
    context.run(PATIENT.set, True)  # noqa: FBT003 - set takes one value
    return context


def busy(seconds: float, done: Callable[[], object] = lambda: None) -> None:
    """Works on the loop for so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    done()


def test_what_somebody_waits_for_overtakes_a_row_of_batch_work(loop: PatientLoop) -> None:
    """A call that comes while ten pieces of batch work wait is answered after one slice of them at most."""
    done: list[str] = []

    async def person() -> None:
        for _ in range(10):
            loop.call_soon(busy, SLICE_S, lambda: done.append("batch"), context=patient())
        await asyncio.sleep(0)
        done.append("person")
        await asyncio.sleep(0.1)

    loop.run_until_complete(person())
    assert done.index("person") <= 1
    assert done.count("batch") == 10


def test_batch_work_rests_many_times_as_long_as_it_worked_while_people_call(
    loop: PatientLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five slices of batch work take five rests less one; where nobody calls they take no rest."""

    async def took() -> float:
        over = asyncio.Event()
        began = loop.time()
        for _ in range(5):
            loop.call_soon(busy, COMPANY_SLICE_S, context=patient())
        loop.call_soon(over.set, context=patient())
        await over.wait()
        return loop.time() - began

    loop.company = Crowd()
    assert loop.run_until_complete(took()) >= 4 * RESTS * COMPANY_SLICE_S
    rests: list[float] = []
    call_later = loop.call_later

    def watched(delay: float, callback: Callable[..., object], *args: object, **named: Any) -> asyncio.TimerHandle:
        rests.append(delay)
        return call_later(delay, callback, *args, **named)

    monkeypatch.setattr(loop, "call_later", watched)
    loop.run_until_complete(took())
    assert rests
    loop.company = Company()
    rests.clear()
    loop.run_until_complete(took())
    assert not rests


def test_batch_work_rests_for_that_of_another_loop_as_well(loop: PatientLoop) -> None:
    """What another loop did while people call keeps batch work here waiting, and what is done here keeps that there."""
    loop.company = Crowd()

    async def took() -> float:
        over = asyncio.Event()
        loop.company.rest_until(loop.time() + 0.1)  # as the other one does
        began = loop.time()
        loop.call_soon(busy, 2 * COMPANY_SLICE_S, over.set, context=patient())
        await over.wait()
        return loop.time() - began

    assert loop.run_until_complete(took()) >= 0.1
    assert loop.company.rests_until - loop.time() > COMPANY_SLICE_S


def test_a_long_step_of_batch_work_does_not_stop_the_rest_for_long(loop: PatientLoop) -> None:
    """However long a step took, the next one is due within a quarter of a second."""
    loop.company = Crowd()
    loop.call_soon(busy, 0.1, context=patient())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert 0 < loop.company.rests_until - loop.time() <= LONGEST_REST_S


def test_batch_work_that_puts_more_into_the_row_rests_all_the_same(loop: PatientLoop) -> None:
    """Work that is handed on in many short steps has no more of the loop than work in one go."""
    loop.company = Crowd()
    worked = 0.0

    async def steps() -> None:
        nonlocal worked
        while True:
            busy(COMPANY_SLICE_S)
            worked += COMPANY_SLICE_S
            await asyncio.sleep(0)

    async def main() -> float:
        task = loop.create_task(steps(), context=patient())
        began = loop.time()
        await asyncio.sleep(0.2)
        took = loop.time() - began
        task.cancel()
        return took

    took = loop.run_until_complete(main())
    assert 0 < worked <= took / 5


def test_batch_work_keeps_its_order_and_what_is_cancelled_is_left_out(loop: PatientLoop) -> None:
    """Patient callbacks are called in the order in which they came, and not after they were cancelled."""
    done: list[int] = []

    async def main() -> None:
        handles = [loop.call_soon(done.append, number, context=patient()) for number in range(6)]
        handles[2].cancel()
        await asyncio.sleep(0.05)

    loop.run_until_complete(main())
    assert done == [0, 1, 3, 4, 5]


def test_an_error_of_patient_work_comes_to_the_handler_and_the_row_goes_on(loop: PatientLoop) -> None:
    """A callback that raises stops nothing but itself."""
    told: list[object] = []
    done: list[str] = []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))

    async def main() -> None:
        loop.call_soon(int, "no number", context=patient())
        loop.call_soon(done.append, "next", context=patient())
        await asyncio.sleep(0.05)

    loop.run_until_complete(main())
    assert [type(error) for error in told] == [ValueError]
    assert done == ["next"]


def test_tasks_of_a_batch_end_with_the_loop() -> None:
    """A patient task that is under way when the process ends is cancelled and cleans up, though people call."""
    cleaned: list[bool] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PatientLoop)
        loop.company = Crowd()
        tasks.append(loop.create_task(endless(), context=patient()))
        await asyncio.sleep(0.01)

    tasks: list[asyncio.Task[None]] = []
    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        runner.run(main())
    assert cleaned == [True]


def within(coroutine: Coroutine[Any, Any, Any], *, is_patient: bool) -> "asyncio.Task[Any]":
    """A task that is patient or not."""
    return asyncio.create_task(coroutine, context=patient() if is_patient else contextvars.Context())


@pytest.mark.parametrize("is_patient", [True, False])
async def test_work_in_the_background_is_as_patient_as_who_begins_it(*, is_patient: bool) -> None:
    """What a batch leaves to be done gives way as the batch does, and a person's does not."""

    async def ask() -> bool:
        return PATIENT.get()

    async with Background() as background:

        async def begin() -> bool:
            return await background.spawn(ask(), name="asks")

        assert await within(begin(), is_patient=is_patient) is is_patient


async def test_work_of_a_batch_hurries_once_a_person_waits_for_it() -> None:
    """A flight that a batch began is patient until somebody joins it who is not."""
    met = asyncio.Event()

    async def work() -> tuple[bool, bool]:
        before = PATIENT.get()
        await met.wait()
        return before, PATIENT.get()

    async with Background() as background:
        flights: Flights[tuple[bool, bool]] = Flights(background)
        batch = within(flights.join("key", work), is_patient=True)
        another = within(flights.join("key", work), is_patient=True)
        await asyncio.sleep(0.01)
        person = within(flights.join("key", work), is_patient=False)
        await asyncio.sleep(0.01)
        met.set()
        assert await batch == await another == await person == (True, False)
