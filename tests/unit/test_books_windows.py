"""What an answer is worth at a given age: every window at its edges, and chance as XFetch has it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.books.entry import Entry
from services.books.windows import JITTER, Windows, Worth, jittered

WINDOWS = Windows(
    fresh_s=1_000.0, negative_s=50.0, warmed_negative_s=500.0, partial_s=20.0, revalidate_s=100.0, error_s=500.0
)
UNTIL = 10_000.0
WHOLE = Entry(works=b"\n\x00", ends=(2,), cache_time=UNTIL - 1_000, fresh_until=UNTIL)
EMPTY = replace(WHOLE, works=b"", ends=())
PARTIAL = replace(WHOLE, partial=True)
CHANCES = st.floats(0.0, 1.0, exclude_max=True)
SECONDS = st.floats(0.001, 1e6)


def never() -> float:
    """Chance as it is when it shortens nothing and begins no refresh."""
    return 0.0


def worst() -> float:
    """The chance that shortens most and refreshes earliest."""
    return math.nextafter(1.0, 0.0)


@pytest.mark.parametrize(
    ("past_s", "expected"),
    [
        (-1_000.0, Worth.FRESH),
        (-0.001, Worth.FRESH),
        (0.0, Worth.STALE),
        (99.999, Worth.STALE),
        (100.0, Worth.LAST_RESORT),
        (499.999, Worth.LAST_RESORT),
        (500.0, Worth.NOTHING),
        (1e9, Worth.NOTHING),
    ],
)
def test_whole_answer_at_each_edge(past_s: float, expected: Worth) -> None:
    """A whole answer is fresh until its time, and each window behind it ends to the very moment."""
    assert expected is WINDOWS.worth(WHOLE, UNTIL + past_s, never)


@pytest.mark.parametrize("entry", [EMPTY, PARTIAL, replace(EMPTY, partial=True)], ids=["empty", "partial", "both"])
@pytest.mark.parametrize(
    ("past_s", "expected"),
    [(-0.001, Worth.FRESH), (0.0, Worth.LAST_RESORT), (499.999, Worth.LAST_RESORT), (500.0, Worth.NOTHING)],
)
def test_poor_answer_is_not_given_while_it_is_refreshed(entry: Entry, past_s: float, expected: Worth) -> None:
    """What is empty or partial has no window of stale-while-revalidate: past its time it is a last resort at once."""
    assert expected is WINDOWS.worth(entry, UNTIL + past_s, never)


def test_windows_of_nothing() -> None:
    """Where both windows are closed an answer is worth nothing from the moment that its time is over."""
    closed = replace(WINDOWS, revalidate_s=0.0, error_s=0.0)
    assert [closed.worth(WHOLE, now, never) for now in (UNTIL - 0.001, UNTIL)] == [Worth.FRESH, Worth.NOTHING]


@pytest.mark.parametrize(
    ("is_empty", "is_partial", "expected_s"),
    [(False, False, 1_000.0), (True, False, 50.0), (False, True, 20.0), (True, True, 20.0)],
)
def test_how_long_an_answer_is_fresh(*, is_empty: bool, is_partial: bool, expected_s: float) -> None:
    """A whole answer is fresh for longest; of what makes an answer poor, the shorter time holds."""
    found = WINDOWS.fresh_until(UNTIL, is_empty=is_empty, is_partial=is_partial, chance=never)
    assert UNTIL + expected_s == found


@pytest.mark.parametrize(("is_empty", "is_partial"), [(True, False), (False, True)])
def test_poor_answer_never_outlives_a_whole_one(*, is_empty: bool, is_partial: bool) -> None:
    """Where whole answers are fresh for less than poor ones might be, no answer is fresh for longer than that."""
    short = replace(WINDOWS, fresh_s=5.0)
    assert short.fresh_until(UNTIL, is_empty=is_empty, is_partial=is_partial, chance=never) == UNTIL + 5.0


@given(seconds=SECONDS, chance=CHANCES)
def test_jitter_takes_up_to_a_tenth(seconds: float, chance: float) -> None:
    """Chance takes nothing or up to a tenth of a time to live, and never adds to it."""
    assert seconds * (1.0 - JITTER) <= jittered(seconds, lambda: chance) <= seconds


@given(one=CHANCES, other=CHANCES)
def test_jitter_spreads(one: float, other: float) -> None:
    """Of two chances the greater leaves no more time, so that what was cached together ends apart."""
    low, high = sorted((one, other))
    assert jittered(100.0, lambda: low) >= jittered(100.0, lambda: high)


@given(
    left_s=st.floats(0.01, 5_000.0), fetch_s=st.floats(0.0, 100.0), partial=st.booleans(), chance=CHANCES | st.just(-1)
)
def test_surely_fresh_is_never_due(left_s: float, fetch_s: float, chance: float, *, partial: bool) -> None:
    """What is told to be surely fresh is fresh by whatever chance, so that it can be given without asking any."""
    entry = replace(WHOLE, fetch_s=fetch_s, partial=partial)
    now = UNTIL - left_s
    dice = worst if chance < 0 else (lambda: chance)
    if WINDOWS.is_surely_fresh(entry, now):
        assert WINDOWS.worth(entry, now, dice) is Worth.FRESH
    else:
        assert WINDOWS.worth(entry, now, dice) in (Worth.FRESH, Worth.DUE)


def test_what_cost_no_time_is_surely_fresh_to_the_end() -> None:
    """An answer that took no time is refreshed no sooner than it must be."""
    assert [WINDOWS.is_surely_fresh(WHOLE, now) for now in (UNTIL - 0.001, UNTIL)] == [True, False]
    assert WINDOWS.worth(WHOLE, UNTIL - 0.001, worst) is Worth.FRESH


@pytest.mark.parametrize("fetch_s", [0.2, 2.0])
@pytest.mark.parametrize("times", [0.1, 0.5, 1.0, 2.0, 5.0])
def test_share_of_refreshes_is_that_of_the_paper(fetch_s: float, times: float) -> None:
    """Of all chances, evenly spread, exp(-left/fetch) begin a refresh: P(-log(1-u) >= left/fetch), with beta as 1."""
    entry, count = replace(WHOLE, fetch_s=fetch_s), 20_000
    now = UNTIL - times * fetch_s
    due = 0
    for at in range(count):
        chance = (at + 0.5) / count
        due += WINDOWS.worth(entry, now, lambda chance=chance: chance) is Worth.DUE  # type: ignore[misc]  # this one
    assert due / count == pytest.approx(math.exp(-times), abs=2 / count)


def test_slow_providers_are_asked_earlier() -> None:
    """At the same moment and by the same chance, what took long is refreshed and what was quick is not."""
    worths = [WINDOWS.worth(replace(WHOLE, fetch_s=fetch_s), UNTIL - 1.0, lambda: 0.5) for fetch_s in (0.1, 10.0)]
    assert worths == [Worth.FRESH, Worth.DUE]


@given(
    revalidate_s=st.integers(0, 1_000), error_s=st.integers(0, 1_000), later_s=st.integers(0, 10_000), chance=CHANCES
)
def test_last_use(revalidate_s: int, error_s: int, later_s: int, chance: float) -> None:
    """From its last use on an answer is worth nothing, and before that a whole one is worth something."""
    windows = replace(WINDOWS, revalidate_s=revalidate_s, error_s=error_s)
    last = windows.last_use(WHOLE)
    assert windows.worth(WHOLE, last + later_s, lambda: chance) is Worth.NOTHING
    assert windows.worth(WHOLE, last - 0.01, lambda: chance) is not Worth.NOTHING


@given(made=st.integers(0, 2**32), chance=CHANCES, is_empty=st.booleans(), is_partial=st.booleans())
def test_no_answer_outlives_the_longest_life(made: int, chance: float, *, is_empty: bool, is_partial: bool) -> None:
    """No answer is worth anything once the longest life is over since it was made, and bans may go by that."""
    fresh_until = WINDOWS.fresh_until(made, is_empty=is_empty, is_partial=is_partial, chance=lambda: chance)
    entry = replace(WHOLE, cache_time=made, fresh_until=fresh_until)
    assert WINDOWS.last_use(entry) <= made + WINDOWS.longest_s
