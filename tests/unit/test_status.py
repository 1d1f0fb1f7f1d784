"""Typed errors, their way onto the wire and back, and what a breaker makes of them."""

import re
from pathlib import Path

import grpc
import pytest
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD, ERROR_REASON_QUOTA_SPENT, ErrorReason
from hypothesis import given
from hypothesis import strategies as st

from mesh.status import (
    DETAILS_KEY,
    DETAILS_LIMIT,
    FieldViolation,
    InvalidArgumentError,
    MeshError,
    Outcome,
    ResourceExhaustedError,
    UnavailableError,
    classify,
    error_of,
    from_status,
)

PROTO = Path(__file__).parents[2] / "protos/bookmesh/mesh/v1/error_reason.proto"

FAILING_CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


def over_the_wire(error: MeshError) -> MeshError:
    """The error as its caller gets it."""
    return from_status(error.code, error.message, [(DETAILS_KEY, error.to_details())])


def content(error: MeshError) -> tuple[object, ...]:
    """All that an error says."""
    return type(error), error.code, error.reason, error.message, error.violations, error.retry_after_s, error.metadata


@pytest.mark.parametrize("code", FAILING_CODES)
def test_each_code_has_its_class(code: grpc.StatusCode) -> None:
    """Every status that is not OK is raised as a class of its own, and arrives as that class."""
    assert over_the_wire(error_of(code, "X", "text")).code is code


def test_everything_survives_the_wire() -> None:
    """Reason, sentence, field, metadata and retry time arrive as they were raised."""
    error = InvalidArgumentError(
        ERROR_REASON_INVALID_FIELD, "bad", field="q", retry_after_s=1.5, metadata={"value": "7", "limit": "5"}
    )
    assert content(over_the_wire(error)) == content(error)


def test_violations_survive_the_wire() -> None:
    """All that is wrong with a request arrives, in order, and the field of the first is the error's own."""
    violations = [FieldViolation("q", "too long", "QUERY_TOO_LONG"), FieldViolation("a.b[1]", "ungültig")]
    error = InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "bad", violations=violations)
    arrived = over_the_wire(error.detached())
    assert (list(arrived.violations), arrived.field, arrived.metadata["field"]) == (violations, "q", "q")


@given(st.dictionaries(st.text(), st.text(max_size=5_000), max_size=20), st.text(max_size=20_000))
def test_details_stay_small(metadata: dict[str, str], message: str) -> None:
    """However much an error says, its details stay below what gRPC drops, and its reason arrives."""
    error = ResourceExhaustedError(ERROR_REASON_QUOTA_SPENT, message, metadata=metadata)
    assert (len(error.to_details()) <= DETAILS_LIMIT, over_the_wire(error).reason) == (True, "QUOTA_SPENT")


def test_broken_details_do_not_hide_the_status() -> None:
    """A peer's broken details leave its status and sentence as they are."""
    error = from_status(grpc.StatusCode.UNAVAILABLE, "gone", [(DETAILS_KEY, b"\xff\xff\xff")])
    assert (error.code, error.reason, error.message) == (
        grpc.StatusCode.UNAVAILABLE,
        "SERVICE_UNREACHABLE",
        "gone",
    )


def test_message_over_the_limit_has_its_reason() -> None:
    """What gRPC itself refuses for its size gets the contract's reason."""
    error = from_status(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max", [])
    assert error.reason == "MESSAGE_TOO_LARGE"


def test_detached_keeps_what_is_said_alone() -> None:
    """What another service sees of an error has neither its cause nor its subclass."""

    class OwnError(UnavailableError):
        """A service's own."""

    error = OwnError("PROVIDER_UNAVAILABLE", "down", metadata={"provider": "x"})
    error.__cause__ = ValueError("internal")
    detached = error.detached()
    assert (type(detached), detached.__cause__, detached.metadata) == (UnavailableError, None, {"provider": "x"})


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("UNAVAILABLE", Outcome.FAILURE),
        ("DEADLINE_EXCEEDED", Outcome.FAILURE),
        ("INTERNAL", Outcome.FAILURE),
        ("UNKNOWN", Outcome.FAILURE),
        ("DATA_LOSS", Outcome.FAILURE),
        ("RESOURCE_EXHAUSTED", Outcome.BACK_OFF),
        ("CANCELLED", Outcome.NEUTRAL),
        ("INVALID_ARGUMENT", Outcome.SUCCESS),
        ("NOT_FOUND", Outcome.SUCCESS),
        ("PERMISSION_DENIED", Outcome.SUCCESS),
        ("UNIMPLEMENTED", Outcome.SUCCESS),
    ],
)
def test_classes(name: str, outcome: Outcome) -> None:
    """A breaker hears of a callee's health, not of its caller's mistakes."""
    assert classify(error_of(grpc.StatusCode[name], "X", "text")) is outcome


def test_own_refusal_is_neutral() -> None:
    """A call that a breaker further down refused says nothing of who would have answered."""
    assert classify(UnavailableError("CIRCUIT_OPEN", "open")) is Outcome.NEUTRAL


def test_each_reason_has_its_sample() -> None:
    """Every reason of the contract stands there with a sample that names it."""
    text = PROTO.read_text()
    sampled = re.findall(r'Sample: \{"reason": "(\w+)".*\n\s*ERROR_REASON_(\w+) = ', text)
    expected = [name.removeprefix("ERROR_REASON_") for name, value in ErrorReason.items() if value]
    assert sampled == [(name, name) for name in expected]
