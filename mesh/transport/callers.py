"""Who is at the other end of a wire: the only place where a listener learns it, and what the caller's manifest says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mesh.call import Call, Metadatum
from mesh.props import BINDING_KEY, PropsFor, no_props


def unproven(_: Any) -> str:
    """Nobody: what comes in plain text has proven nothing."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """How one listener tells its callers apart. By default it can't."""

    identify: Callable[[Any], str] = unproven
    """From gRPC's context to the name of the service that has proven to be the caller, or "".

    This is where proof plugs in: whatever reads a peer's certificate takes the place of `unproven`.
    """
    props_for: PropsFor = no_props
    """What the manifest of such a caller says."""


def split_binding(metadata: Iterable[Metadatum]) -> tuple[str, tuple[Metadatum, ...]]:
    """The binding that a call names, or "", and the metadata without it, as it is in process.

    The last one counts: it is the one that the caller's transport adds.
    """
    binding, kept = "", list[Metadatum]()
    for key, value in metadata:
        if key != BINDING_KEY:
            kept.append((key, value))
        elif isinstance(value, str):
            binding = value
    return binding, tuple(kept)


def with_binding(call: Call) -> tuple[Metadatum, ...]:
    """The metadata that a call's transport sends: the caller's own, and the name of the binding."""
    return (*call.metadata, (BINDING_KEY, call.binding)) if call.binding else tuple(call.metadata)
