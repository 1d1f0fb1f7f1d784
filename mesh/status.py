"""The errors that entrypoints raise, and the only place that turns them into gRPC status and back.

The tree has one class for each status code that is not OK::

    MeshError
    ├── CancelledCallError      ├── NotFoundError             ├── AbortedError
    ├── UnknownStatusError      ├── AlreadyExistsError        ├── OutOfRangeError
    ├── InvalidArgumentError    ├── PermissionDeniedError     ├── UnimplementedError
    ├── DeadlineExceededError   ├── ResourceExhaustedError    ├── InternalError
    ├── UnauthenticatedError    ├── FailedPreconditionError   ├── UnavailableError
    └── DataLossError
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import grpc
from bookmesh.mesh.v1 import error_reason_pb2, error_trail_pb2
from bookmesh.mesh.v1.error_reason_pb2 import ErrorReason
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "bookmesh"
"""The domain of every ErrorInfo (AIP-193)."""

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata key under which gRPC carries a google.rpc.Status."""

DETAILS_LIMIT = 7_000
"""Bytes of details that are sent at most; gRPC drops calls whose trailers pass about 8 KB."""

MESSAGE_LIMIT = 700
"""Bytes of a sentence as gRPC writes it: it travels in the trailers too, beside the details."""

_ESCAPED = 3
"""Bytes that gRPC writes for a byte that is no printable ASCII: "%F0"."""

_PREFIX = "ERROR_REASON_"


class Outcome(enum.Enum):
    """What a breaker, a retry and a statistic make of a status."""

    SUCCESS = "success"
    """The callee did its work; the caller may have asked for something impossible."""
    FAILURE = "failure"
    """The callee, or the way to it, is not well."""
    BACK_OFF = "back_off"
    """The callee is well and asks for fewer calls."""
    NEUTRAL = "neutral"
    """It says nothing of the callee: the caller went away, or was never let through."""


class Hop(NamedTuple):
    """One binding, or one store, that a failure came through."""

    caller: str = ""
    """The service that called; empty for people."""
    binding: str = ""
    """The binding that it called through."""
    service: str = ""
    """The service that was called."""
    entrypoint: str = ""
    """Its entrypoint."""
    method: str = ""
    """The method."""
    attempts: int = 0
    """How often the call was tried."""
    breaker: str = ""
    """Where the breaker stood."""
    code: str = ""
    """The status that the call ended with."""
    reason: str = ""
    """Its reason."""
    store: str = ""
    """What a store had to say, for a failure that began there."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One fault of a request, as google.rpc.BadRequest tells it."""

    field: str
    """The path of the field: "inline.isbns[3]"."""
    description: str
    """What is wrong with it, for people."""
    reason: str = ""
    """A word of ErrorReason."""


class MeshError(Exception):
    """A call that failed with a status, a reason and what varies in its message.

    Args:
        reason: a value of ErrorReason, or the word itself as it came over the wire.
        message: a sentence for people, without anything internal.
        field: the request field at fault; it becomes a BadRequest violation.
        violations: all that is wrong with a request, in place of `field`, which is then the field of the first.
        retry_after_s: seconds after which another try may help; it becomes a RetryInfo.
        metadata: what varies in the message, as ErrorInfo carries it.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        reason: ErrorReason.ValueType | str,
        message: str,
        *,
        field: str = "",
        violations: Sequence[FieldViolation] = (),
        retry_after_s: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason if isinstance(reason, str) else ErrorReason.Name(reason).removeprefix(_PREFIX)
        self.message = _cut(message)
        alone = (FieldViolation(field, self.message, self.reason),) if field else ()
        self.violations = tuple(violations) or alone
        self.retry_after_s = retry_after_s
        self.metadata = {**(metadata or {}), **({"field": self.field} if self.field else {})}
        self.trail: tuple[Hop, ...] = ()
        """The way of the failure through the mesh, the outermost hop first."""
        self.trace_id = ""
        """The trace of the call that failed, once it has come back to its caller."""

    @property
    def field(self) -> str:
        """The request field at fault, the first where there are more; empty where none is."""
        return self.violations[0].field if self.violations else ""

    def __str__(self) -> str:
        """The code, the reason and the sentence, as people see them on stderr."""
        return f"{self.code.name} {self.reason}: {self.message}"

    def detached(self) -> "MeshError":
        """The same failure without cause, stack or subclass: what another service may see of it."""
        detached = error_of(
            self.code,
            self.reason,
            self.message,
            violations=self.violations,
            retry_after_s=self.retry_after_s,
            metadata=self.metadata,
        )
        detached.trail = self.trail
        return detached

    def to_details(self) -> bytes:
        """The google.rpc.Status to send, at most DETAILS_LIMIT bytes.

        What is too much is left out: the trail first, then the metadata, then of the violations as many as it takes,
        the last first.
        """
        metadata, violations = self.metadata, list(self.violations)
        status = self._status(metadata, violations)
        if self.trail:
            whole = status_pb2.Status()
            whole.CopyFrom(status)
            hops = (error_trail_pb2.Hop(**hop._asdict()) for hop in self.trail)
            whole.details.add().Pack(error_trail_pb2.ErrorTrail(hops=hops))
            status = whole if whole.ByteSize() <= DETAILS_LIMIT else status
        if status.ByteSize() > DETAILS_LIMIT:
            metadata = {"truncated": "metadata"}
            status = self._status(metadata, violations)
        while violations and status.ByteSize() > DETAILS_LIMIT:
            metadata = {"truncated": "metadata, violations"}
            violations = violations[: len(violations) // 2]
            status = self._status(metadata, violations)
        data: bytes = status.SerializeToString()
        return data

    def _status(self, metadata: Mapping[str, str], violations: Sequence[FieldViolation]) -> status_pb2.Status:
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        status.details.add().Pack(
            error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=dict(metadata))
        )
        if violations:
            bad = error_details_pb2.BadRequest()
            for violation in violations:
                bad.field_violations.add(
                    field=violation.field, description=violation.description, reason=violation.reason
                )
            status.details.add().Pack(bad)
        if self.retry_after_s is not None:
            info = error_details_pb2.RetryInfo()
            info.retry_delay.FromMilliseconds(max(0, round(self.retry_after_s * 1000)))
            status.details.add().Pack(info)
        return status


def _cut(message: str) -> str:
    """As much of a sentence as MESSAGE_LIMIT lets through."""
    if message.isascii() and len(message) * _ESCAPED <= MESSAGE_LIMIT:
        return message
    size = 0
    for at, char in enumerate(message):
        plain = char.isascii() and char.isprintable() and char != "%"
        size += 1 if plain else _ESCAPED * len(char.encode("utf-8", "surrogatepass"))
        if size > MESSAGE_LIMIT:
            return message[:at]
    return message


class CancelledCallError(MeshError):
    """The caller went away."""

    code = grpc.StatusCode.CANCELLED


class UnknownStatusError(MeshError):
    """A peer answered with UNKNOWN; nothing of ours does."""

    code = grpc.StatusCode.UNKNOWN


class InvalidArgumentError(MeshError):
    """The request can't be understood, whatever the state of the system."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class DeadlineExceededError(MeshError):
    """Time ran out."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class NotFoundError(MeshError):
    """The named thing does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(MeshError):
    """The name is taken."""

    code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDeniedError(MeshError):
    """The caller is known and may not."""

    code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhaustedError(MeshError):
    """A quota, a rate or a size limit is used up."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class FailedPreconditionError(MeshError):
    """The system is not in a state for this."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AbortedError(MeshError):
    """Another operation stands in the way."""

    code = grpc.StatusCode.ABORTED


class OutOfRangeError(MeshError):
    """Past the end."""

    code = grpc.StatusCode.OUT_OF_RANGE


class UnimplementedError(MeshError):
    """The method is unknown, or not built yet."""

    code = grpc.StatusCode.UNIMPLEMENTED


class InternalError(MeshError):
    """Something broke that nobody foresaw."""

    code = grpc.StatusCode.INTERNAL


class UnavailableError(MeshError):
    """The callee can't be reached or can't work just now."""

    code = grpc.StatusCode.UNAVAILABLE


class DataLossError(MeshError):
    """Data is gone."""

    code = grpc.StatusCode.DATA_LOSS


class UnauthenticatedError(MeshError):
    """The caller has not proven who it is."""

    code = grpc.StatusCode.UNAUTHENTICATED


_CLASSES: dict[grpc.StatusCode, type[MeshError]] = {cls.code: cls for cls in MeshError.__subclasses__()}

_FAILURES = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "DATA_LOSS"})

_OWN_REFUSALS = frozenset({"CIRCUIT_OPEN", "DEADLINE_TOO_SHORT"})

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


def classify(error: MeshError | None) -> Outcome:
    """What an ended call says of its callee; None is success."""
    if error is None:
        return Outcome.SUCCESS
    if error.reason in _OWN_REFUSALS or error.code is grpc.StatusCode.CANCELLED:
        return Outcome.NEUTRAL
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Outcome.BACK_OFF
    return Outcome.FAILURE if error.code.name in _FAILURES else Outcome.SUCCESS


def error_of(
    code: grpc.StatusCode,
    reason: ErrorReason.ValueType | str,
    message: str,
    *,
    violations: Sequence[FieldViolation] = (),
    retry_after_s: float | None = None,
    metadata: Mapping[str, str] | None = None,
) -> MeshError:
    """The error class of a code, filled in."""
    cls = _CLASSES.get(code, UnknownStatusError)
    return cls(reason, message, violations=violations, retry_after_s=retry_after_s, metadata=metadata)


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
