import math

import pytest
from bookmesh.books.v1.books_service_pb2 import SearchAutoResponse
from bookmesh.type.v1.book_pb2 import Work
from hypothesis import given
from hypothesis import strategies as st

from services.books.entry import BODY_LIMIT, Entry, decode, encode

KEY = "v2:isbn:9780441013593"
BODY = SearchAutoResponse(results=[Work(title="Dune")]).SerializeToString()
ENTRY = Entry(body=BODY, cache_time=1_000.5, fresh_until=2_000.25)
TIMES = st.integers(0, 2**42).map(lambda number: number / 1000)


@given(body=st.binary(), key=st.text(), made=TIMES, until=TIMES)
def test_what_is_encoded_is_decoded(body: bytes, key: str, made: float, until: float) -> None:
    """An entry comes back as it was, to the millisecond."""
    entry = Entry(body=body, cache_time=made, fresh_until=until)
    assert entry == decode(key, encode(key, entry))


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
    entry = Entry(body=bytes(BODY_LIMIT + 1), cache_time=0.0, fresh_until=1.0)
    assert decode(KEY, encode(KEY, entry)) is None


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -5.0, 1e300])
def test_odd_times_are_stored_all_the_same(odd: float) -> None:
    """A time that makes no sense never keeps an entry from being written and read."""
    found = decode(KEY, encode(KEY, Entry(body=BODY, cache_time=odd, fresh_until=odd)))
    assert found is not None
    assert found.body == BODY


@pytest.mark.parametrize(
    ("now", "max_stale_s", "expected"),
    [(2_000.0, 0.0, True), (2_000.25, 0.0, False), (2_010.0, 10.0, True), (2_010.25, 10.0, False)],
)
def test_freshness(now: float, max_stale_s: float, *, expected: bool) -> None:
    """An entry is fresh until its time, and that much longer for a caller that allows it."""
    assert expected is ENTRY.is_fresh(now, max_stale_s=max_stale_s)
