"""grpc.health.v1 for one entrypoint: Check, Watch and List, and the only place that knows the names it answers for.

The servicer that comes with gRPC answers List with UNIMPLEMENTED, so the whole protocol is answered here.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_DRAINING
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from mesh.call import Clock
from mesh.context import Context
from mesh.hosting.vitals import Vitals
from mesh.status import NotFoundError, UnavailableError

SERVING: int = HealthCheckResponse.SERVING
NOT_SERVING: int = HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN: int = HealthCheckResponse.SERVICE_UNKNOWN

READINESS = "readiness"
"""The name under which a Kubernetes readiness probe asks: may calls be sent here? As '' and the services' own names."""

LIVENESS = "liveness"
"""The name under which a Kubernetes liveness probe asks: is the process to be killed?

Whoever can answer at all is alive, while it drains as well. A process whose event loop is stuck answers nothing, which
a probe takes for red after its timeout.
"""

HEARD_S = 30.0
"""Seconds for which one that has asked for the health counts as listening: three periods of a Kubernetes probe."""


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # gRPC ships no types for its health service
    """What probes and load balancers ask.

    Args:
        services: full names of the services behind the same address; '' stands for all of them.
        vitals: what of the service's own has failed, which makes it unready.
        clock: tells when somebody asked last.
    """

    def __init__(self, services: Sequence[str], vitals: Vitals | None = None, clock: Clock = time.monotonic) -> None:
        self._names = ("", *services, READINESS)
        self._vitals = vitals or Vitals()
        self._vitals.on_change(self._tell)
        self._status = NOT_SERVING
        self._changed = asyncio.Event()
        self._ended = False
        self._clock = clock
        self._watchers = 0
        self._asked_at: float | None = None

    def set_all(self, status: int) -> None:
        """Moves the readiness, under all of its names, and tells those who watch."""
        self._status = status
        self._tell()

    def end(self) -> None:
        """Ends every Watch, for the listener is about to close."""
        self._ended = True
        self._tell()

    def status_of(self, name: str) -> int | None:
        """The status under one name; None for a name that is unknown here."""
        if name == LIVENESS:
            return SERVING
        if name not in self._names:
            return None
        return NOT_SERVING if self._vitals.failed else self._status

    def is_heard(self) -> bool:
        """Whether anybody would notice a change: one that watches, or asked within HEARD_S."""
        return self._watchers > 0 or (self._asked_at is not None and self._clock() - self._asked_at < HEARD_S)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> HealthCheckResponse:
        """The status of one service.

        Raises:
            NotFoundError: the service is unknown here, as the protocol has it.
        """
        self._asked_at = self._clock()
        status = self.status_of(request.service)
        if status is None:
            raise NotFoundError("SERVICE_UNKNOWN", f"no service {request.service!r} here")
        return HealthCheckResponse(status=status)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> AsyncIterator[HealthCheckResponse]:
        """The status of one service, now and whenever it changes; an unknown one is told so, and watched too.

        Raises:
            UnavailableError: DRAINING, when the listener closes.
        """
        told = None
        self._watchers += 1
        try:
            while not self._ended:
                changed = self._changed
                status = self.status_of(request.service)
                status = SERVICE_UNKNOWN if status is None else status
                if status != told:
                    told = status
                    yield HealthCheckResponse(status=status)
                await changed.wait()
        finally:
            self._watchers -= 1
        raise UnavailableError(ERROR_REASON_DRAINING, "the listener is closing")

    async def List(self, request: health_pb2.HealthListRequest, context: Context) -> health_pb2.HealthListResponse:
        """The status of every service."""
        self._asked_at = self._clock()
        return health_pb2.HealthListResponse(
            statuses={name: HealthCheckResponse(status=self.status_of(name)) for name in (*self._names, LIVENESS)}
        )
