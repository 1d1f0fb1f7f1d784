"""What the transport over the wire makes of the statuses that grpc.aio makes up by itself."""

import time

import pytest
from bookmesh.warmer.v1.warmer_service_pb2_grpc import WarmerServiceStub
from grpc import StatusCode, aio

from mesh.call import Call, Side
from mesh.contract import service_of
from mesh.status import DETAILS_KEY, InternalError
from mesh.transport.aio import _failed

UPLOAD = service_of(WarmerServiceStub).methods["/bookmesh.warmer.v1.WarmerService/UploadLibrary"]

LOST = "Internal error from Core"


@pytest.mark.parametrize(
    ("code", "details", "left_s", "expected"),
    [
        (StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", 1.0, ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")),
        (StatusCode.CANCELLED, "CANCELLED", -1.0, ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")),
        (StatusCode.CANCELLED, "CANCELLED", 1.0, ("UNAVAILABLE", "DRAINING")),
        (StatusCode.INTERNAL, LOST, -1.0, ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")),
        (StatusCode.INTERNAL, LOST, 1.0, ("UNAVAILABLE", "SERVICE_UNREACHABLE")),
        (StatusCode.INTERNAL, "anything else", 1.0, ("INTERNAL", "INTERNAL")),
        (StatusCode.UNAVAILABLE, "refused", -1.0, ("UNAVAILABLE", "SERVICE_UNREACHABLE")),
    ],
)
def test_bare_status(code: StatusCode, details: str, left_s: float, expected: tuple[str, str]) -> None:
    """A call whose time is over is out of time, and one that was cut while it was written is no failure inside."""
    call = Call(UPLOAD, Side.CLIENT, deadline=time.monotonic() + left_s)
    error = _failed(call, aio.AioRpcError(code, aio.Metadata(), aio.Metadata(), details))
    assert (error.code.name, error.reason) == expected


def test_own_status_stays() -> None:
    """What a callee said itself stays as it said it, however late it is."""
    said = InternalError("INTERNAL", LOST, metadata={"error_id": "3f0c"})
    call = Call(UPLOAD, Side.CLIENT, deadline=time.monotonic() - 1)
    trailing = aio.Metadata((DETAILS_KEY, said.to_details()))
    error = _failed(call, aio.AioRpcError(StatusCode.INTERNAL, aio.Metadata(), trailing, LOST))
    assert (error.code, error.metadata) == (StatusCode.INTERNAL, {"error_id": "3f0c"})
