"""What a person may do to a breaker, and what it does then."""

import pytest

from mesh.breaker import BreakerState, Refusal
from tests.unit.breaker.driving import (
    CLOSED,
    DISABLED,
    FORCED_OPEN,
    HALF_OPEN,
    METRICS_ONLY,
    OPEN,
    F,
    S,
    half_opened,
    made,
    opened,
)


@pytest.mark.case(13)
def test_forced_open_never_leaves_by_time() -> None:
    """A breaker that a person forced open stays so, and sends callers away for a whole opening, not for no time."""
    driven = made(open_s=7)
    driven.breaker.set(FORCED_OPEN)
    driven.clock.advance(1e6)
    assert (driven.refusal(), driven.state, driven.breaker.refused_count) == (Refusal(7.0), FORCED_OPEN, 1)


@pytest.mark.case(14)
def test_disabled_passes_all_and_counts_nothing() -> None:
    """A disabled breaker lets everything pass, counts nothing, and tells nothing but that it was disabled."""
    driven = made(minimum_calls=1, slow_rate=0.1)
    driven.breaker.set(DISABLED)
    driven.call(*[F] * 50, took_s=1e6)
    breaker = driven.breaker
    assert (driven.state, breaker.permitted_count, breaker.consecutive_failures, breaker.measured().calls) == (
        DISABLED,
        0,
        0,
        0,
    )
    assert driven.moves() == [("CLOSED", "DISABLED", "hand")]


@pytest.mark.case(15)
def test_metrics_only_counts_tells_once_and_refuses_nothing() -> None:
    """A breaker that only measures tells once that it would have opened, and never refuses."""
    driven = made()
    driven.breaker.set(METRICS_ONLY)
    driven.call(*[F] * 9)
    assert (driven.breaker.consecutive_failures, driven.breaker.permitted_count, driven.breaker.refused_count) == (
        9,
        9,
        0,
    )
    assert driven.moves() == [
        ("CLOSED", "METRICS_ONLY", "hand"),
        ("METRICS_ONLY", "METRICS_ONLY", "consecutive_failures"),
    ]


@pytest.mark.case(15)
def test_metrics_only_tells_again_when_it_was_set_again() -> None:
    """A person who sets it anew wants to hear anew."""
    driven = made()
    for _ in range(2):
        driven.breaker.set(METRICS_ONLY)
        driven.call(F, F, F, F)
    assert [why for _, _, why in driven.moves()] == ["hand", "consecutive_failures"] * 2


@pytest.mark.case(15)
def test_metrics_only_measures_rates() -> None:
    """Rates are measured as in a closed breaker, and tell which of them would have opened it."""
    driven = made(consecutive_failures=0, failure_rate=0, slow_rate=0.5, slow_s=1, minimum_calls=2)
    driven.breaker.set(METRICS_ONLY)
    driven.call(S, S, took_s=1)
    assert (driven.breaker.measured().slow_rate, driven.told[-1].why) == (1.0, "slow_rate")


@pytest.mark.case(16)
@pytest.mark.parametrize("state", [OPEN, HALF_OPEN])
def test_open_and_half_open_are_not_for_hands(state: BreakerState) -> None:
    """OPEN and HALF_OPEN are reached by calls and time alone; asking for them changes nothing."""
    driven = made()
    driven.call(F, F)
    with pytest.raises(ValueError, match=f"{state.value} can't be set by hand"):
        driven.breaker.set(state)
    assert (driven.state, driven.breaker.consecutive_failures, driven.told) == (CLOSED, 2, [])


@pytest.mark.case(17)
def test_set_closed_forgets_everything() -> None:
    """A person who closes an open breaker lets calls pass at once; nothing that was counted is left."""
    driven = made()
    driven.call(S, S, F, F)
    counted = driven.breaker.measured().calls
    driven.breaker.set(METRICS_ONLY)
    driven.call(F)
    driven.breaker.set(CLOSED)
    left = (driven.breaker.consecutive_failures, driven.breaker.measured().calls, driven.breaker.retry_after_s())
    assert (counted, left) == (4, (0, 0, 0.0))


@pytest.mark.case(17)
def test_set_closed_forgets_in_a_closed_breaker_too() -> None:
    """Setting a closed breaker to CLOSED begins its counts anew, and is told as a deed of a hand."""
    driven = made()
    driven.call(F, F)
    driven.breaker.set(CLOSED)
    driven.call(F, F)
    assert (driven.state, driven.moves()) == (CLOSED, [("CLOSED", "CLOSED", "hand")])


@pytest.mark.case(18)
@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({}, CLOSED),
        ({"enforced": False}, METRICS_ONLY),
        ({"enabled": False}, DISABLED),
        ({"enabled": False, "enforced": False}, DISABLED),
    ],
)
def test_first_state(settings: dict[str, bool], state: BreakerState) -> None:
    """Settings say where it begins; disabled is the stronger word."""
    assert made(**settings).state is state


@pytest.mark.case(19)
@pytest.mark.parametrize("state", [CLOSED, FORCED_OPEN, DISABLED, METRICS_ONLY])
def test_time_moves_nothing_that_a_hand_has_set(state: BreakerState) -> None:
    """A breaker that was open when a person moved it does not become half-open when its time is over."""
    driven = opened()
    driven.breaker.set(state)
    driven.clock.advance(60)
    driven.breaker.acquire()
    assert driven.state is state


@pytest.mark.parametrize("state", [CLOSED, FORCED_OPEN, DISABLED, METRICS_ONLY])
def test_a_hand_ends_the_growth(state: BreakerState) -> None:
    """After a move by hand the next opening is as short as the first, and its probes are all free."""
    driven = half_opened(probes=2)
    driven.permit()
    driven.breaker.set(state)
    driven.breaker.set(CLOSED)
    driven.call(F, F, F)
    left = driven.breaker.retry_after_s()
    driven.clock.advance(60)
    driven.permits(2)
    assert left == 60.0
