"""Half-open: how many probes pass, what they decide, and why it can't stick."""

import pytest

from mesh.breaker import Refusal
from mesh.status import Outcome
from tests.unit.breaker.driving import CLOSED, HALF_OPEN, OPEN, F, N, S, half_opened


@pytest.mark.case(7)
def test_as_many_probes_as_set() -> None:
    """Four probes pass, the fifth and sixth call are refused; opened and half-open again, there are four fresh ones."""
    driven = half_opened(probes=4)
    old = driven.permits(4)
    refused = [driven.refusal(), driven.refusal()]
    driven.release(old[:1], F)
    driven.clock.advance(90)
    fresh = driven.permits(4)
    assert (driven.state, driven.refusal(), len(refused), set(old) & set(fresh)) == (
        HALF_OPEN,
        Refusal(30.0),
        2,
        set(),
    )


@pytest.mark.case(8)
def test_a_place_given_back_is_free() -> None:
    """A probe that ends without saying anything gives its place to the next call."""
    driven = half_opened()
    probe = driven.permit()
    refused = driven.refusal()
    driven.release([probe], N)
    driven.permit()
    assert (refused, driven.state) == (Refusal(30.0), HALF_OPEN)


@pytest.mark.case("cancelled probe")
def test_cancelled_probe_decides_nothing() -> None:
    """A probe whose caller went away neither closes nor opens, however slow it was."""
    driven = half_opened(slow_rate=0.5, slow_s=1)
    driven.call(N, took_s=2)
    assert (driven.state, driven.breaker.retry_after_s()) == (HALF_OPEN, 0.0)


@pytest.mark.case(9)
@pytest.mark.parametrize("outcome", [Outcome.NEUTRAL, Outcome.BACK_OFF])
def test_what_says_nothing_does_not_count_as_a_probe(outcome: Outcome) -> None:
    """Three successes, one call that says nothing, and a fourth success close it: the fourth place was given back."""
    driven = half_opened(probes=4)
    driven.call(S, S, S, outcome)
    before = driven.state
    driven.call(S)
    assert (before, driven.state) == (HALF_OPEN, CLOSED)


@pytest.mark.case(10)
@pytest.mark.case(24)
@pytest.mark.parametrize("successes", [0, 1, 2])
def test_one_failed_probe_opens(successes: int) -> None:
    """Half-open rates nothing: the first probe that fails opens, however many succeeded before it."""
    driven = half_opened(probes=3)
    driven.call(*[S] * successes, F)
    assert (driven.state, driven.moves()[-1]) == (OPEN, ("HALF_OPEN", "OPEN", "probe"))


@pytest.mark.case(11)
@pytest.mark.parametrize(("took_s", "expected"), [(3.999, CLOSED), (4.0, OPEN)])
def test_slow_probe_opens(took_s: float, expected: object) -> None:
    """A probe that succeeds, but slowly, opens again where slow calls are looked at."""
    driven = half_opened(slow_rate=0.5, slow_s=4)
    driven.call(S, took_s=took_s)
    assert driven.state is expected


@pytest.mark.case(12)
def test_lost_probes_cannot_stick() -> None:
    """A probe that is never heard of gives its place up when its lease is over, and not before."""
    driven = half_opened(probes=2, probe_lease_s=1)
    driven.permits(1)
    driven.clock.advance(0.5)
    driven.permits(1)
    driven.clock.advance(0.499)
    early = driven.refusal()
    driven.clock.advance(0.001)
    driven.permit()
    full = driven.refusal()
    assert early.retry_after_s == pytest.approx(0.001)
    assert full == Refusal(0.5)


@pytest.mark.case(12)
def test_probe_home_late_still_decides_while_its_place_is_its_own() -> None:
    """A probe whose lease is over decides as long as nobody else asked for its place."""
    driven = half_opened(probe_lease_s=1)
    probe = driven.permit()
    driven.clock.advance(100)
    left = driven.breaker.retry_after_s()
    driven.release([probe], S)
    assert (left, driven.state) == (0.0, CLOSED)


@pytest.mark.case(12)
def test_probe_whose_place_went_to_another_decides_nothing() -> None:
    """Once its place is another's, the outcome of a lost probe is of yesterday."""
    driven = half_opened(probe_lease_s=1)
    lost = driven.permit()
    driven.clock.advance(1)
    driven.permit()
    driven.release([lost], F)
    assert (driven.state, driven.refusal()) == (HALF_OPEN, Refusal(1.0))


@pytest.mark.case(24)
def test_excluded_calls_take_no_place() -> None:
    """Four calls that say nothing use up none of three places."""
    driven = half_opened(probes=3)
    driven.call(N, N, N, N)
    driven.permits(3)
    assert driven.state is HALF_OPEN


@pytest.mark.case(25)
def test_all_probes_must_succeed() -> None:
    """Two of three successes leave it half-open and let no fourth call in beside the third probe; the third closes."""
    driven = half_opened(probes=3)
    probes = driven.permits(3)
    refused, states = driven.refusal(), []
    for probe in probes:
        driven.release([probe], S)
        states.append(driven.state)
        if driven.state is HALF_OPEN:
            assert isinstance(driven.breaker.acquire(), Refusal)
    assert (refused, states) == (Refusal(30.0), [HALF_OPEN, HALF_OPEN, CLOSED])


@pytest.mark.case(25)
def test_closing_forgets() -> None:
    """A breaker that closes has no failure left from before it opened."""
    driven = half_opened()
    driven.call(S)
    driven.call(F, F)
    assert (driven.moves()[-1], driven.breaker.consecutive_failures) == (("HALF_OPEN", "CLOSED", "probe"), 2)


@pytest.mark.case(37)
def test_failure_resets_the_successes() -> None:
    """Successes from before a failed probe do not count: after the next opening all three are needed again."""
    driven = half_opened(probes=3)
    driven.call(S, S, F)
    driven.clock.advance(90)
    driven.call(S, S)
    before = driven.state
    driven.call(S)
    assert (before, driven.state) == (HALF_OPEN, CLOSED)


def test_probe_given_back_twice_counts_once() -> None:
    """Giving the same probe back again changes nothing."""
    driven = half_opened(probes=2)
    probe = driven.permit()
    driven.release([probe, probe], S)
    assert driven.state is HALF_OPEN


def test_probes_count_among_the_calls_let_through() -> None:
    """Calls let through and calls refused are counted in every state that refuses or passes."""
    driven = half_opened()
    driven.permit()
    driven.refusal()
    assert (driven.breaker.permitted_count, driven.breaker.refused_count) == (4, 1)


def test_time_to_wait_is_that_of_the_lease_that_ends_first() -> None:
    """With all places taken a caller is told when the first may be free at the latest."""
    driven = half_opened(probes=2, probe_lease_s=10)
    driven.permit()
    driven.clock.advance(4)
    free = driven.breaker.retry_after_s()
    driven.permit()
    driven.clock.advance(1)
    assert (free, driven.breaker.retry_after_s()) == (0.0, 5.0)
