"""Which kept answers must not be given any more."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.books.bans import Ban, BanList, Kind, ban_of, decoded, encoded
from services.books.entry import Entry, decode, encode, tags_of

KEY = "v2:isbn:9780441013593"
NOW = 1_000.0
TAGS = tags_of([("isbn", "9780441013593"), ("author", "frank herbert"), ("author", "brian herbert")])

KEYS = ("v2:isbn:1", "v2:isbn:12", "v2:text:1")
PREFIXES = ("v2:", "v2:isbn:", "v2:isbn:1", "v1:")
NAMES = ("a", "b", "c")
TIMES = st.integers(0, 6).map(float)
BANS = st.one_of(
    st.builds(Ban, kind=st.just("key"), value=st.sampled_from(KEYS), time=TIMES),
    st.builds(Ban, kind=st.just("prefix"), value=st.sampled_from(PREFIXES), time=TIMES),
    st.builds(Ban, kind=st.sampled_from(["author", "isbn"]), value=st.sampled_from(NAMES), time=TIMES),
)
SPOKEN = st.lists(st.tuples(st.sampled_from(["author", "isbn"]), st.sampled_from(NAMES)), max_size=6)
ENTRIES = st.tuples(st.sampled_from(KEYS), TIMES, SPOKEN.map(tags_of))


def listed(bans: Sequence[Ban]) -> BanList:
    """A list of some bans."""
    known = BanList()
    for ban in bans:
        known.add(ban)
    return known


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("key", KEY, True),
        ("key", "v2:isbn:978044101359", False),
        ("prefix", "v2:isbn:", True),
        ("prefix", KEY, True),
        ("prefix", "v2:text:", False),
        ("author", "Frank Herbert", True),
        ("author", "Brian Herbert", True),
        ("author", "Herbert", False),
        ("author", "9780441013593", False),
        ("isbn", "9780441013593", True),
        ("isbn", "9780141439587", False),
    ],
)
def test_kinds(kind: Kind, text: str, *, expected: bool) -> None:
    """A ban covers what it names and nothing else, and no kind takes the value of another for its own."""
    assert expected is ban_of(kind, text, NOW).covers(KEY, NOW, TAGS)


@pytest.mark.parametrize("text", ["0441013597", "0-441-01359-7", "978-0-441-01359-3", "ISBN 0441013597"])
def test_isbn_of_any_form_is_one_ban(text: str) -> None:
    """An ISBN of ten digits, with hyphens or without, bans the book of its thirteen."""
    assert ban_of("isbn", text, NOW) == ban_of("isbn", "9780441013593", NOW)


@pytest.mark.parametrize("text", ["Herbert, Frank", "FRANK HERBERT", "Fränk  Herbert"])
def test_author_in_either_order_is_one_ban(text: str) -> None:
    """A name bans its author in whatever order, case and with whatever marks it is written."""
    assert ban_of("author", text, NOW) == ban_of("author", "Frank Herbert", NOW)


@pytest.mark.parametrize(
    ("kind", "text"), [("key", ""), ("prefix", ""), ("author", "  "), ("isbn", "9780441013590"), ("isbn", "dune")]
)
def test_text_that_names_nothing(kind: Kind, text: str) -> None:
    """A text that names nothing is refused, and the error says what it is none of."""
    with pytest.raises(ValueError, match=f"is no {kind}"):
        ban_of(kind, text, NOW)


@given(st.floats(0.0, 2**40))
def test_what_was_made_in_this_very_moment_is_covered(now: float) -> None:
    """However an entry's time is rounded when it is kept, what was made by the moment of the ban is meant."""
    kept = decode(KEY, encode(KEY, Entry(cache_time=now, fresh_until=now, tags=TAGS)))
    assert kept is not None
    assert ban_of("key", KEY, now).covers(KEY, kept.cache_time, kept.tags)


@pytest.mark.parametrize(("made", "expected"), [(NOW - 1, True), (NOW, True), (NOW + 0.002, False), (NOW + 1, False)])
def test_what_is_made_later_is_not_meant(made: float, *, expected: bool) -> None:
    """A ban covers what was made until its moment, and leaves alone what comes after it."""
    assert expected is listed([ban_of("isbn", "9780441013593", NOW)]).covers(KEY, made, TAGS)


@given(bans=st.lists(BANS, max_size=20), entries=st.lists(ENTRIES, min_size=1, max_size=5))
def test_list_covers_what_any_of_its_bans_covers(
    bans: list[Ban], entries: list[tuple[str, float, Sequence[int]]]
) -> None:
    """Whichever way it looks, the list says what asking every ban in turn would say."""
    known = listed(bans)
    for entry in entries:
        assert any(ban.covers(*entry) for ban in bans) is known.covers(*entry)


@given(bans=st.lists(BANS, max_size=20), before=TIMES, entry=ENTRIES)
def test_forgotten_bans_are_gone_from_every_index(
    bans: list[Ban], before: float, entry: tuple[str, float, Sequence[int]]
) -> None:
    """What is forgotten covers nothing any more, what is kept covers as before, and the older are what goes."""
    known = listed(bans)
    gone = known.forget(before)
    latest = {name: max(ban.time for ban in bans if ban.name == name) for name in {ban.name for ban in bans}}
    kept = [ban for ban in bans if latest[ban.name] >= before]
    assert {ban.name for ban in gone} == {name for name, time in latest.items() if time < before}
    assert len(known) == len({ban.name for ban in kept})
    assert any(ban.covers(*entry) for ban in kept) is known.covers(*entry)


@given(bans=st.lists(BANS, max_size=20), entry=ENTRIES)
def test_list_that_forgot_everything_can_be_filled_anew(
    bans: list[Ban], entry: tuple[str, float, Sequence[int]]
) -> None:
    """Bans that were forgotten can be learned again, and nothing of the first time is in the way."""
    known = listed(bans)
    known.forget(7.0)
    assert (len(known), known.covers(*entry)) == (0, False)
    for ban in bans:
        known.add(ban)
    assert any(ban.covers(*entry) for ban in bans) is known.covers(*entry)


@pytest.mark.parametrize("kind", ["key", "prefix", "author", "isbn"])
def test_later_ban_wins(kind: Kind) -> None:
    """Of two bans of one thing the later holds, in whichever order they come, and only it says anything new."""
    early = Ban(kind=kind, value="a", time=1.0)
    late = replace(early, time=2.0)
    entry = ("a", 1.5, tags_of([(kind, "a")]))
    for bans, news in (((early, late), [True, True]), ((late, early), [True, False]), ((late, late), [True, False])):
        known = BanList()
        assert news == [known.add(ban) for ban in bans]
        assert (len(known), known.covers(*entry)) == (1, True)
        assert [known.has_later(ban) for ban in (early, late)] == [True, False]


def test_bans_of_one_value_and_different_kinds_are_different() -> None:
    """An author whose name is another's ISBN is banned for itself, and forgetting one leaves the other."""
    known = listed([Ban(kind="author", value="a", time=1.0), Ban(kind="isbn", value="a", time=3.0)])
    known.forget(2.0)
    covered = [known.covers(KEY, 0.0, tags_of([(kind, "a")])) for kind in ("author", "isbn")]
    assert (len(known), covered) == (1, [False, True])


@given(
    st.builds(
        Ban,
        kind=st.sampled_from(["key", "prefix", "author", "isbn"]),
        value=st.text(),
        time=st.floats(0.0, allow_infinity=False),
    )
)
def test_ban_comes_back_as_it_was_sent(ban: Ban) -> None:
    """A ban is read from its bytes as it was, whatever letters are in it."""
    assert ban == decoded(encoded(ban))


@given(st.binary())
def test_bytes_that_are_no_ban(data: bytes) -> None:
    """Any bytes that are no ban are none, and no error."""
    assert decoded(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"kind":"title","value":"x","time":1}',
        b'{"kind":"key","value":1,"time":1}',
        b'{"kind":"key","value":"x"}',
        b'{"kind":"key","value":"x","time":"now"}',
        b'{"kind":"key","value":"x","time":1e999}',
        b'{"kind":"key","value":"\xff","time":1}',
        b'{"renewed":"x","time":1}',
        pytest.param(b'{"more":' + b"[" * 100_000, id="deep"),
    ],
)
def test_message_that_is_nearly_a_ban(data: bytes) -> None:
    """A message of another kind, of wrong types or nested without end is no ban, and no error."""
    assert decoded(data) is None
