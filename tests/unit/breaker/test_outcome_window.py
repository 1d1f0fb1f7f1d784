"""The window over the last seconds' calls, against a list that keeps every call."""

from hypothesis import given
from hypothesis import strategies as st

from mesh.outcome_window import Counts, OutcomeWindow


def test_buckets_expire_one_by_one() -> None:
    """Each second's calls leave the window when they are older than it, and no sooner."""
    window = OutcomeWindow(3.0, 3)
    for second in range(3):
        window.record(second + 0.5, failed=second == 0, slow=second == 1)
    before = Counts(window.total.calls, window.total.failures, window.total.slow)
    window.advance(3.0)
    assert (before, window.total) == (Counts(3, 1, 1), Counts(2, 0, 1))


def test_a_bucket_forgets_all_that_it_holds() -> None:
    """Several calls of one bucket leave the totals together, each in every count that it was in."""
    window = OutcomeWindow(2.0, 2)
    for failed, slow in ((True, True), (True, True), (False, True), (False, False)):
        window.record(0.0, failed=failed, slow=slow)
    before = Counts(window.total.calls, window.total.failures, window.total.slow)
    window.advance(2.0)
    assert (before, window.total) == (Counts(4, 2, 3), Counts())


def test_clock_that_goes_back_forgets_nothing() -> None:
    """A time before the newest is counted with the newest."""
    window = OutcomeWindow(10.0, 10)
    window.record(100.0, failed=True, slow=False)
    window.record(5.0, failed=True, slow=False)
    assert window.total == Counts(2, 2, 0)


def test_clear() -> None:
    """A cleared window begins anew, and its buckets take nothing away later."""
    window = OutcomeWindow(2.0, 2)
    window.record(0.0, failed=True, slow=True)
    window.clear()
    window.advance(50.0)
    assert window.total == Counts()


_CALLS = st.lists(st.tuples(st.sampled_from([0, 1, 2, 5, 40]), st.booleans(), st.booleans()), max_size=60)


@given(calls=_CALLS, buckets=st.integers(1, 12), step_s=st.sampled_from([0.25, 1.0, 4.0]))
def test_counts_like_a_list_of_all_calls(calls: list[tuple[int, bool, bool]], buckets: int, step_s: float) -> None:
    """Whatever the pauses between calls, the totals are those of the calls whose step is in the window."""
    window, now, kept = OutcomeWindow(buckets * step_s, buckets), 0, list[tuple[int, bool, bool]]()
    for pause, failed, slow in calls:
        now += pause
        window.record(now * step_s, failed=failed, slow=slow)
        kept.append((now, failed, slow))
    inside = [(failed, slow) for at, failed, slow in kept if at > now - buckets]
    assert window.total == Counts(len(inside), sum(f for f, _ in inside), sum(s for _, s in inside))
