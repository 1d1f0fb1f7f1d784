"""Who is at the other end of a wire: the only place where a listener learns it, and what the caller's manifest says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mesh.call import Metadatum
from mesh.config.props import BINDING_KEY, PropsFor, no_props
from mesh.trace import CLASS_KEY, TRACE_KEYS

AUTHORIZATION_KEY = "authorization"
"""Metadata with an operator's token. No layer and no entrypoint ever sees it."""


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


ATTEMPT_KEY = "x-bookmesh-attempt"
"""Metadata with the number of a try, from the second on."""

_OWN = TRACE_KEYS | {BINDING_KEY, AUTHORIZATION_KEY, ATTEMPT_KEY}
"""What the mesh alone reads."""

_TOLD = _OWN | {CLASS_KEY}
"""What the mesh reads."""


def heard(metadata: Sequence[Metadatum], own: dict[str, str | bytes]) -> Sequence[Metadatum]:
    """Takes the mesh's own keys out of what came; each call comes here.

    The last of a key counts: it is the one that the caller's transport adds.

    Args:
        metadata: what came.
        own: what was said under the mesh's own keys goes in here, and CLASS_KEY, which entrypoints may see as well.

    Returns:
        What is left, as it is in process.
    """
    kept: list[Metadatum] = []
    for pair in metadata:
        key = pair[0]
        if key not in _TOLD:
            kept.append(pair)
            continue
        own[key] = pair[1]
        if key == CLASS_KEY:
            kept.append(pair)
    return kept


def attempt_of(said: str | bytes | None) -> int:
    """Which try a service says that its call is; the first where it says nothing, or nonsense."""
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= _DIGITS else 1


_DIGITS = 3
