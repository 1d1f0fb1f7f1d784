"""The only place that says which kept answers must not be given any more, wherever they lie: the ban list.

A ban names a key, a prefix of keys, an author or an ISBN, and a moment: what was cached until then and fits is a miss,
in every tier and every process, as soon as the ban is known. So a purge takes hold at once in stores of any
size, and what it leaves lying is swept up later or dies of age. Varnish has bans in this sense ("Purging and banning",
Varnish Cache documentation). Pure: where bans are kept and how they travel is `purging.py`'s.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import msgspec

from services.books.entry import tag_of
from services.books.isbn import bare, isbn13_of
from services.books.likeness import name_key

Kind = Literal["key", "prefix", "author", "isbn"]

_tag_of = lru_cache(maxsize=4096)(tag_of)
"""Kept, for a sweep asks for the tag of its ban at every value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """One ban."""

    kind: Kind
    """What `value` is."""
    value: str
    """A key, a prefix, the key of an author's name, or an ISBN-13."""
    time: float
    """What was cached until then is meant, in seconds since the epoch."""

    @property
    def name(self) -> str:
        """Equal for bans of the same thing: a later one takes the place of an earlier."""
        return f"{self.kind}:{self.value}"

    def covers(self, key: str, cache_time: float, tags: Sequence[int]) -> bool:
        """Whether an entry must not be given any more.

        Args:
            key: its key.
            cache_time: when it was made.
            tags: what it speaks of, in order.
        """
        if cache_time > self.time:
            return False
        if self.kind == "key":
            return key == self.value
        if self.kind == "prefix":
            return key.startswith(self.value)
        return _holds(tags, _tag_of(self.kind, self.value))


def ban_of(kind: Kind, text: str, now: float) -> Ban:
    """The ban that somebody asks for.

    Args:
        kind: what the text names.
        text: a key, a prefix, an author in any order, or an ISBN of either length.
        now: seconds since the epoch.

    Raises:
        ValueError: the text names nothing.
    """
    value = text
    if kind == "author":
        value = name_key(text)
    elif kind == "isbn":
        value = isbn13_of(bare(text))
    if not value:
        raise ValueError(f"{text!r} is no {kind}")
    # Entries keep milliseconds, rounded, so what was made in this very one is meant as well.
    return Ban(kind=kind, value=value, time=now + 0.001)


def encoded(ban: Ban) -> bytes:
    """A ban as it is kept and sent."""
    return msgspec.json.encode(ban)


def decoded(data: bytes) -> Ban | None:
    """The ban in some bytes; None where there is none."""
    try:
        return msgspec.json.decode(data, type=Ban)
    except (ValueError, RecursionError):  # msgspec's own errors are some, and it recurses into what is nested
        return None


class BanList:
    """The bans that are known. However many there are, telling whether an entry is covered costs little."""

    def __init__(self) -> None:
        self._by_name: dict[str, Ban] = {}
        self._prefixes: dict[str, float] = {}
        self._tags: dict[int, float] = {}
        self._latest = -math.inf

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_name)

    def add(self, ban: Ban) -> bool:
        """Takes a ban in; whether it says anything new."""
        known = self._by_name.get(ban.name)
        if known is not None and known.time >= ban.time:
            return False
        self._by_name[ban.name] = ban
        self._latest = max(self._latest, ban.time)
        if ban.kind == "prefix":
            self._prefixes[ban.value] = ban.time
        elif ban.kind != "key":
            self._tags[_tag_of(ban.kind, ban.value)] = ban.time
        return True

    def has_later(self, ban: Ban) -> bool:
        """Whether a later ban of the same thing is known."""
        known = self._by_name.get(ban.name)
        return known is not None and known.time > ban.time

    def covers(self, key: str, cache_time: float, tags: Sequence[int]) -> bool:
        """Whether an entry must not be given any more, as `Ban.covers` has it."""
        # Most entries are later than every ban, and this is asked at every hit.
        if cache_time > self._latest:
            return False
        named = self._by_name.get(f"key:{key}")
        if named is not None and cache_time <= named.time:
            return True
        if any(cache_time <= time and key.startswith(prefix) for prefix, time in self._prefixes.items()):
            return True
        if len(self._tags) < len(tags):
            return any(cache_time <= time and _holds(tags, tag) for tag, time in self._tags.items())
        return any(cache_time <= self._tags.get(tag, -math.inf) for tag in tags)

    def forget(self, before: float) -> Sequence[Ban]:
        """Drops the bans of what can't live any more, and gives them."""
        old = [ban for ban in self._by_name.values() if ban.time < before]
        for ban in old:
            del self._by_name[ban.name]
            if ban.kind == "prefix":
                del self._prefixes[ban.value]
            elif ban.kind != "key":
                del self._tags[_tag_of(ban.kind, ban.value)]
        return old


def _holds(tags: Sequence[int], tag: int) -> bool:
    """Whether a tag is among some that are in order."""
    at = bisect.bisect_left(tags, tag)
    return at < len(tags) and tags[at] == tag
