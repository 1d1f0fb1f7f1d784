"""What the benchmark expects of its figures: met or missed, as they stand."""

import pytest

from bench.expectations import verdicts
from bench.measure import Cost, Shape

RIVALS = ("in_process", "unix", "tcp", "fastapi", "aiohttp")


def judged(costs_us: dict[str, float], question: str = "EMPTY", in_flight: int = 1) -> dict[str, tuple[float, bool]]:
    """The verdicts on one question by "RIVAL" or "RIVAL/OVER", when calls cost so much and unnamed ones 1 us."""
    medians = {
        (rival, Shape(each, in_flight)): Cost(costs_us.get(rival, 1.0) * 1e-6, 0.0)
        for rival in RIVALS
        for each in ("EMPTY", "FORTY")
    }
    return {
        f"{verdict.expected.rival}/{verdict.expected.over}".rstrip("/"): (round(verdict.measured, 6), verdict.met)
        for verdict in verdicts(medians, in_flight)
        if verdict.question == question
    }


@pytest.mark.parametrize(
    ("question", "cost", "met"),
    [("EMPTY", 16.4, True), ("EMPTY", 16.6, False), ("FORTY", 32.9, True), ("FORTY", 33.1, False)],
)
def test_in_process(question: str, cost: float, *, met: bool) -> None:
    """About 15 us empty and 30 us for forty results: a tenth more is still about that."""
    assert judged({"in_process": cost}, question)["in_process"] == (cost, met)


@pytest.mark.parametrize(
    ("rival", "over", "least"),
    [("fastapi", "in_process", 40), ("fastapi", "unix", 2), ("fastapi", "tcp", 2), ("aiohttp", "in_process", 6)],
)
@pytest.mark.parametrize("question", ["EMPTY", "FORTY"])
def test_ratios(rival: str, over: str, least: int, question: str) -> None:
    """A ratio that is reached is met, and one that is nearly reached is not."""
    assert [judged({over: 10, rival: 10 * ratio}, question)[f"{rival}/{over}"] for ratio in (least, least - 0.01)] == [
        (least, True),
        (least - 0.01, False),
    ]


def test_calls_in_flight_are_judged_by_their_own_figures() -> None:
    """The figures of sixteen calls in flight are judged as those of one at a time are."""
    assert judged({"in_process": 99.0}, in_flight=16)["in_process"] == (99.0, False)
