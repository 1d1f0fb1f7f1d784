"""The methods that every Admin entrypoint has, answered from the service's Introspection.

Each package has an AdminService of its own with messages of its own, and the same methods; so the response types
are taken from the call's contract.
"""

from typing import Any

from bookmesh.mesh.v1 import admin_pb2
from bookmesh.mesh.v1.error_reason_pb2 import (
    ERROR_REASON_BREAKER_NOT_FOUND,
    ERROR_REASON_INVALID_FIELD,
    ERROR_REASON_UNKNOWN_ENUM_VALUE,
)

from mesh.breaker import BreakerState
from mesh.context import CallContext
from mesh.introspection import Introspection
from mesh.status import InvalidArgumentError, NotFoundError


class AdminMethods:
    """A base for Admin entrypoints, listed before the generated servicer.

    Args:
        mesh: the service's own runtime.
    """

    def __init__(self, mesh: Introspection) -> None:
        self._mesh = mesh

    async def GetHealth(self, request: Any, context: Any) -> Any:
        """How the service, its bindings, stores and secrets are doing."""
        return _response_type(context)(health=await self._mesh.health())

    async def GetStats(self, request: Any, context: Any) -> Any:
        """What has been counted since the service started."""
        return _response_type(context)(stats=self._mesh.report())

    async def ListBreakers(self, request: Any, context: Any) -> Any:
        """The breakers of the service's own bindings."""
        return _response_type(context)(breakers=self._mesh.list_breakers())

    async def SetBreaker(self, request: Any, context: Any) -> Any:
        """Moves the breakers that a name fits.

        Raises:
            InvalidArgumentError: the state is none that can be set.
            NotFoundError: no breaker has this name.
        """
        found = self._mesh.breakers.matching(request.name)
        if not found:
            raise NotFoundError(
                ERROR_REASON_BREAKER_NOT_FOUND,
                f"no breaker is called {request.name!r}; ListBreakers names them",
                metadata={"breaker": request.name},
            )
        state = _settable(request.state)
        for breaker in found.values():
            try:
                breaker.set(state)
            except ValueError as error:
                raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, str(error), field="state") from None
        return _response_type(context)(breakers=self._mesh.list_breakers(request.name))

    async def ExplainCall(self, request: Any, context: Any) -> Any:
        """What the mesh did for a call.

        Raises:
            InvalidArgumentError: the id has not the form of one.
        """
        try:
            records = self._mesh.explain(request.id)
        except ValueError as error:
            raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, str(error), field="id") from None
        return _response_type(context)(records=records)


def _settable(value: int) -> BreakerState:
    if value not in admin_pb2.BreakerState.values():
        raise InvalidArgumentError(
            ERROR_REASON_UNKNOWN_ENUM_VALUE,
            f"{value} is no state of a breaker",
            field="state",
            metadata={"value": str(value)},
        )
    name = admin_pb2.BreakerState.Name(admin_pb2.BreakerState.ValueType(value)).removeprefix("BREAKER_STATE_")
    if name == "UNSPECIFIED":
        raise InvalidArgumentError(ERROR_REASON_INVALID_FIELD, "state is required", field="state")
    return BreakerState(name)


def _response_type(context: Any) -> Any:
    if not isinstance(context, CallContext):
        raise TypeError("Admin methods are answered through the mesh alone")
    return context.call.method.response_type
