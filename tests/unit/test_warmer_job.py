"""The life of a job."""

import itertools

import pytest
from bookmesh.warmer.v1 import warmer_service_pb2 as pb

from services.warmer.job import ENDED, Extent, Failure, Job, JobStateError, State
from services.warmer.messages import job_message, job_of
from services.warmer.outcome import Tally

ALLOWED = {
    (State.PENDING, State.RUNNING),
    (State.PENDING, State.PAUSED),
    (State.PENDING, State.FAILED),
    (State.PENDING, State.CANCELLED),
    (State.RUNNING, State.PAUSED),
    (State.RUNNING, State.SUCCEEDED),
    (State.RUNNING, State.FAILED),
    (State.RUNNING, State.CANCELLED),
    (State.PAUSED, State.RUNNING),
    (State.PAUSED, State.FAILED),
    (State.PAUSED, State.CANCELLED),
}

FAILURE = Failure(code="NOT_FOUND", reason="LIBRARY_NOT_FOUND", message="it is gone")


def job(state: State = State.PENDING) -> Job:
    """A job in a state."""
    return Job(id="warm-1", state=state, create_time=1.0, update_time=1.0)


@pytest.mark.parametrize(("before", "after"), sorted(ALLOWED, key=str))
def test_ways(before: State, after: State) -> None:
    """A job can go these ways."""
    assert after is job(before).moved(after, 2.0).state


@pytest.mark.parametrize(("before", "after"), [way for way in itertools.permutations(State, 2) if way not in ALLOWED])
def test_no_other_ways(before: State, after: State) -> None:
    """A job can go no other way; what has ended stays as it ended."""
    with pytest.raises(JobStateError):
        job(before).moved(after, 2.0)


@pytest.mark.parametrize("state", State)
def test_staying_changes_nothing(state: State) -> None:
    """A job that is moved where it is stays as it is."""
    before = job(state)
    assert before is before.moved(state, 2.0)


def test_start_is_the_first_running() -> None:
    """A job has begun when it first ran; pauses change nothing of that."""
    moved = job().moved(State.RUNNING, 2.0).moved(State.PAUSED, 3.0).moved(State.RUNNING, 4.0)
    assert (moved.start_time, moved.end_time, moved.update_time) == (2.0, None, 4.0)


@pytest.mark.parametrize("state", sorted(ENDED, key=str))
def test_end_has_a_time(state: State) -> None:
    """A job that ends notes when."""
    assert job(State.RUNNING).moved(state, 5.0).end_time == 5.0


def test_failure_says_why() -> None:
    """A job that is given up says why."""
    failed = job(State.RUNNING).failed(FAILURE, 2.0)
    assert (failed.state, failed.failure) == (State.FAILED, FAILURE)


def test_counts_never_exceed_the_plan() -> None:
    """No count is taken that settles more than there is."""
    planned = job().planned(Extent(searches=2), 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        planned.counted(Tally(fresh=3), 2.0)


WHOLE = Job(
    id="warm-1",
    state=State.FAILED,
    library_id="ab",
    strategy=pb.STRATEGY_ISBN,
    request_id="r",
    trigger="0 2 * * *",
    create_time=1.5,
    start_time=2.25,
    end_time=3.125,
    update_time=3.5,
    extent=Extent(rows=9, books=8, authors=7, rejects=6, duplicates=5, searches=30),
    tally=Tally(fresh=1, warmed=2, not_found=3, failed=4, parked=5, calls=6, retries=7),
    failure=FAILURE,
)


@pytest.mark.parametrize("before", [WHOLE, job()], ids=["whole", "new"])
def test_what_is_written_is_read(before: Job) -> None:
    """A job comes back from its message as it was."""
    assert before == job_of(pb.WarmJob.FromString(job_message(before).SerializeToString()))


@pytest.mark.parametrize(
    ("at", "rate", "expected"),
    [
        (job(), 1.0, -1),
        (job().planned(Extent(searches=30), 1.0), 10.0, 3_000),
        (job().planned(Extent(searches=30), 1.0), 0.0, -1),
        (job().planned(Extent(searches=30), 1.0).counted(Tally(fresh=30), 1.0), 0.0, 0),
        (WHOLE, 0.0, 0),
    ],
    ids=["no plan", "under way", "standing", "all settled", "ended"],
)
def test_time_left(at: Job, rate: float, expected: int) -> None:
    """The time left follows from the rate; nothing is made up where there is none."""
    assert expected == job_message(at, rate).progress.remaining_ms
