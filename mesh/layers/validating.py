"""Refuses requests that break the contract's input rules, so that entrypoints see such as make sense in themselves."""

from mesh.call import Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.rules import check_of


def validating() -> Layer:
    """Checks the decoded request; those of a stream are checked as they are read."""

    def layer(method: Method, inner: Handler) -> Handler:
        # Looked up where the layers are built, so that a rule that makes no sense ends the start and not a call.
        check = check_of(method.request_type)
        if check is None or method.client_streaming:
            return inner

        async def checked(call: Call) -> Reply:
            if call.message is not None:
                check(call.message)
            return await inner(call)

        return checked

    return layer
