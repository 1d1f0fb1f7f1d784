"""The only place that says how one search of many went, as the answer to a batch tells it."""

import uuid
from collections.abc import Iterable, Iterator

import structlog
from bookmesh.books.v1 import books_service_pb2 as pb
from bookmesh.mesh.v1.call_error_pb2 import CallError
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_INTERNAL

from mesh.status import InternalError, MeshError
from services.books.entry import framed
from services.books.telling import Told

Outcome = Told | MeshError
"""A search's answer, or why there is none."""

_RESPONSE = 3
"""BatchSearchAutoResponse's field of the name; what lies in the cache goes out in it as it lies."""

_OTHERS = 5
"""BatchSearchAutoResponse's field of the name."""

_RESPONSE_BYTES = 256 * 1024
"""What outcomes that go together may take, far below the size of message that gRPC takes by itself; one that is larger
goes alone."""

_log = structlog.get_logger("services.books")


def outcome_bytes(at: int, q: str, outcome: Outcome) -> bytes:
    """The bytes of a BatchSearchAutoResponse.

    Args:
        at: the search's place in the batch.
        q: its text, as it was asked.
        outcome: what came of it.
    """
    answer = pb.BatchSearchAutoResponse(query_index=at, q=q)
    if isinstance(outcome, Told):
        return answer.SerializeToString() + framed(_RESPONSE, outcome.data)
    answer.error.CopyFrom(call_error(outcome))
    return answer.SerializeToString()


def together(outcomes: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Outcomes in as few messages as may be, in their order.

    Args:
        outcomes: each as the bytes of a BatchSearchAutoResponse.
        most: how many one message may carry.
    """
    some: list[bytes] = []
    size = 0
    for outcome in outcomes:
        if some and (len(some) >= most or size + len(outcome) > _RESPONSE_BYTES):
            yield b"".join(some)
            some, size = [], 0
        some.append(framed(_OTHERS, outcome) if some else outcome)
        size += len(outcome)
    if some:
        yield b"".join(some)


def call_error(error: MeshError) -> CallError:
    """A failure as it stands in the answer to one of many; the time to wait goes with the metadata."""
    metadata = dict(error.metadata)
    if error.retry_after_s is not None:
        metadata["retry_after_ms"] = str(round(error.retry_after_s * 1000))
    return CallError(code=error.code.name, reason=error.reason, message=error.message, metadata=metadata)


def broken(unforeseen: Exception) -> MeshError:
    """What one search of many fails with when something broke; the stack goes to the log, under an id."""
    error_id = uuid.uuid4().hex
    _log.error("search_broke", error_id=error_id, exc_info=unforeseen)
    return InternalError(
        ERROR_REASON_INTERNAL,
        f"something broke in this search; the log has it under {error_id}",
        metadata={"error_id": error_id},
    )
