"""Which call this is and which calls led to it: the only module that knows how that travels in metadata.

A call's id is the parent-id of its W3C trace context (https://www.w3.org/TR/trace-context/), the same on both sides of
a binding; the trace id is the same for all calls that one question needed, across every hop.
"""

import random
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

TRACE_KEY = "traceparent"
"""The W3C header that names trace and call."""

STATE_KEY = "tracestate"
"""The W3C header that other tracing systems write; carried on as it came."""

CHAIN_KEY = "x-mesh-chain"
"""The services that a call has come through, the called one last."""

CLASS_KEY = "x-bookmesh-class"
"""Whether a person waits: "batch" is work that may wait, all else is interactive."""

DEPTH_LIMIT = 3
"""Services in one chain; a call that would make it longer is refused."""

TRACE_KEYS = frozenset({TRACE_KEY, STATE_KEY, CHAIN_KEY})
"""What the mesh writes itself; entrypoints see none of it, on no transport."""

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")

_STATE_LIMIT = 512
"""Characters of a tracestate that are carried on (W3C asks for at least as many)."""

_CHAIN_LIMIT = 8
"""Names of a chain that are read; a longer one was not written by a mesh."""


class Trace(NamedTuple):
    """Where a call stands among others. A tuple, for one is made for each call."""

    trace_id: int
    """128 bits, the same for all calls that one question needed."""
    call_id: int
    """64 bits, this call's own."""
    parent_id: int = 0
    """The call being answered when this one was made; 0 for the first."""
    chain: tuple[str, ...] = ()
    """The services it has come through, the called one last."""
    batch: bool = False
    """Nobody waits for it, so it goes after calls that somebody waits for."""
    state: str = ""
    """What other tracing systems wrote."""

    @property
    def trace_hex(self) -> str:
        """The trace id as people and other systems write it."""
        return f"{self.trace_id:032x}"

    @property
    def call_hex(self) -> str:
        """The call's id as people and other systems write it."""
        return f"{self.call_id:016x}"


_bits = random.getrandbits
"""Ids need to differ, not to be secret; W3C asks for no more."""

_trace = partial(tuple.__new__, Trace)
"""Takes half the time of calling the class, and each call of the mesh needs one."""


def first(chain: tuple[str, ...], *, batch: bool = False) -> Trace:
    """The trace of a call that no other led to."""
    return _trace((_bits(128) or 1, _bits(64) or 1, 0, chain, batch, ""))


def follow(parent: Trace, chain: tuple[str, ...], *, batch: bool = False) -> Trace:
    """The trace of a call that is made to answer another; what answers batch work is batch work."""
    return _trace((parent.trace_id, _bits(64) or 1, parent.call_id, chain, batch or parent.batch, parent.state))


def to_metadata(trace: Trace) -> list[tuple[str, str]]:
    """A trace as it goes over the wire."""
    pairs = [(TRACE_KEY, f"00-{trace.trace_id:032x}-{trace.call_id:016x}-01"), (CHAIN_KEY, ",".join(trace.chain))]
    if trace.state:
        pairs.append((STATE_KEY, trace.state))
    if trace.batch:
        pairs.append((CLASS_KEY, "batch"))
    return pairs


def is_batch(metadata: Iterable[tuple[str, str | bytes]]) -> bool:
    """Whether a caller marked its call as work that may wait."""
    return any(key == CLASS_KEY and value == "batch" for key, value in metadata)


def said_trace(metadata: Sequence[tuple[str, str | bytes]]) -> Trace | None:
    """The trace that metadata tells of, without its chain; None where there is none, or one that W3C calls invalid."""
    said = {key: value for key, value in metadata if isinstance(value, str)}
    found = _PARENT.fullmatch(said.get(TRACE_KEY, ""))
    if found is None:
        return None
    state = said.get(STATE_KEY, "")
    return _trace(
        (int(found[1], 16), int(found[2], 16), 0, (), is_batch(metadata), state if len(state) <= _STATE_LIMIT else "")
    )


def from_metadata(metadata: Sequence[tuple[str, str | bytes]]) -> Trace:
    """The trace that came over the wire; a new one where none came, or one that no mesh could have written."""
    written = next((value for key, value in metadata if key == CHAIN_KEY and isinstance(value, str)), "")
    names = written.split(",")
    chain = tuple(filter(None, names)) if len(names) <= _CHAIN_LIMIT else ()
    said = said_trace(metadata)
    return first(chain, batch=is_batch(metadata)) if said is None else said._replace(chain=chain)
