"""What probes hear: ready only when the service itself is, alive whenever it can answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckResponse

from mesh.hosting.health import HEARD_S, LIVENESS, NOT_SERVING, READINESS, SERVING, Health
from mesh.hosting.vitals import Vitals
from mesh.status import NotFoundError, UnavailableError
from mesh.testing import FakeClock

CONTRACT = "bookmesh.books.v1.BooksService"
READY_NAMES = ("", CONTRACT, READINESS)
CONTEXT: object = None


def asked(health: Health) -> dict[str, int | None]:
    """The status under every name."""
    return {name: health.status_of(name) for name in (*READY_NAMES, LIVENESS)}


def answers(ready: int) -> dict[str, int]:
    """Readiness under its names, and a process that lives."""
    return {**dict.fromkeys(READY_NAMES, ready), LIVENESS: SERVING}


def watch(health: Health, name: str = "") -> AsyncIterator[HealthCheckResponse]:
    """A stream of statuses."""
    return health.Watch(health_pb2.HealthCheckRequest(service=name), CONTEXT)  # type: ignore[arg-type]  # it asks nothing of its context


def test_not_started() -> None:
    """A service that has not started is alive and not ready."""
    assert asked(Health((CONTRACT,))) == answers(NOT_SERVING)


def test_serving_and_draining() -> None:
    """Ready while it serves, and not while it drains; alive all the time."""
    health = Health((CONTRACT,))
    health.set_all(SERVING)
    serving = asked(health)
    health.set_all(NOT_SERVING)
    assert (serving, asked(health)) == (answers(SERVING), answers(NOT_SERVING))


def test_own_failure() -> None:
    """A part of its own that has failed makes a serving service unready, until the part works again."""
    vitals = Vitals()
    health = Health((CONTRACT,), vitals)
    health.set_all(SERVING)
    vitals.fail("loop")
    failed = asked(health)
    vitals.recover("loop")
    assert (failed, asked(health)) == (answers(NOT_SERVING), answers(SERVING))


def test_recovering_while_draining() -> None:
    """A part that recovers does not make a draining service ready."""
    vitals = Vitals()
    health = Health((CONTRACT,), vitals)
    vitals.fail("loop")
    vitals.recover("loop")
    assert asked(health) == answers(NOT_SERVING)


async def test_watch_hears_of_own_failures() -> None:
    """A watcher is told when a part fails, and when it works again."""
    vitals = Vitals()
    health = Health((CONTRACT,), vitals)
    health.set_all(SERVING)
    stream = watch(health)
    told = [(await anext(stream)).status]
    vitals.fail("loop")
    told.append((await anext(stream)).status)
    vitals.recover("loop")
    told.append((await anext(stream)).status)
    assert told == [SERVING, NOT_SERVING, SERVING]


async def test_watch_of_an_unknown_name() -> None:
    """A watcher of a name that is unknown is told so, and not turned away."""
    assert (await anext(watch(Health(()), "nope"))).status == HealthCheckResponse.SERVICE_UNKNOWN


async def test_watch_ends_with_the_listener() -> None:
    """A watcher that waits hears UNAVAILABLE with DRAINING when the listener closes."""
    health = Health((CONTRACT,))
    stream = watch(health)
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    health.end()
    with pytest.raises(UnavailableError) as caught:
        await waiting
    assert caught.value.reason == "DRAINING"


async def test_heard_by_a_watcher() -> None:
    """Somebody listens while a Watch is open, and nobody after it has ended."""
    health = Health((CONTRACT,))
    stream = watch(health)
    before = health.is_heard()
    await anext(stream)
    during = health.is_heard()
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert (before, during, health.is_heard()) == (False, True, False)


@pytest.mark.parametrize("method", ["Check", "List"])
async def test_heard_by_one_that_asks(method: str) -> None:
    """One that has asked counts as listening for HEARD_S."""
    clock = FakeClock()
    health = Health((CONTRACT,), clock=clock)
    await getattr(health, method)(health_pb2.HealthCheckRequest(), CONTEXT)
    clock.advance(HEARD_S - 1)
    just_before = health.is_heard()
    clock.advance(2)
    assert (just_before, health.is_heard()) == (True, False)


async def test_check_of_an_unknown_name() -> None:
    """Check of a name that is unknown is NOT_FOUND."""
    with pytest.raises(NotFoundError):
        await Health(()).Check(health_pb2.HealthCheckRequest(service="nope"), CONTEXT)  # type: ignore[arg-type]  # as above
