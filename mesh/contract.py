"""Reads methods and services from generated code, so that what the contract says is data everywhere else."""

import enum
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass


class Idempotency(enum.Enum):
    """What the contract's `idempotency_level` promises of a method."""

    UNKNOWN = "unknown"
    """Nothing is promised, so nothing is tried twice."""
    NO_SIDE_EFFECTS = "no_side_effects"
    """It reads."""
    IDEMPOTENT = "idempotent"
    """It writes, and twice is as good as once."""


_LEVELS: Mapping[int, Idempotency] = {
    MethodOptions.IDEMPOTENCY_UNKNOWN: Idempotency.UNKNOWN,
    MethodOptions.NO_SIDE_EFFECTS: Idempotency.NO_SIDE_EFFECTS,
    MethodOptions.IDEMPOTENT: Idempotency.IDEMPOTENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One RPC of the contract."""

    path: str
    """The name on the wire: "/bookmesh.books.v1.BooksService/SearchAuto"."""
    service: str
    """The full name of its service: "bookmesh.books.v1.BooksService"."""
    name: str
    """Its own name: "SearchAuto"."""
    request_type: type[Message]
    """The class of its requests."""
    response_type: type[Message]
    """The class of its responses."""
    client_streaming: bool
    """Requests are a stream."""
    server_streaming: bool
    """Responses are a stream."""
    idempotency: Idempotency
    """Whether it may be tried twice."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the contract."""

    name: str
    """Its full name: "bookmesh.books.v1.BooksService"."""
    methods: Mapping[str, Method]
    """Its methods by path, in the order of the contract."""


def service_of(generated: type) -> Service:
    """The service that a generated Stub or Servicer class, or a subclass of one, speaks.

    Raises:
        TypeError: the class comes from no generated module.
    """
    for base in generated.__mro__:
        if is_generated(base):
            messages = importlib.import_module(base.__module__.removesuffix("_grpc"))
            return _service(_descriptor(messages, base.__name__.removesuffix("Servicer").removesuffix("Stub")))
    raise TypeError(f"{generated.__qualname__} is neither a generated stub nor a servicer")


def is_stub(annotation: object) -> bool:
    """Whether an annotation is a generated stub class."""
    return isinstance(annotation, type) and is_generated(annotation) and annotation.__name__.endswith("Stub")


def is_generated(made: type | Callable[..., object]) -> bool:
    """Whether a class or a method was written by the generator: a servicer's own method is one that nobody built."""
    return made.__module__.endswith("_pb2_grpc")


def _descriptor(messages: ModuleType, name: str) -> ServiceDescriptor:
    found: ServiceDescriptor = messages.DESCRIPTOR.services_by_name[name]
    return found


def _service(descriptor: ServiceDescriptor) -> Service:
    methods = (_method(descriptor, method) for method in descriptor.methods)
    return Service(name=descriptor.full_name, methods={method.path: method for method in methods})


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    return Method(
        path=f"/{service.full_name}/{method.name}",
        service=service.full_name,
        name=method.name,
        request_type=GetMessageClass(method.input_type),
        response_type=GetMessageClass(method.output_type),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        idempotency=_LEVELS[method.GetOptions().idempotency_level],
    )
