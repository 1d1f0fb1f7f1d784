"""The layers, in their order: the two lists that every call of the mesh walks through, outermost first.

The same lists stand around a call in process and over the wire. A contract test holds them to what is written here.
"""

from collections.abc import Sequence

from mesh.breaker_settings import BreakerSettings
from mesh.call import Clock, Layer
from mesh.layers.breaking import Breakers, breaking
from mesh.layers.deadline import client_deadline, server_deadline
from mesh.layers.decoding import decoding
from mesh.layers.draining import Gate, draining
from mesh.layers.errors import errors
from mesh.layers.timing import client_timing, server_timing
from mesh.stats import Stats


def server_layers(*, service: str, stats: Stats, gate: Gate | None = None) -> Sequence[Layer]:
    """What stands around every entrypoint."""
    return (
        server_timing(stats),  # outermost: it times and counts what the layers below refuse, too
        errors(service),  # above all that may fail: below it exceptions are foreign, above it each has its status
        draining(gate or Gate(service)),  # below errors and timing: what it refuses or cuts off is counted, too
        server_deadline(),  # decides whether an ended call was out of time or abandoned
        decoding(),  # innermost: what comes is only read once the call may run
    )


def client_layers(
    *,
    binding: str,
    service: str,
    stats: Stats,
    breakers: Breakers,
    breaker: BreakerSettings,
    default_s: float,
    clock: Clock,
) -> Sequence[Layer]:
    """What stands around every call through a binding."""
    return (
        client_timing(stats, binding, service),  # outermost: the caller's own view of the call
        breaking(breakers, binding, breaker, clock),  # refuses before anything is spent
        client_deadline(default_s),  # innermost: the transport gets the time that is left now
    )
