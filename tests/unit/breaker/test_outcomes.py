"""What each way for a call to end is to a breaker: a success, a failure, or nothing at all."""

import grpc
import pytest

from mesh.status import MeshError, UnavailableError, classify, error_of
from tests.unit.breaker.driving import made

FAILURES = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "DATA_LOSS"}
"""The callee, or the way to it, is not well."""

NOTHING = {"CANCELLED", "RESOURCE_EXHAUSTED"}
"""The caller went away, or the callee is well and asks for fewer calls."""


def row_after(error: MeshError | None) -> int:
    """Failures in a row after two failures and a call that ended so."""
    driven = made(consecutive_failures=9)
    down = UnavailableError("PROVIDER_UNAVAILABLE", "down")
    driven.call(classify(down), classify(down), classify(error))
    return driven.breaker.consecutive_failures


@pytest.mark.case(20)
@pytest.mark.case(38)
@pytest.mark.parametrize("code", list(grpc.StatusCode), ids=lambda code: code.name)
def test_by_status(code: grpc.StatusCode) -> None:
    """Each status is exactly one of the three; what is neither a failure nor nothing is a success, as OK is."""
    error = None if code is grpc.StatusCode.OK else error_of(code, "ANY", "any")
    expected = 3 if code.name in FAILURES else 2 if code.name in NOTHING else 0
    assert row_after(error) == expected


@pytest.mark.case(20)
@pytest.mark.parametrize("reason", ["CIRCUIT_OPEN", "DEADLINE_TOO_SHORT"])
def test_own_refusals_are_nothing(reason: str) -> None:
    """A refusal of the mesh itself says nothing of the callee, though its status is one of a failure."""
    assert row_after(UnavailableError(reason, "refused")) == 2


@pytest.mark.case(38)
def test_subclass_counts_as_its_status() -> None:
    """An error of a service's own class counts as the status that it is raised with."""

    class MineError(UnavailableError):
        pass

    assert row_after(MineError("PROVIDER_UNAVAILABLE", "down")) == 3
