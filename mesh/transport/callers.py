"""Who is at the other end of a wire: the only place where a listener learns it, and what the caller's manifest says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from mesh.call import Metadatum
from mesh.props import BINDING_KEY, PropsFor, no_props
from mesh.trace import TRACE_KEYS

AUTHORIZATION_KEY = "authorization"
"""Metadata with an operator's token. No layer and no entrypoint ever sees it."""

_OWN = TRACE_KEYS | {BINDING_KEY, AUTHORIZATION_KEY}


class Proof(NamedTuple):
    """What a caller has proven to be."""

    service: str = ""
    """A service of the mesh; empty for people."""
    operator: bool = False
    """Somebody who may call everything."""


NOBODY = Proof()


def unproven(_: Any) -> Proof:
    """Nobody: what comes in plain text has proven nothing."""
    return NOBODY


def no_token(_: str) -> bool:
    """What a listener says of every token where none was given to it."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """How one listener tells its callers apart. By default it can't."""

    identify: Callable[[Any], Proof] = unproven
    """From gRPC's context to what the peer's certificate proves."""
    is_operators: Callable[[str], bool] = no_token
    """Whether the value of AUTHORIZATION_KEY is an operator's."""
    props_for: PropsFor = no_props
    """What the manifest of such a caller says."""


class Heard(NamedTuple):
    """What the metadata of a call says beside what its caller put there."""

    binding: str
    """The binding that the call came through, as it says; empty where it says nothing."""
    authorization: str
    """What it shows for itself, as it says."""
    metadata: tuple[Metadatum, ...]
    """What is left, as it is in process."""


def heard(metadata: Iterable[Metadatum]) -> Heard:
    """Reads the mesh's own keys and takes them out.

    The last of a key counts: it is the one that the caller's transport adds.
    """
    binding, authorization, kept = "", "", list[Metadatum]()
    for pair in metadata:
        key, value = pair
        if key not in _OWN:
            kept.append(pair)
        elif key == BINDING_KEY and isinstance(value, str):
            binding = value
        elif key == AUTHORIZATION_KEY and isinstance(value, str):
            authorization = value
    return Heard(binding, authorization, tuple(kept))
