"""The only place that puts an answer together for the wire: bytes as they lie, cut, with what this caller must know.

A message whose bytes are joined to another's is merged with it (Protocol Buffers Encoding, "Last One Wins"): so the
caller's own part and the provenance are added behind what the cache holds, and nothing of that is parsed.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from bookmesh.books.v1.books_service_pb2 import QueryInterpretation
from bookmesh.type.v1.book_pb2 import Provenance, Tier
from google.protobuf.timestamp_pb2 import Timestamp

from mesh.call import CACHE_KEY, Metadatum
from services.books.entry import framed, varint
from services.books.query import Query
from services.books.walking import Held

_INTERPRETATION = 2
"""SearchAutoResponse's field of the name."""

_AGE, _STALE = b"\x18", b"\x20\x01"
"""Provenance's age_ms, up to its value, and its stale, with it: the two fields that differ from call to call."""

SEARCH_PROVENANCE = 3
"""SearchAutoResponse's field of the provenance."""

_TIERS: Mapping[int, str] = {tier: name.removeprefix("TIER_") for name, tier in Tier.items()}


class Told(NamedTuple):
    """An answer as it goes to its caller."""

    data: bytes
    """The message's bytes."""
    tier: Tier.ValueType
    """Where it came from."""
    age_ms: int
    """Milliseconds since it was made."""
    is_stale: bool
    """Its time is over."""

    def trailing(self) -> Sequence[Metadatum]:
        """What the trailing metadata say of it: tier, age and state under one key, for each key costs both sides."""
        return ((CACHE_KEY, f"{_TIERS[self.tier]}; age_ms={self.age_ms}; {'stale' if self.is_stale else 'fresh'}"),)


def told(
    held: Held, key: str, now: float, *, start: int = 0, stop: int, own_part: bytes, provenance_number: int
) -> Told:
    """An answer for one caller.

    Args:
        held: what the cache holds, or the providers gave.
        key: its key.
        now: seconds since the epoch.
        start: the first work that the caller gets, from 0.
        stop: the one behind the last.
        own_part: what of the message is the caller's own.
        provenance_number: the message's field of the provenance.
    """
    entry = held.entry
    age_ms = round((now - entry.cache_time) * 1000) if now > entry.cache_time else 0
    is_stale = now >= entry.fresh_until
    aging = _AGE + varint(age_ms) + (_STALE if is_stale else b"")
    parts = (
        entry.works if start == 0 and stop >= len(entry.ends) else entry.slice(start, stop),
        entry.rest,
        own_part,
        _lasting(provenance_number, held.tier, entry.cache_time, entry.fresh_until, key),
        bytes((provenance_number << 3 | 2, len(aging))),
        aging,
    )
    return Told(b"".join(parts), held.tier, age_ms, is_stale)


@lru_cache(maxsize=4096)
def _lasting(number: int, tier: Tier.ValueType, cache_time: float, fresh_until: float, key: str) -> bytes:
    """What of a provenance stays the same as long as an answer lies where it lies."""
    provenance = Provenance(
        tier=tier, cache_time=_timestamp(cache_time), fresh_until_time=_timestamp(fresh_until), key=key
    )
    return framed(number, provenance.SerializeToString())


def interpretation_of(query: Query) -> bytes:
    """What of an interpretation depends on the query alone; entries of one key are shared by different queries."""
    interpretation = QueryInterpretation(normalized_text=query.normal, isbn_13=query.isbn13, language=query.language)
    return framed(_INTERPRETATION, interpretation.SerializeToString())


def _timestamp(seconds: float) -> Timestamp:
    """A time with the milliseconds that entries keep."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return Timestamp(seconds=whole, nanos=milliseconds * 1_000_000)
