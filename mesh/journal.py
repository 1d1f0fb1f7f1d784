"""What the mesh did for each call of a service: the last ones in memory, and all of them on their way to the audit log.

A record holds no body, no metadata and no secret: names, numbers, and the words of the mesh itself.
"""

import string
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mesh.call import Note, Side
from mesh.trace import Trace

KEPT = 10_000
"""Records that one service keeps in memory, the newest; some five megabytes."""


_DIGITS = frozenset(string.hexdigits)


class Record(NamedTuple):
    """One call, as the service saw it that wrote this down. A tuple, for one is made for each call."""

    at: float
    """When it ended, in seconds since the epoch."""
    trace: Trace
    """Its id, and those before it."""
    side: Side
    """Whether the service that wrote this down called, or answered."""
    caller: str
    """The service that called; empty for people."""
    binding: str
    """The binding that it went through; empty on the server side."""
    service: str
    """The service that was called."""
    entrypoint: str
    """Its entrypoint."""
    method: str
    """The path on the wire."""
    code: str
    """The gRPC status."""
    reason: str
    """The reason of the error; empty for OK."""
    elapsed_s: float
    """How long it took."""
    attempts: int
    """How often it was tried."""
    breaker: str
    """Where the breaker stood."""
    tier: str
    """The cache tier that answered, where the callee named one."""
    sent: int
    """Bytes of the request."""
    received: int
    """Bytes of the response; 0 in process, where nothing is made into bytes."""
    notes: tuple[Note, ...]
    """What was decided beside carrying it over."""


class Journal:
    """The records of one service, oldest first.

    Args:
        kept: how many stay in memory.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._records: deque[Record] = deque(maxlen=kept)
        self._take: Callable[[Record], None] | None = None

    def add(self, record: Record) -> None:
        """Writes one record down."""
        self._records.append(record)
        if self._take is not None:
            self._take(record)

    def forward(self, take: Callable[[Record], None]) -> None:
        """Hands every record from now on to the audit log, too."""
        self._take = take

    def find(self, identity: str) -> Iterator[Record]:
        """The records of a trace or of one call, by the id that people see: 32 or 16 hexadecimal digits.

        Raises:
            ValueError: it is no such id.
        """
        if len(identity) not in {16, 32} or not set(identity) <= _DIGITS:
            raise ValueError("an id has 16 or 32 hexadecimal digits")
        wanted = int(identity, 16)
        if len(identity) == 32:  # noqa: PLR2004 - the digits of a W3C trace id
            return (record for record in self._records if record.trace.trace_id == wanted)
        return (record for record in self._records if wanted in (record.trace.call_id, record.trace.parent_id))

    def __iter__(self) -> Iterator[Record]:
        """Every record that is kept."""
        return iter(self._records)
