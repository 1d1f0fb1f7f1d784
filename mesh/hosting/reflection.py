"""Server reflection in both versions: grpcurl and buf curl ask for v1, and gRPC's own package has v1alpha alone."""

from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc import aio
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

_V1 = "grpc.reflection.v1.ServerReflection"

NAMES = (reflection.SERVICE_NAME, _V1)
"""The services that reflection itself adds."""


class _Pool:
    """The pool of all descriptors, which finds the file of a method too: the one below it knows services alone."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        """All else is as the pool has it."""
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 - the pool's own name for it
        """The file in which a message, enum, service or method stands.

        Raises:
            KeyError: nothing is called so.
        """
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            return self._pool.FindServiceByName(service).methods_by_name[method].containing_service.file


def enable_reflection(services: tuple[str, ...], server: aio.Server) -> None:
    """Lets a listener tell what it serves.

    Args:
        services: full names of its services.
        server: the listener, not yet started.
    """
    names = (*services, *NAMES)
    pool: Any = _Pool()
    reflection.enable_server_reflection(names, server, pool)
    # The messages of both versions are the same on the wire, so one servicer answers for both.
    servicer = ReflectionServicer(names, pool)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_V1, {"ServerReflectionInfo": handler})])
