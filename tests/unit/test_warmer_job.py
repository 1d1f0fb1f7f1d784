"""The life of a job, its fields at rest, and how it is told."""

import itertools
from dataclasses import replace

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.jobs.fields import failure_fields, job_of, new_fields, plan_fields
from services.warmer.jobs.job import ENDED, WAYS, Extent, Failure, Job, Part, Speed, State
from services.warmer.jobs.messages import job_message
from services.warmer.jobs.outcome import Tally

FAILURE = Failure(code="NOT_FOUND", reason="LIBRARY_NOT_FOUND", message="it is gone")
PART = Part(plan_id="ab-hybrid-1", first=2, end=9, is_own=True)
EXTENT = Extent(rows=9, books=8, authors=7, rejects=6, duplicates=5, skipped=4, searches=30)


def job(state: State = State.PENDING) -> Job:
    """A job in a state."""
    return Job(id="warm-1", state=state, create_time=1.0, update_time=1.0)


@pytest.mark.parametrize("state", sorted(ENDED, key=str))
def test_what_has_ended_stays(state: State) -> None:
    """From an end there is no way to any other state."""
    assert [to for to, sources in WAYS.items() if state in sources] == []


@pytest.mark.parametrize("state", sorted(set(State) - ENDED, key=str))
def test_whatever_runs_can_be_cancelled(state: State) -> None:
    """A job that has not ended can be ended by a person, and can fail."""
    assert (state in WAYS[State.CANCELLED], state in WAYS[State.FAILED]) == (True, True)


def test_only_what_ran_succeeds() -> None:
    """A job succeeds from running alone, so that one which is halted in its last batch stays halted."""
    assert WAYS[State.SUCCEEDED] == {State.RUNNING}


def test_every_state_can_be_reached() -> None:
    """There is a way from PENDING to each state."""
    reached = {State.PENDING}
    for _ in State:
        reached |= {to for to, sources in WAYS.items() if reached & sources}
    assert reached == set(State)


def written(*fields: dict[str, str]) -> dict[bytes, bytes]:
    """Fields as the store gives them back."""
    pairs = itertools.chain.from_iterable(each.items() for each in fields)
    return {name.encode(): value.encode() for name, value in pairs}


def test_a_new_job_comes_back() -> None:
    """What is written of a job that begins is read as it was."""
    new = replace(job(), library_id="ab", strategy=2, rows=1, request_id="r", trigger="0 2 * * *", min_fresh_s=86_400.5)
    assert new == job_of("warm-1", written(new_fields(new)))


def test_a_plan_comes_back() -> None:
    """What is written of a plan is read as it was."""
    planned = replace(job(), part=PART, extent=EXTENT)
    assert planned == job_of("warm-1", written(new_fields(planned), plan_fields(PART, EXTENT)))


def test_a_failure_comes_back() -> None:
    """Why a job failed is read as it was written."""
    found = job_of("warm-1", written(new_fields(job(State.FAILED)), failure_fields(FAILURE)))
    assert (found.state, found.failure) == (State.FAILED, FAILURE)


def test_counts_come_back() -> None:
    """Counts that scripts add up are the job's."""
    counts = {"fresh": "1", "parked": "2", "calls": "3", "done": "4", "fed": "5"}
    found = job_of("warm-1", written(new_fields(job()), counts))
    assert (found.tally, found.done, found.fed) == (Tally(fresh=1, parked=2, calls=3), 4, 5)


def test_fed_and_done() -> None:
    """A job without a plan is neither fed nor done; one with a plan is when all its batches are."""
    planned = replace(job(), part=PART)
    whole = replace(planned, fed=7, done=7)
    found = [(each.is_fed, each.is_done) for each in (job(), planned, whole)]
    assert found == [(False, False), (False, False), (True, True)]


RUNNING = replace(job(State.RUNNING), part=PART, extent=EXTENT, start_time=1.0)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (job(), -1),
        (replace(RUNNING, speed=Speed(per_second=10.0, time=99.0)), 3_000),
        (RUNNING, -1),
        (replace(RUNNING, tally=Tally(fresh=30)), 0),
        (replace(job(State.FAILED), part=PART, extent=EXTENT), 0),
        (replace(RUNNING, state=State.PAUSED, speed=Speed(per_second=10.0, time=99.0)), -1),
    ],
    ids=["no plan", "under way", "unknown", "all settled", "ended", "paused"],
)
def test_time_left(at: Job, expected: int) -> None:
    """The time left follows from the rate; nothing is made up where there is none."""
    assert expected == job_message(at, 100.0).progress.remaining_ms


def test_everything_is_told() -> None:
    """The message of a job has all that is known of it."""
    whole = replace(
        RUNNING,
        state=State.WAITING,
        library_id="ab",
        strategy=pb.STRATEGY_ISBN,
        rows=pb.ROW_SELECTION_PARKED,
        request_id="r",
        trigger="0 2 * * *",
        resume_time=7.5,
        tally=Tally(fresh=1, warmed=2, not_found=3, failed=4, parked=5, calls=6, retries=7),
    )
    message = job_message(whole, 2.0)
    progress = pb.WarmProgress(
        row_count=9,
        book_count=8,
        author_count=7,
        search_count=30,
        fresh_count=1,
        warmed_count=2,
        not_found_count=3,
        failed_count=4,
        parked_count=5,
        provider_call_count=6,
        retry_count=7,
        reject_count=6,
        duplicate_count=5,
        skipped_count=4,
        remaining_ms=-1,
    )
    assert (message.progress, message.resume_time.ToMilliseconds()) == (progress, 7_500)
    assert (message.state, message.rows, message.trigger, message.library_id) == (
        pb.WARM_JOB_STATE_WAITING,
        pb.ROW_SELECTION_PARKED,
        "0 2 * * *",
        "ab",
    )
