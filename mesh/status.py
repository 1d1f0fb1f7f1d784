"""The errors that entrypoints raise, and what a breaker makes of them; status_details has them cross the wire.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import grpc
from bookmesh.mesh.v1.error_reason_pb2 import ErrorReason

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
