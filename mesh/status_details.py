"""A MeshError as it crosses the wire: the only place that writes and reads google.rpc.Status.

gRPC carries it in trailing metadata; https://cloud.google.com/apis/design/errors is its model.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import grpc
from bookmesh.mesh.v1 import error_reason_pb2, error_trail_pb2
from bookmesh.mesh.v1.error_reason_pb2 import ErrorReason
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from mesh.status import FieldViolation, Hop, MeshError, error_of

DOMAIN = "bookmesh"
"""The domain of every ErrorInfo (AIP-193)."""

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata key under which gRPC carries a google.rpc.Status."""

DETAILS_LIMIT = 7_000
"""Bytes of details that are sent at most; gRPC drops calls whose trailers pass about 8 KB."""

_REASON_OF_BARE_STATUS: dict[grpc.StatusCode, ErrorReason.ValueType] = {
    grpc.StatusCode.CANCELLED: error_reason_pb2.ERROR_REASON_CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED: error_reason_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
    grpc.StatusCode.UNAVAILABLE: error_reason_pb2.ERROR_REASON_SERVICE_UNREACHABLE,
    grpc.StatusCode.UNIMPLEMENTED: error_reason_pb2.ERROR_REASON_METHOD_UNKNOWN,
    # gRPC itself says RESOURCE_EXHAUSTED of a message over the limit; whatever else does so gives its reason.
    grpc.StatusCode.RESOURCE_EXHAUSTED: error_reason_pb2.ERROR_REASON_MESSAGE_TOO_LARGE,
    grpc.StatusCode.UNAUTHENTICATED: error_reason_pb2.ERROR_REASON_NOT_PROVEN,
    grpc.StatusCode.PERMISSION_DENIED: error_reason_pb2.ERROR_REASON_NOT_BOUND,
}


def details_of(error: MeshError) -> bytes:
    """The google.rpc.Status to send, at most DETAILS_LIMIT bytes.

    What is too much is left out: the trail first, then the metadata, then of the violations as many as it takes,
    the last first.
    """
    metadata, violations = error.metadata, list(error.violations)
    status = _status(error, metadata, violations)
    if error.trail:
        whole = status_pb2.Status()
        whole.CopyFrom(status)
        hops = (error_trail_pb2.Hop(**hop._asdict()) for hop in error.trail)
        whole.details.add().Pack(error_trail_pb2.ErrorTrail(hops=hops))
        status = whole if whole.ByteSize() <= DETAILS_LIMIT else status
    if status.ByteSize() > DETAILS_LIMIT:
        metadata = {"truncated": "metadata"}
        status = _status(error, metadata, violations)
    while violations and status.ByteSize() > DETAILS_LIMIT:
        metadata = {"truncated": "metadata, violations"}
        violations = violations[: len(violations) // 2]
        status = _status(error, metadata, violations)
    data: bytes = status.SerializeToString()
    return data


def _status(error: MeshError, metadata: Mapping[str, str], violations: Sequence[FieldViolation]) -> status_pb2.Status:
    status = status_pb2.Status(code=error.code.value[0], message=error.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=dict(metadata)))
    if violations:
        bad = error_details_pb2.BadRequest()
        for violation in violations:
            bad.field_violations.add(field=violation.field, description=violation.description, reason=violation.reason)
        status.details.add().Pack(bad)
    if error.retry_after_s is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromMilliseconds(max(0, round(error.retry_after_s * 1000)))
        status.details.add().Pack(info)
    return status


def from_status(code: grpc.StatusCode, message: str, trailing: Iterable[tuple[str, str | bytes]]) -> MeshError:
    """Reads a status off the wire; one without details, or with broken ones, gets the reason that its code implies."""
    details = next((value for key, value in trailing if key == DETAILS_KEY), None)
    found = _Details.read(details) if isinstance(details, bytes) else _Details()
    reason = found.reason or _REASON_OF_BARE_STATUS.get(code, error_reason_pb2.ERROR_REASON_INTERNAL)
    error = error_of(
        code,
        reason,
        message,
        violations=found.violations,
        retry_after_s=found.retry_after_s,
        metadata=found.metadata,
    )
    error.trail = found.trail
    return error


class _Details:
    """What the known detail messages said."""

    def __init__(self) -> None:
        self.reason = ""
        self.violations: list[FieldViolation] = []
        self.retry_after_s: float | None = None
        self.metadata: dict[str, str] = {}
        self.trail: tuple[Hop, ...] = ()

    @classmethod
    def read(cls, data: bytes) -> Self:
        found = cls()
        try:
            status = status_pb2.Status.FromString(data)
            for detail in status.details:
                found._take(detail)
        except DecodeError:
            # A peer's broken details must not hide its status.
            return cls()
        return found

    def _take(self, detail: object) -> None:
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        trail = error_trail_pb2.ErrorTrail()
        unpack = getattr(detail, "Unpack")  # noqa: B009 - google.rpc ships no types
        if unpack(info):
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif unpack(bad):
            self.violations = [
                FieldViolation(found.field, found.description, found.reason) for found in bad.field_violations
            ]
        elif unpack(trail):
            self.trail = tuple(Hop(*(getattr(hop, name) for name in Hop._fields)) for hop in trail.hops)
        elif unpack(retry):
            self.retry_after_s = retry.retry_delay.ToMilliseconds() / 1000
