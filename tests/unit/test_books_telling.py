"""How an answer is put together for the wire, of bytes that nobody reads."""

from dataclasses import replace

import pytest
from bookmesh.books.v1.books_service_pb2 import (
    QUERY_KIND_ISBN,
    AuthorBibliographyResponse,
    ProviderOutcome,
    QueryInterpretation,
    SearchAutoResponse,
)
from bookmesh.type.v1.book_pb2 import TIER_COLD, TIER_HOT, TIER_MEMORY, TIER_ORIGIN, Provenance, Tier, Work
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from services.books.entry import Entry, packed, rest_of
from services.books.query import cache_key, parse
from services.books.telling import SEARCH_PROVENANCE, Told, interpretation_of, told
from services.books.walking import Held
from tests.unit.books_house import DUNE

KEY = f"v2:isbn:{DUNE}"
WORKS = [Work(title=f"Dune {at}", synopsis="x" * 50 * at) for at in range(6)]
REST = SearchAutoResponse(
    interpretation=QueryInterpretation(kind=QUERY_KIND_ISBN, author="Frank Herbert"),
    providers=[ProviderOutcome(provider="isbndb", call_count=2)],
    partial=True,
)
NOW = 1_000_000.0
LATEST_S = 2**40
"""The latest time that an entry can keep, in seconds since the epoch."""


def entry_of(works: list[Work], *, cache_time: float = NOW, fresh_until: float = NOW + 100) -> Entry:
    """An entry with some works."""
    data, ends = packed(works)
    return Entry(works=data, ends=ends, rest=rest_of(REST), cache_time=cache_time, fresh_until=fresh_until)


def tell(
    entry: Entry,
    *,
    now: float = NOW,
    start: int = 0,
    stop: int = 100,
    tier: Tier.ValueType = TIER_HOT,
    own: bytes = b"",
) -> Told:
    """An answer to a search."""
    held = Held(entry, tier)
    return told(held, KEY, now, start=start, stop=stop, own_part=own, provenance_number=SEARCH_PROVENANCE)


@given(count=st.integers(0, 6), start=st.integers(0, 8), length=st.integers(0, 8), age_ms=st.integers(0, 2**50))
def test_bytes_are_the_message_built_by_hand(count: int, start: int, length: int, age_ms: int) -> None:
    """For any cut and any age the bytes are read as the message that one would build field by field."""
    now = NOW + age_ms / 1000
    query = parse(DUNE, language="de")
    expected = SearchAutoResponse(
        results=WORKS[:count][start : start + length],
        interpretation=QueryInterpretation(
            kind=QUERY_KIND_ISBN, author="Frank Herbert", normalized_text=DUNE, isbn_13=DUNE, language="de"
        ),
        providers=REST.providers,
        partial=True,
        provenance=Provenance(
            tier=TIER_COLD,
            cache_time=Timestamp(seconds=1_000_000),
            age_ms=round((now - NOW) * 1000),
            stale=age_ms >= 100_000,
            fresh_until_time=Timestamp(seconds=1_000_100),
            key=KEY,
        ),
    )
    found = tell(
        entry_of(WORKS[:count]),
        now=now,
        start=start,
        stop=start + length,
        tier=TIER_COLD,
        own=interpretation_of(query),
    )
    assert expected == SearchAutoResponse.FromString(found.data)


def test_languages_share_an_isbn() -> None:
    """Two languages ask for one ISBN under one key, and each is told its own and nothing of the other's."""
    queries = [parse(DUNE, language=language) for language in ("en", "de")]
    assert [cache_key(query) for query in queries] == [KEY, KEY]
    entry = entry_of(WORKS[:1])
    found = [SearchAutoResponse.FromString(tell(entry, own=interpretation_of(query)).data) for query in queries]
    assert [each.interpretation.language for each in found] == ["en", "de"]
    assert [each.interpretation.kind for each in found] == [QUERY_KIND_ISBN] * 2


def test_nothing_of_an_entry_is_parsed() -> None:
    """Works and a rest that are no message go out as they are: telling an answer reads none of it."""
    noise, rest = b"\xff\xfe no message \x07", b"\xff nor this"
    entry = Entry(works=noise, ends=(3, len(noise)), rest=rest, cache_time=NOW, fresh_until=NOW + 100)
    whole, first = tell(entry), tell(entry, stop=1)
    assert whole.data.startswith(noise + rest)
    assert first.data.startswith(noise[:3] + rest)


@pytest.mark.parametrize(
    ("now", "age_ms", "is_stale"),
    [
        (NOW - 5, 0, False),
        (NOW, 0, False),
        (NOW + 0.25, 250, False),
        (NOW + 99.999, 99_999, False),
        (NOW + 100, 100_000, True),
        (NOW + 1e6, 1_000_000_000, True),
    ],
)
def test_age_and_freshness(now: float, age_ms: int, *, is_stale: bool) -> None:
    """An answer is as old as it is, never younger than nothing, and stale from the moment that its time is over."""
    found = tell(entry_of(WORKS), now=now)
    provenance = SearchAutoResponse.FromString(found.data).provenance
    assert (found.age_ms, found.is_stale) == (age_ms, is_stale)
    assert (provenance.age_ms, provenance.stale) == (age_ms, is_stale)


@pytest.mark.parametrize("now", [1.0, 1e9, 1e12, float(LATEST_S)])
def test_huge_ages(now: float) -> None:
    """However old an answer is that a store has kept, its age is told and the message is whole."""
    found = tell(entry_of(WORKS[:1], cache_time=0.0, fresh_until=0.0), now=now)
    message = SearchAutoResponse.FromString(found.data)
    assert (message.provenance.age_ms, message.provenance.key) == (round(now * 1000), KEY)
    assert [each.title for each in message.results] == ["Dune 0"]


def test_times_far_ahead() -> None:
    """An entry of a clock far ahead is of no age, and its times come through."""
    ahead = entry_of(WORKS[:1], cache_time=float(LATEST_S), fresh_until=float(LATEST_S))
    found = tell(ahead)
    provenance = SearchAutoResponse.FromString(found.data).provenance
    assert (found.age_ms, provenance.cache_time.seconds) == (0, LATEST_S)


@given(milliseconds=st.integers(0, 2**42))
def test_times_are_told_to_the_millisecond(milliseconds: int) -> None:
    """The times of an answer are told with the milliseconds that its entry keeps."""
    at = milliseconds / 1000
    provenance = SearchAutoResponse.FromString(tell(entry_of([], cache_time=at, fresh_until=at)).data).provenance
    assert [provenance.cache_time.ToMilliseconds(), provenance.fresh_until_time.ToMilliseconds()] == [milliseconds] * 2


def test_calls_share_nothing_that_differs() -> None:
    """One entry that is told at different times, under different keys and from different tiers is each time itself."""
    entry = entry_of(WORKS[:1])
    found = []
    for tier, key, now in ((TIER_HOT, "a", NOW), (TIER_MEMORY, "a", NOW + 1), (TIER_MEMORY, "b", NOW)):
        data = told(Held(entry, tier), key, now, own_part=b"", stop=1, provenance_number=SEARCH_PROVENANCE).data
        provenance = SearchAutoResponse.FromString(data).provenance
        found.append((provenance.tier, provenance.key, provenance.age_ms))
    assert found == [(TIER_HOT, "a", 0), (TIER_MEMORY, "a", 1_000), (TIER_MEMORY, "b", 0)]
    later = replace(entry, fresh_until=NOW + 200)
    until = SearchAutoResponse.FromString(tell(later).data).provenance.fresh_until_time
    assert until.seconds == 1_000_200


def test_any_message_with_a_field_for_it() -> None:
    """The provenance stands in the field that is named, whatever the message is, and other fields are left alone."""
    number = AuthorBibliographyResponse.DESCRIPTOR.fields_by_name["provenance"].number
    own = AuthorBibliographyResponse(next_page_token="next").SerializeToString()
    entry = replace(entry_of(WORKS[:3]), rest=AuthorBibliographyResponse(author="Frank Herbert").SerializeToString())
    data = told(Held(entry, TIER_HOT), KEY, NOW, start=1, stop=2, own_part=own, provenance_number=number).data
    found = AuthorBibliographyResponse.FromString(data)
    assert ([each.title for each in found.works], found.author, found.next_page_token, found.provenance.key) == (
        ["Dune 1"],
        "Frank Herbert",
        "next",
        KEY,
    )


@pytest.mark.parametrize(
    ("tier", "name"), [(TIER_MEMORY, "MEMORY"), (TIER_HOT, "HOT"), (TIER_COLD, "COLD"), (TIER_ORIGIN, "ORIGIN")]
)
@pytest.mark.parametrize(("now", "state"), [(NOW + 1.5, "fresh"), (NOW + 200, "stale")])
def test_trailing_metadata(tier: Tier.ValueType, name: str, now: float, state: str) -> None:
    """Tier, age and state stand in the trailing metadata in words and digits."""
    assert dict(tell(entry_of(WORKS), now=now, tier=tier).trailing()) == {
        "x-cache": f"{name}; age_ms={round((now - NOW) * 1000)}; {state}"
    }
