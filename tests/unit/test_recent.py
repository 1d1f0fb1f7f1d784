"""How long a callee lately needed."""

import pytest

from mesh.recent import LEAST, WINDOW_S, Recent


def filled(at: float = 0.0, seconds: float = 0.1, count: int = LEAST) -> Recent:
    """Durations that are all alike."""
    recent = Recent()
    for _ in range(count):
        recent.record(at, seconds)
    return recent


def test_median() -> None:
    """Enough durations tell their median, as exactly as the histogram can."""
    assert filled().quantile_s(1.0, 0.5) == pytest.approx(0.1, rel=0.04)


def test_too_few_tell_nothing() -> None:
    """One less than enough tells nothing."""
    assert filled(count=LEAST - 1).quantile_s(1.0, 0.5) is None


def test_both_halves_count() -> None:
    """Durations of the half before the current one still count."""
    recent = filled(count=LEAST - 1)
    recent.record(WINDOW_S + 1, 0.1)
    assert recent.quantile_s(WINDOW_S + 2, 0.5) == pytest.approx(0.1, rel=0.04)


def test_old_ones_are_forgotten() -> None:
    """After two windows nothing is known any more, so a callee that was slow once is asked again."""
    assert filled().quantile_s(2 * WINDOW_S + 1, 0.5) is None


def test_answer_is_kept_for_a_second() -> None:
    """What was found is told for a second, for finding it costs as much as a call."""
    recent = filled(seconds=0.1)
    first = recent.quantile_s(1.0, 0.5)
    for _ in range(10 * LEAST):
        recent.record(1.0, 5.0)
    assert recent.quantile_s(1.9, 0.5) == first
    assert recent.quantile_s(2.1, 0.5) == pytest.approx(5.0, rel=0.04)
