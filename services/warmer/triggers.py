"""What the warmer does when a trigger fires."""

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_BUILT

from mesh.schedule.firing import Firing
from mesh.status import UnimplementedError


async def handle(firing: Firing) -> str:
    """Does what a trigger is for, and says what it did.

    Raises:
        UnimplementedError: nothing is built for this trigger yet.
    """
    raise UnimplementedError(
        ERROR_REASON_NOT_BUILT,
        f"nothing is built yet for the trigger {firing.cron!r}",
        metadata={"method": "FireTrigger"},
    )
