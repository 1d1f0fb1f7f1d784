"""Reads the request of a call; bytes that are no such message are the caller's mistake."""

from collections.abc import Awaitable

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_MALFORMED_MESSAGE
from google.protobuf.message import DecodeError, Message

from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.status import InvalidArgumentError


def decode(method: Method, data: bytes) -> Message:
    """One request.

    Raises:
        InvalidArgumentError: the bytes are no message of the method's request type.
    """
    try:
        return method.request_type.FromString(data)
    except DecodeError:
        raise _malformed(method) from None


def decoding() -> Layer:
    """Puts the decoded request on the call; those of a stream are decoded as they are read."""

    def layer(method: Method, inner: Handler) -> Handler:
        if method.client_streaming:
            return inner
        read = method.request_type.FromString

        def decoded(call: Call) -> Awaitable[Reply]:
            try:
                call.message = read(call.request)
            except DecodeError:
                raise _malformed(method) from None
            return inner(call)

        return decoded

    return layer


def _malformed(method: Method) -> InvalidArgumentError:
    return InvalidArgumentError(
        ERROR_REASON_MALFORMED_MESSAGE, f"the request is no {method.request_type.DESCRIPTOR.full_name}"
    )
