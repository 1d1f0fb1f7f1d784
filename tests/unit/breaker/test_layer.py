"""The layer that puts a breaker around the calls of one caller: what it times, and what it tells."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from bookmesh.isbndb.v1.isbndb_service_pb2 import GetBookRequest, GetBookResponse
from bookmesh.isbndb.v1.isbndb_service_pb2_grpc import IsbndbServiceServicer, IsbndbServiceStub

from mesh.config.breaker_settings import BreakerSettings
from mesh.status import UnavailableError
from mesh.testing import FakeClock, in_process

REQUEST = GetBookRequest(isbn="9780441013593")


class Leaf(IsbndbServiceServicer):
    """A callee that does what it is told."""

    def __init__(self, deed: Callable[[], None]) -> None:
        self.deed = deed
        self.calls = 0

    async def GetBook(self, request: GetBookRequest, context: Any) -> GetBookResponse:
        """Does its deed, and answers."""
        self.calls += 1
        self.deed()
        return GetBookResponse()


def leaf_of(deed: Callable[[], None]) -> Leaf:
    """One that does this."""
    return Leaf(deed)  # type: ignore[abstract]  # nobody calls its other methods


def down() -> None:
    """A callee that is not well."""
    raise UnavailableError("PROVIDER_UNAVAILABLE", "down")


@dataclass
class Ticking(FakeClock):
    """A clock that counts how often it is asked."""

    now: float = 1_000_000.0
    asked: int = 0

    def __call__(self) -> float:
        """The time, in seconds."""
        self.asked += 1
        return self.now


async def ended(call: Callable[[], Awaitable[object]]) -> str:
    """The reason that a call failed with; empty when it did not."""
    try:
        await call()
    except UnavailableError as error:
        return error.reason
    return ""


@pytest.mark.case("another caller")
async def test_open_breaker_of_one_caller_is_none_of_another() -> None:
    """While one caller is refused, another reaches the same callee."""
    leaf = leaf_of(down)
    one, other = (in_process(IsbndbServiceStub, leaf, breaker=BreakerSettings()) for _ in range(2))
    reasons = [await ended(lambda: one.GetBook(REQUEST)) for _ in range(4)]
    leaf.deed = lambda: None
    assert (reasons[-1], await ended(lambda: other.GetBook(REQUEST)), leaf.calls >= 4) == ("CIRCUIT_OPEN", "", True)
    assert await ended(lambda: one.GetBook(REQUEST)) == "CIRCUIT_OPEN"


async def test_slow_calls_are_timed() -> None:
    """Where a slow rate is set, calls that take long open the breaker, though they succeed."""
    clock = FakeClock()
    settings = BreakerSettings(slow_rate=1, slow_s=2, minimum_calls=2)
    stub = in_process(IsbndbServiceStub, leaf_of(lambda: clock.advance(2)), breaker=settings, clock=clock)
    assert [await ended(lambda: stub.GetBook(REQUEST)) for _ in range(3)] == ["", "", "CIRCUIT_OPEN"]


async def test_nobody_times_what_nobody_asks_for() -> None:
    """Without rates a call that succeeds does not even look at the clock, for each look costs it."""
    clock = Ticking()
    stub = in_process(IsbndbServiceStub, leaf_of(lambda: None), breaker=BreakerSettings(failure_rate=0), clock=clock)
    await stub.GetBook(REQUEST)
    before = clock.asked
    await stub.GetBook(REQUEST)
    assert clock.asked == before


async def test_moves_are_logged() -> None:
    """Each move is an event in the log: what moved, from where to where, and why."""
    clock = FakeClock()
    leaf = leaf_of(down)
    stub = in_process(IsbndbServiceStub, leaf, binding="LEAF", breaker=BreakerSettings(), clock=clock)
    with structlog.testing.capture_logs() as logged:
        for _ in range(4):
            await ended(lambda: stub.GetBook(REQUEST))
        leaf.deed = lambda: None
        clock.advance(66)
        await stub.GetBook(REQUEST)
    moves = [entry for entry in logged if entry["event"] == "breaker_moved"]
    assert {(entry["binding"], entry["method"]) for entry in moves} == {("LEAF", "GetBook")}
    assert [(entry["old"], entry["new"], entry["why"], entry["log_level"]) for entry in moves] == [
        ("CLOSED", "OPEN", "consecutive_failures", "warning"),
        ("OPEN", "HALF_OPEN", "time", "warning"),
        ("HALF_OPEN", "CLOSED", "probe", "info"),
    ]


async def test_what_would_have_opened_is_logged_as_such() -> None:
    """A breaker that only measures says once that it would have opened, and refuses nothing."""
    stub = in_process(IsbndbServiceStub, leaf_of(down), breaker=BreakerSettings(enforced=False))
    with structlog.testing.capture_logs() as logged:
        reasons = {await ended(lambda: stub.GetBook(REQUEST)) for _ in range(9)}
    said = [entry["event"] for entry in logged if entry["event"].startswith("breaker_")]
    assert (said, reasons) == (["breaker_would_open"], {"PROVIDER_UNAVAILABLE"})
