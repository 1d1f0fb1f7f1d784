"""What the Admin entrypoints tell of a breaker, and how it looks to a person."""

import io
import time

import pytest
from bookmesh.mesh.v1.admin_pb2 import Breaker as Told
from bookmesh.mesh.v1.admin_pb2 import BreakerEvent
from bookmesh.mesh.v1.admin_pb2 import BreakerState as ToldState
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from clients import render
from mesh.introspection import _breaker
from tests.unit.breaker.driving import Driven, F, S, made


def told(driven: Driven) -> Told:
    """What an Admin tells of it."""
    return _breaker("books-api-proxy", "ISBNDB_WORKER/GetBook", driven.breaker)


def on_the_machines_clock(driven: Driven) -> Driven:
    """The same on a clock that stands at the machine's time now."""
    driven.clock.now = driven.breaker.changed_at = time.monotonic()
    return driven


def test_before_anything_has_happened() -> None:
    """A new breaker tells its names and its state, and neither a rate nor an event."""
    new = told(made())
    assert (new.name, new.caller, new.binding, new.method, new.state) == (
        "ISBNDB_WORKER/GetBook",
        "books-api-proxy",
        "ISBNDB_WORKER",
        "GetBook",
        ToldState.BREAKER_STATE_CLOSED,
    )
    assert [new.HasField(name) for name in ("failure_rate", "slow_rate", "last_event")] == [False, False, False]


def test_rates_are_told_once_they_mean_something() -> None:
    """The rates are told with the calls that they are made of, the slow one where calls are timed."""
    driven = made(consecutive_failures=0, minimum_calls=4, slow_rate=1, slow_s=1, failure_rate=1)
    driven.call(S, F)
    few = told(driven)
    driven.call(S, S, took_s=1)
    enough = told(driven)
    assert (few.window_call_count, few.HasField("failure_rate"), few.HasField("slow_rate")) == (2, False, False)
    assert (enough.window_call_count, enough.failure_rate, enough.slow_rate) == (4, 0.25, 0.5)


def test_rate_of_none_is_told_as_zero() -> None:
    """No failure among enough calls is a rate of 0, which is something else than no rate."""
    driven = made(minimum_calls=2)
    driven.call(S, S)
    assert (told(driven).HasField("failure_rate"), told(driven).failure_rate) == (True, 0.0)


def test_what_happened_last() -> None:
    """The last event is told with its states, its reason, and a time of the calendar."""
    driven = on_the_machines_clock(made())
    driven.call(F, F, F)
    event = told(driven).last_event
    assert (event.old_state, event.new_state, event.why) == (
        ToldState.BREAKER_STATE_CLOSED,
        ToldState.BREAKER_STATE_OPEN,
        "consecutive_failures",
    )
    assert event.event_time.ToMilliseconds() / 1000 == pytest.approx(time.time(), abs=2)
    assert told(driven).reopen_ms == 60_000


def shown(breaker: Told) -> list[str]:
    """The cells of its row, as a person sees them 90 seconds after the epoch."""
    text = io.StringIO()
    Console(file=text, width=200).print(render.breakers([breaker], 90.0))
    return [cell.strip() for cell in text.getvalue().splitlines()[1].split("  ") if cell.strip()]


def test_row_of_an_open_breaker() -> None:
    """An open breaker's row says since when it is open, when it will be probed, what it saw, and why it opened."""
    breaker = Told(
        name="B/M",
        caller="c",
        state=ToldState.BREAKER_STATE_OPEN,
        consecutive_failure_count=3,
        permitted_count=7,
        refused_count=12,
        change_time=Timestamp(seconds=40),
        reopen_ms=41_000,
        window_call_count=20,
        failure_rate=0.5,
        slow_rate=0.0,
        last_event=BreakerEvent(why="failure_rate"),
    )
    assert shown(breaker) == [
        "c",
        "B/M",
        "open, probe in 41 s",
        "50 s",
        "3",
        "20",
        "50%",
        "0%",
        "7",
        "12",
        "failure rate",
    ]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (ToldState.BREAKER_STATE_CLOSED, "closed"),
        (ToldState.BREAKER_STATE_FORCED_OPEN, "forced open"),
        (ToldState.BREAKER_STATE_METRICS_ONLY, "metrics only"),
        (ToldState.BREAKER_STATE_HALF_OPEN, "half open"),
    ],
)
def test_row_without_rates(state: ToldState.ValueType, word: str) -> None:
    """Rates that mean nothing, and events that were none, leave their cells empty."""
    breaker = Told(name="B/M", caller="c", state=state, change_time=Timestamp(seconds=90))
    assert shown(breaker) == ["c", "B/M", word, "0 s", "0", "0", "0", "0"]
