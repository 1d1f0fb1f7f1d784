"""How the times and the id of a call travel back to its caller: the only place that knows their keys."""

from collections.abc import Iterator

from mesh.call import Call, Metadatum, Side

_SERVER = Side.SERVER  # looked up once: each call needs it

RESPONSE_TIME_KEY = "x-response-time"
"""Milliseconds that the whole answer took, as the answering service saw it."""

BINDING_TIME_KEY = "x-service-binding-time"
"""Milliseconds of the call, as its caller saw it; in an answer to the outside, of all calls that the answer needed."""

TRACE_ID_KEY = "x-trace-id"
"""The id under which `bookmesh why` tells what was done for the call."""

_MANY = 1_000

_SHORT = tuple(f"{us / 1000:.3f}" for us in range(_MANY))
"""Each time below a millisecond as text. Most are, and writing a float out costs as much as a layer."""


def times(call: Call) -> list[Metadatum]:
    """What is sent after the last response: the callee's own trailing metadata, the times, and the id.

    A service measures its calls itself, so it is told the callee's time alone, and who came with a trace knows the id:
    each key costs both sides.
    """
    sent = call.trailing.copy()
    if call.response_time_s:
        us = int(call.response_time_s * 1e6)
        sent.append((RESPONSE_TIME_KEY, _SHORT[us] if us < _MANY else f"{us / 1000:.3f}"))
    if call.caller and call.side is _SERVER:
        return sent
    if call.binding_time_s:
        sent.append((BINDING_TIME_KEY, f"{call.binding_time_s * 1000:.3f}"))
    if call.trace is not None and not call.came_traced:
        sent.append((TRACE_ID_KEY, call.trace.trace_id.to_bytes(16).hex()))
    return sent


def take_times(call: Call, trailing: Iterator[Metadatum]) -> Iterator[Metadatum]:
    """Puts the callee's time onto the call, and gives back the rest; each hop tells of its own calls alone."""
    for key, value in trailing:
        if key == RESPONSE_TIME_KEY and isinstance(value, str):
            call.response_time_s = float(value) / 1000
        elif key not in {BINDING_TIME_KEY, TRACE_ID_KEY}:
            yield key, value
