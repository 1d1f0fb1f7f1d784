"""From an entrypoint object to the handlers that both transports call: each method with its layers around it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import grpc
from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_NOT_BUILT
from google.protobuf.message import Message

from mesh.call import Call, Handler, Layer, Reply, compose
from mesh.context import CallContext
from mesh.contract import Method, is_generated, service_of
from mesh.layers.decoding import decode
from mesh.rules import check
from mesh.status import UnimplementedError

_OK = grpc.StatusCode.OK  # looked up once: each call needs it


def handlers_of(entrypoint: object, layers: Sequence[Layer]) -> Mapping[str, tuple[Method, Handler]]:
    """The methods of an entrypoint by path, each with its layers."""
    service = service_of(type(entrypoint))
    return {
        path: (method, compose(layers, method, _invoker(method, getattr(entrypoint, method.name))))
        for path, method in service.methods.items()
    }


def _invoker(method: Method, implementation: Callable[..., Any]) -> Handler:
    # What the generated servicer itself would do is only known by where it comes from: its NotImplementedError might
    # as well be a fault inside a method that is there.
    if is_generated(implementation):
        return _left_out(method)
    if method.server_streaming:
        return _streaming(method, implementation)
    expected, takes_stream = method.response_type, method.client_streaming

    async def invoke(call: Call) -> Reply:
        context = CallContext(call)
        response: Reply = await implementation(_requests(call) if takes_stream else call.message, context)
        if context.status is not _OK:
            context.raise_set_status()
        return response if type(response) is expected else checked(method, response)

    return invoke


def _left_out(method: Method) -> Handler:
    async def refuse(_: Call) -> Reply:
        raise UnimplementedError(
            ERROR_REASON_NOT_BUILT,
            f"{method.name} is in the contract of {method.service} but not built yet",
            metadata={"method": method.name},
        )

    return refuse


def _streaming(method: Method, implementation: Callable[..., Any]) -> Handler:
    async def invoke(call: Call) -> Reply:
        source: Message | AsyncIterator[Message] | None = _requests(call) if method.client_streaming else call.message
        context = CallContext(call)
        send = call.send
        if send is None:
            raise TypeError(f"{method.name} answers with a stream, and nobody takes one")
        responses = implementation(source, context)
        if hasattr(responses, "__aiter__"):
            async with aclosing(responses):
                async for response in responses:
                    await send(checked(method, response))
        else:
            # A method may also be a coroutine that uses context.write.
            await responses
        context.raise_set_status()
        return b""

    return invoke


async def _requests(call: Call) -> AsyncIterator[Message]:
    if call.requests is None:
        raise TypeError(f"{call.method.name} takes a stream, and none came")
    async for data in call.requests:
        yield check(decode(call.method, data))


def checked(method: Method, response: Reply) -> Reply:
    """One response, as the entrypoint gave it.

    Raises:
        TypeError: the entrypoint answered with another type than the contract says.
    """
    if type(response) is not method.response_type and type(response) is not bytes:
        raise TypeError(f"{method.name} answers {method.response_type.__name__}, not {type(response).__name__}")
    return response
