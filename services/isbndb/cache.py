"""The only place where the leaf keeps answers of ISBNdb's, in memory, for minutes."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from bookmesh.type.v1.book_pb2 import Work
from cachetools import TLRUCache

FOUND_S = 300.0
"""Seconds that books are kept. Whoever calls has a cache of its own and takes what comes from here for news, so this
one only saves the calls of those who ask the same at about the same time."""

NOTHING_S = 60.0
"""Seconds that "nothing found" is kept: short, for a book that was just added is looked for at once."""

LIMIT_BYTES = 32 * 1024 * 1024
"""Memory for answers, as they would be sent."""

_OVERHEAD_BYTES = 500
"""What an entry costs beside its works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What ISBNdb answered, converted; whoever gets one only reads it."""

    works: Sequence[Work] = ()
    """The works; none is an answer as well."""
    edition_count: int = 0
    """The editions that they were made of."""
    total_count: int = 0
    """How many editions there are in all, where ISBNdb says so."""
    next_page: int = 0
    """The page after this one; 0 when there is none."""
    author: str = ""
    """The author's name as ISBNdb writes it, on an author's page."""


class AnswerCache:
    """Answers by key, the least recently used dropped first; failures are never given to it.

    Args:
        clock: seconds, never going back.
        limit_bytes: memory for answers.
    """

    def __init__(self, clock: Callable[[], float], *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._kept: TLRUCache[Hashable, Found] = TLRUCache(limit_bytes, _expiry, clock, _size)

    def get(self, key: Hashable) -> Found | None:
        """The answer to the question that a key stands for, while it is fresh."""
        return self._kept.get(key)

    def put(self, key: Hashable, found: Found) -> None:
        """Keeps an answer, unless it alone is more than all memory."""
        if _size(found) <= self._kept.maxsize:
            self._kept[key] = found

    @property
    def size_bytes(self) -> int:
        """Memory in use, about."""
        return int(self._kept.currsize)


def _expiry(_: Hashable, found: Found, now: float) -> float:
    return now + (FOUND_S if found.works else NOTHING_S)


def _size(found: Found) -> int:
    return _OVERHEAD_BYTES + sum(work.ByteSize() for work in found.works)
