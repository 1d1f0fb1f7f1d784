"""What mutation testing tells: counts by file, and what nobody noticed."""

import io

import pytest
from rich.console import Console

from bench.mutants import Tally, is_enough, show, tally

RESULTS = """
    mesh.outcome_window.xǁOutcomeWindowǁrecord__mutmut_16: survived
    mesh.outcome_window.xǁOutcomeWindowǁrecord__mutmut_17: killed
    mesh.breaker.x__first_state__mutmut_1: killed
    mesh.breaker.xǁBreakerǁ__init____mutmut_30: timeout
    mesh.breaker.xǁBreakerǁ__init____mutmut_31: no tests
"""


def test_counts_by_file() -> None:
    """A change that made a test fail or hang was noticed; one that survived, or that no test reaches, was not."""
    assert tally(RESULTS.splitlines()) == {
        "mesh/outcome_window.py": Tally(1, ["mesh.outcome_window.xǁOutcomeWindowǁrecord__mutmut_16"]),
        "mesh/breaker.py": Tally(2, ["mesh.breaker.xǁBreakerǁ__init____mutmut_31"]),
    }


@pytest.mark.parametrize(
    ("noticed", "unnoticed", "expected"), [(95, 5, True), (94, 6, False), (0, 0, False), (100, 0, True)]
)
def test_what_is_enough(noticed: int, unnoticed: int, *, expected: bool) -> None:
    """The breaker needs nineteen of twenty; where nothing was changed nothing was proven."""
    assert is_enough({"mesh/breaker.py": Tally(noticed, ["x"] * unnoticed)}) is expected


def test_no_results_are_not_enough() -> None:
    """A run that left the breaker out proves nothing of it."""
    assert not is_enough({"mesh/outcome_window.py": Tally(9, [])})


def test_what_is_shown() -> None:
    """Each file has a line with its counts and its share, and each change that nobody noticed is named."""
    shown = io.StringIO()
    show(tally(RESULTS.splitlines()), Console(file=shown, width=120))
    assert [line.split() for line in shown.getvalue().splitlines()[:3]] == [
        ["File", "Killed", "Total", "Share", "Wanted"],
        ["mesh/breaker.py", "2", "3", "66.7%", "95%"],
        ["mesh/outcome_window.py", "1", "2", "50.0%"],
    ]
    assert "mutmut show mesh.breaker.xǁBreakerǁ__init____mutmut_31" in shown.getvalue()
