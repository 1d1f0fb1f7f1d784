"""The only place that decides which call goes wrong, and how: by counting, never by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

Kind = Literal["latency", "status", "hang", "drop", "garbage", "truncated", "trickle"]
Provider = Literal["", "isbndb", "google_books", "open_library"]
# A prime: the jitter visits every value of its range before it repeats, unless the range is a multiple of it.
_JITTER_STEP = 7919


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=False):
    """One thing to go wrong, as it is given to /_sandbox/faults."""

    kind: Kind = "latency"
    path: str = "/"
    """Calls whose path starts so."""
    provider: Provider = ""
    """Calls of this provider; "" is all of them."""
    every: int = 1
    """Of those, each n-th."""
    count: int | None = None
    """At most so many; None is without end."""
    status: int = 503
    """What a "status" answers with."""
    latency_ms: int = 0
    """Time before the answer, whatever the kind."""
    jitter_ms: int = 0
    """Up to so much more, differing from call to call."""
    trickle_ms: int = 50
    """Time between two pieces of a "trickle"."""


class FaultError(ValueError):
    """A fault that makes no sense; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What happens to one call."""

    delay_s: float = 0.0
    kind: Kind = "latency"
    status: int = 0
    trickle_s: float = 0.0


def parse(body: bytes) -> list[Fault]:
    """Reads a fault or a list of faults from JSON.

    Raises:
        FaultError: No JSON, an unknown field, a value of the wrong type or out of range.
    """
    try:
        given = msgspec.json.decode(body, type=Fault | list[Fault])
    except msgspec.DecodeError as problem:
        raise FaultError(str(problem)) from problem
    faults = given if isinstance(given, list) else [given]
    for fault in faults:
        _check(fault)
    return faults


def _check(fault: Fault) -> None:
    """Refuses numbers that mean nothing.

    Raises:
        FaultError: A field out of range.
    """
    for name, least in (("every", 1), ("latency_ms", 0), ("jitter_ms", 0), ("trickle_ms", 0)):
        if getattr(fault, name) < least:
            raise FaultError(f"{name} must be at least {least}, not {getattr(fault, name)}")
    if fault.count is not None and fault.count < 0:
        raise FaultError(f"count must not be negative, but is {fault.count}")
    if not 400 <= fault.status <= 599:  # noqa: PLR2004 -- HTTP's errors
        raise FaultError(f"status must be an error's (400 to 599), not {fault.status}")


class Faults:
    """The faults that are switched on, with what they have seen and struck."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = list(faults)
        self._seen = [0] * len(self._faults)
        self._struck = [0] * len(self._faults)

    def strike(self, path: str, provider: str = "") -> Strike:
        """What happens to the next call on a path: all delays add up, the first kind beside latency wins.

        Args:
            path: The call's.
            provider: The name of the provider that it is for.
        """
        delay_ms = 0
        worst: Fault | None = None
        for at, fault in enumerate(self._faults):
            if not path.startswith(fault.path) or fault.provider not in {"", provider}:
                continue
            self._seen[at] += 1
            if self._seen[at] % fault.every or (fault.count is not None and self._struck[at] >= fault.count):
                continue
            self._struck[at] += 1
            delay_ms += fault.latency_ms + self._struck[at] * _JITTER_STEP % (fault.jitter_ms + 1)
            if fault.kind != "latency" and worst is None:
                worst = fault
        if worst is None:
            return Strike(delay_s=delay_ms / 1000)
        return Strike(delay_s=delay_ms / 1000, kind=worst.kind, status=worst.status, trickle_s=worst.trickle_ms / 1000)

    def report(self) -> list[dict[str, object]]:
        """Every fault as it was given, with how many calls it saw and struck."""
        return [
            {**msgspec.to_builtins(fault), "seen": seen, "struck": struck}
            for fault, seen, struck in zip(self._faults, self._seen, self._struck, strict=True)
        ]
