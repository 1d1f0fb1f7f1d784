"""Counting what became of searches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.warmer.jobs.outcome import BatchRecord, Outcome, Settled, Tally

PARKED = Settled(Outcome.PARKED, "PROVIDER_UNAVAILABLE", "the provider is down")


def test_a_search_counts_once() -> None:
    """What a search was settled as first, it stays."""
    record = BatchRecord(2)
    told = [record.settle(0, Settled(Outcome.WARMED)), record.settle(0, Settled(Outcome.FRESH))]
    assert (told, record.tally()) == ([True, False], Tally(warmed=1))


@pytest.mark.parametrize("place", [-1, 2])
def test_no_place_outside(place: int) -> None:
    """A batch counts no search that is not its own."""
    with pytest.raises(IndexError):
        BatchRecord(2).settle(place, PARKED)


def test_pending() -> None:
    """What is not settled is pending, in order."""
    record = BatchRecord(3)
    record.settle(1, PARKED)
    assert record.pending() == [0, 2]


RECORDS = st.dictionaries(
    st.integers(0, 9),
    st.one_of(
        st.sampled_from([Settled(outcome) for outcome in (Outcome.FRESH, Outcome.WARMED, Outcome.NOT_FOUND)]),
        st.builds(Settled, st.sampled_from([Outcome.FAILED, Outcome.PARKED]), st.text(min_size=1), st.text()),
    ),
)


@settings(deadline=None)  # other work on the machine is no fault of this
@given(RECORDS, st.integers(0, 1_000), st.integers(0, 1_000))
def test_what_is_written_is_read(outcomes: dict[int, Settled], calls: int, retries: int) -> None:
    """A record comes back from its bytes as it was."""
    record = BatchRecord(10, calls, retries)
    for place, settled in outcomes.items():
        record.settle(place, settled)
    again = BatchRecord.decode(record.encode(), 10)
    assert again is not None
    assert (record.tally(), [record.get(at) for at in range(10)]) == (
        again.tally(),
        [again.get(at) for at in range(10)],
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"outcomes":"FF"}',
        b'{"outcomes":"F","calls":0,"retries":0,"why":{}}',
        b'{"outcomes":"FF","calls":"x","retries":0,"why":{}}',
        BatchRecord(2).encode()[:-3],
        b"\xff" * 20,
    ],
)
def test_anything_else_is_no_record(data: bytes) -> None:
    """A torn or foreign value is as good as none, so that its batch is run again."""
    assert BatchRecord.decode(data, 2) is None


@settings(deadline=None)  # other work on the machine is no fault of this
@given(st.lists(st.sampled_from(Outcome), max_size=30))
def test_settled_adds_up(outcomes: list[Outcome]) -> None:
    """The settled searches are those of all outcomes together."""
    record = BatchRecord(30)
    for place, outcome in enumerate(outcomes):
        record.settle(place, Settled(outcome))
    assert len(outcomes) == record.tally().settled


def test_tallies_add_up() -> None:
    """Two tallies together count both."""
    one = Tally(fresh=1, warmed=2, not_found=3, failed=4, parked=5, calls=6, retries=7)
    assert Tally(fresh=2, warmed=4, not_found=6, failed=8, parked=10, calls=12, retries=14) == one + one
