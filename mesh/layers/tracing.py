"""Gives each call its id, its trace and its chain, and refuses chains that go too deep or in a circle.

Both layers act before the call alone, so they hand on what carries it, and cost no coroutine of their own.
"""

from collections.abc import Awaitable

from bookmesh.mesh.v1.error_reason_pb2 import ERROR_REASON_CALL_CYCLE, ERROR_REASON_CALL_TOO_DEEP

from mesh.call import CURRENT, Call, Handler, Layer, Reply
from mesh.contract import Method
from mesh.status import FailedPreconditionError
from mesh.trace import DEPTH_LIMIT, first, follow, is_batch, moved, said_trace
from mesh.turns import PATIENT


def client_tracing(caller: str, service: str) -> Layer:
    """The trace of the call being answered goes on, with the called service at the end of its chain.

    Args:
        caller: the service that calls; empty for people, who stand in no chain.
        service: the service that is called.
    """
    chains: dict[tuple[str, ...], tuple[str, ...]] = {}
    root = (caller,) if caller else ()

    def longer(chain: tuple[str, ...]) -> tuple[str, ...]:
        # A service's chains are few: one for each way that leads to it.
        chains[chain] = checked(chain, service)
        return chains[chain]

    def layer(_: Method, inner: Handler) -> Handler:
        def traced(call: Call) -> Awaitable[Reply]:
            answered = CURRENT.get()
            batch = bool(call.metadata) and is_batch(call.metadata)
            if answered is None or answered.trace is None:
                chain = chains.get(root) or longer(root)
                begun = said_trace(call.metadata) if call.metadata else None
                # A caller may stand in a trace of another system's, and say so as W3C has it.
                call.trace = first(chain, batch=batch) if begun is None else follow(begun, chain, batch=batch)
            else:
                parent = answered.trace
                call.trace = follow(parent, chains.get(parent.chain) or longer(parent.chain), batch=batch)
            return inner(call)

        return traced

    return layer


def server_tracing(service: str) -> Layer:
    """Every call that is answered has a trace; one from outside begins here."""
    alone = (service,)

    def layer(_: Method, inner: Handler) -> Handler:
        def traced(call: Call) -> Awaitable[Reply]:
            trace = call.trace
            if trace is None:
                # A transport that was told of a trace, or that the call may wait, has made one.
                call.trace = first(alone)
            elif not call.caller:
                # Whoever is no service of the mesh knows nothing of chains, whatever it says.
                call.trace = moved(trace, alone)
            elif len(trace.chain) > DEPTH_LIMIT or len(set(trace.chain)) < len(trace.chain):
                checked(trace.chain[:-1], service)
            CURRENT.set(call)
            PATIENT.set(call.trace is not None and call.trace.batch)
            return inner(call)

        return traced

    return layer


def checked(chain: tuple[str, ...], service: str) -> tuple[str, ...]:
    """A chain with one more service.

    Raises:
        FailedPreconditionError: the service is in it already, or the chain would be too long.
    """
    if service in chain:
        raise FailedPreconditionError(
            ERROR_REASON_CALL_CYCLE,
            f"{service} is already being called in this chain, so calling it again would never end",
            metadata={"chain": ", ".join((*chain, service))},
        )
    if len(chain) >= DEPTH_LIMIT:
        raise FailedPreconditionError(
            ERROR_REASON_CALL_TOO_DEEP,
            f"{service} would be number {len(chain) + 1} in this chain of calls, and {DEPTH_LIMIT} are allowed",
            metadata={"depth": str(len(chain) + 1), "limit": str(DEPTH_LIMIT)},
        )
    return (*chain, service)
