"""What is expected of the figures, and whether they meet it: ratios before absolutes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.measure import Cost, Shape

_ABOUT = 1.1
"""An absolute figure says "about": a tenth more still meets it. Ratios are taken as they stand."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation of the CPU time of a call, for calls of one shape."""

    rival: str
    """Whose calls."""
    limit: Mapping[str, float]
    """The figure, by what is asked."""
    over: str = ""
    """Whose calls they are compared with: then the figure is the least ratio; else the most microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an expectation for one question."""

    expected: Expected
    """What was expected."""
    question: str
    """What was asked."""
    measured: float
    """Microseconds or ratio, as the expectation has it."""
    met: bool
    """Whether it was met."""


def _each(figure: float) -> Mapping[str, float]:
    return {"EMPTY": figure, "FORTY": figure}


EXPECTED: Sequence[Expected] = (
    Expected("in_process", {"EMPTY": 15.0, "FORTY": 30.0}),
    Expected("fastapi", _each(40.0), over="in_process"),
    Expected("fastapi", _each(2.0), over="unix"),
    Expected("fastapi", _each(2.0), over="tcp"),
    Expected("aiohttp", _each(6.0), over="in_process"),
)
"""What the project set out to reach with one call at a time, on two cores, with every layer on and isolation kept."""


def verdicts(medians: Mapping[tuple[str, Shape], Cost], in_flight: int) -> Sequence[Verdict]:
    """Each expectation beside what was measured, for calls of which so many are in flight."""
    return [
        _verdict(expected, question, limit, medians, in_flight)
        for expected in EXPECTED
        for question, limit in expected.limit.items()
    ]


def _verdict(
    expected: Expected, question: str, limit: float, medians: Mapping[tuple[str, Shape], Cost], in_flight: int
) -> Verdict:
    shape = Shape(question, in_flight)
    cost = medians[expected.rival, shape].cpu_s
    if expected.over:
        measured = cost / medians[expected.over, shape].cpu_s
        met = measured >= limit
    else:
        measured = cost * 1e6
        met = measured <= limit * _ABOUT
    return Verdict(expected=expected, question=question, measured=measured, met=met)
