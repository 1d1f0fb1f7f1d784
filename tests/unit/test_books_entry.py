import math
from dataclasses import replace

import pytest
from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse
from bookmesh.type.v1.book_pb2 import Work
from hypothesis import given
from hypothesis import strategies as st

from services.books.entry import BODY_LIMIT, Entry, Label, decode, encode, label, packed, rest_of, tags_of

KEY = "v2:isbn:9780441013593"
WORKS, ENDS = packed([Work(title="Dune"), Work(title="Dune Messiah")])
REST = rest_of(SearchAutoResponse(partial=True))
ENTRY = Entry(
    works=WORKS,
    ends=ENDS,
    rest=REST,
    cache_time=1_000.5,
    fresh_until=2_000.25,
    fetch_s=0.25,
    partial=True,
    tags=tags_of([("isbn", "9780441013593"), ("author", "frank herbert")]),
)
TIMES = st.integers(0, 2**42).map(lambda number: number / 1000)


@given(
    titles=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    rest=st.binary(),
    key=st.text(),
    made=TIMES,
    until=TIMES,
    isbns=st.lists(st.text()),
    partial=st.booleans(),
)
def test_what_is_encoded_is_decoded(
    titles: list[str],
    rest: bytes,
    key: str,
    made: float,
    until: float,
    isbns: list[str],
    partial: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """An entry comes back as it was, to the millisecond."""
    works, ends = packed(Work(title=title) for title in titles)
    tags = tags_of(("isbn", isbn) for isbn in isbns)
    entry = Entry(works=works, ends=ends, rest=rest, cache_time=made, fresh_until=until, partial=partial, tags=tags)
    assert entry == decode(key, encode(key, entry))


@given(title=st.text(st.characters(exclude_categories=["Cs"]), max_size=400), more=st.integers(0, 20_000))
def test_framed_works_are_fields_of_the_message(title: str, more: int) -> None:
    """Works of any size, framed one by one, are what the message has when it serializes them itself."""
    works = [Work(title=title), Work(synopsis="x" * more)]
    assert packed(works)[0] == SearchAutoResponse(results=works).SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, 2, ["Dune", "Dune Messiah"]), (0, 1, ["Dune"]), (1, 9, ["Dune Messiah"]), (0, 0, []), (2, 3, [])],
)
def test_works_are_cut_without_being_read(start: int, stop: int, expected: list[str]) -> None:
    """Any run of works can be taken out of an entry, and is a message by itself."""
    cut = SearchAutoResponse.FromString(ENTRY.slice(start, stop))
    assert expected == [work.title for work in cut.results]


def test_label_tells_without_unpacking() -> None:
    """The envelope tells when an entry was made and what it speaks of."""
    assert label(KEY, encode(KEY, ENTRY)) == Label(ENTRY.cache_time, ENTRY.tags)


def test_torn_label_is_none() -> None:
    """What is torn has no label either."""
    assert label(KEY, encode(KEY, ENTRY)[:-1]) is None


@given(data=st.binary())
def test_foreign_value_is_none(data: bytes) -> None:
    """Whatever lies under a key that is no entry is none, and no error."""
    assert decode(KEY, data) is None


@given(data=st.data())
def test_changed_byte_is_noticed(data: st.DataObject) -> None:
    """An entry of which any one byte is another is none."""
    stored = bytearray(encode(KEY, ENTRY))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    assert decode(KEY, bytes(stored)) is None


@given(st.integers(0, len(encode(KEY, ENTRY)) - 1))
def test_torn_entry_is_none(length: int) -> None:
    """An entry of which the end is missing is none."""
    assert decode(KEY, encode(KEY, ENTRY)[:length]) is None


def test_entry_under_another_key_is_none() -> None:
    """An entry that got under another key is not taken for that key's answer."""
    assert decode("v2:isbn:9780141439587", encode(KEY, ENTRY)) is None


def test_frame_that_claims_too_much_is_none() -> None:
    """A frame that would unpack to more than any answer has is not unpacked."""
    entry = Entry(rest=bytes(BODY_LIMIT + 1), cache_time=0.0, fresh_until=1.0)
    assert decode(KEY, encode(KEY, entry)) is None


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -5.0, 1e300])
def test_odd_times_are_stored_all_the_same(odd: float) -> None:
    """A time that makes no sense never keeps an entry from being written and read."""
    found = decode(KEY, encode(KEY, replace(ENTRY, cache_time=odd, fresh_until=odd, fetch_s=odd)))
    assert found is not None
    assert (found.works, found.rest) == (WORKS, REST)


@pytest.mark.parametrize(
    ("now", "max_stale_s", "expected"),
    [(2_000.0, 0.0, True), (2_000.25, 0.0, False), (2_010.0, 10.0, True), (2_010.25, 10.0, False)],
)
def test_freshness(now: float, max_stale_s: float, *, expected: bool) -> None:
    """An entry is fresh until its time, and that much longer for a caller that allows it."""
    assert expected is ENTRY.is_fresh(now, max_stale_s=max_stale_s)
