"""Server reflection in both versions: grpcurl and buf curl ask for v1, and gRPC's own package has v1alpha alone."""

import grpc
from grpc import aio
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

_V1 = "grpc.reflection.v1.ServerReflection"

NAMES = (reflection.SERVICE_NAME, _V1)
"""The services that reflection itself adds."""


def enable_reflection(services: tuple[str, ...], server: aio.Server) -> None:
    """Lets a listener tell what it serves.

    Args:
        services: full names of its services.
        server: the listener, not yet started.
    """
    names = (*services, *NAMES)
    reflection.enable_server_reflection(names, server)
    # The messages of both versions are the same on the wire, so one servicer answers for both.
    servicer = ReflectionServicer(names)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_V1, {"ServerReflectionInfo": handler})])
