"""grpc.health.v1 for one entrypoint: Check, Watch and List, for '' and for each service that it serves.

The servicer that comes with gRPC answers List with UNIMPLEMENTED, so the whole protocol is answered here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from mesh.context import Context
from mesh.status import NotFoundError

SERVING: int = HealthCheckResponse.SERVING
NOT_SERVING: int = HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN: int = HealthCheckResponse.SERVICE_UNKNOWN


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # gRPC ships no types for its health service
    """What probes and load balancers ask.

    Args:
        services: full names of the services behind the same address; '' stands for all of them.
    """

    def __init__(self, services: Sequence[str]) -> None:
        self._statuses = dict.fromkeys(("", *services), NOT_SERVING)
        self._changed = asyncio.Event()

    def set_all(self, status: int) -> None:
        """Moves every service, and tells those who watch."""
        self._statuses = dict.fromkeys(self._statuses, status)
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> HealthCheckResponse:
        """The status of one service.

        Raises:
            NotFoundError: the service is unknown here, as the protocol has it.
        """
        status = self._statuses.get(request.service)
        if status is None:
            raise NotFoundError("SERVICE_UNKNOWN", f"no service {request.service!r} here")
        return HealthCheckResponse(status=status)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> AsyncIterator[HealthCheckResponse]:
        """The status of one service, now and whenever it changes; an unknown one is told so, and watched too."""
        told = None
        while True:
            changed = self._changed
            status = self._statuses.get(request.service, SERVICE_UNKNOWN)
            if status != told:
                told = status
                yield HealthCheckResponse(status=status)
            await changed.wait()

    async def List(self, request: health_pb2.HealthListRequest, context: Context) -> health_pb2.HealthListResponse:
        """The status of every service."""
        return health_pb2.HealthListResponse(
            statuses={name: HealthCheckResponse(status=status) for name, status in self._statuses.items()}
        )
