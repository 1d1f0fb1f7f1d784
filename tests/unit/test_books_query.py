"""From what people type to a query and its key."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.books.query import InvalidQueryError, OrderBy, cache_key, normal_form, parse


def key(q: str, **settings: object) -> str:
    """The key of what was typed."""
    return cache_key(parse(q, **settings))  # type: ignore[arg-type]  # settings by keyword


@pytest.mark.parametrize(
    "q",
    [
        "9780441013593",
        "978-0-441-01359-3",
        "978 0441013593",
        "0441013597",
        "0-441-01359-7",
        "ISBN 9780441013593",
        "isbn-10: 0441013597",
        '="0441013597"',
        " 9780441013593\n",
        "978\u20110\u2011441\u201101359\u20113",
        "\uff19\uff17\uff18\uff10\uff14\uff14\uff11\uff10\uff11\uff13\uff15\uff19\uff13",
    ],
)
def test_every_form_of_an_isbn_has_one_key(q: str) -> None:
    """ISBN-10 and ISBN-13 of a book share a key, however they are written."""
    assert key(q) == "v2:isbn:9780441013593"


def test_979() -> None:
    """ISBNs of the 979 range are ISBNs."""
    assert parse("979-8-88645-174-0").isbn13 == "9798886451740"


def test_isbn_10_that_ends_in_x() -> None:
    """An ISBN-10 may end in a small x."""
    assert parse("080442957x").isbn13 == "9780804429573"


@pytest.mark.parametrize("q", ["9780441013594", "0441013598", "9781234567890", "1234567890123"])
def test_wrong_check_digit(q: str) -> None:
    """What can only have been meant as an ISBN and is none is refused as such."""
    with pytest.raises(InvalidQueryError) as caught:
        parse(q)
    assert caught.value.reason == "INVALID_ISBN"


@pytest.mark.parametrize("q", ["1984", "2001", "11 22 63", "catch 22", "Fahrenheit 451", "123456789"])
def test_numbers_in_titles_are_no_isbns(q: str) -> None:
    """A title of digits is a text."""
    assert parse(q).isbn13 == ""


@pytest.mark.parametrize("q", ["", "   ", "...", "?!", "\u200b", "''"])
def test_nothing_to_search_for(q: str) -> None:
    """A query without a letter, digit or symbol is refused."""
    with pytest.raises(InvalidQueryError) as caught:
        parse(q)
    assert caught.value.reason == "EMPTY_QUERY"


@pytest.mark.parametrize(
    ("asked", "expected"), [("", "en"), ("PT", "pt"), ("grc", "grc"), ("ENG", "en"), ("und", "und")]
)
def test_language(asked: str, expected: str) -> None:
    """A language is taken in lower case and in the shorter of its codes, and English where none is named."""
    assert expected == parse("dune", language=asked).language


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Hobbit", "  the   HOBBIT "),
        ("It\u2019s", "it's"),
        ("Caf\u00e9", "cafe\u0301"),
        ("Hello, World!", "hello world"),
        ("STRASSE", "stra\u00dfe"),
        ("Dune (Dune Chronicles, #1)", "dune"),
        ("Dune [sound recording]", "dune"),
    ],
)
def test_forms_of_one_text_share_a_key(one: str, other: str) -> None:
    """Case, blanks, quotes, composed letters and punctuation do not make another query."""
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u6751\u4e0a\u6625\u6a39", "\u5ddd\u7aef\u5eb7\u6210"),
        ("\u041f\u0443\u0448\u043a\u0438\u043d", "\u0413\u043e\u0433\u043e\u043b\u044c"),
        ("C", "C++"),
        ("a b", "ab"),
        ("x" * 200, "x" * 201),
    ],
)
def test_different_texts_have_different_keys(one: str, other: str) -> None:
    """Names of other scripts, symbols and long texts each have a key of their own."""
    assert key(one) != key(other)


@pytest.mark.parametrize("settings", [{"language": "de"}, {"include_translations": True}, {"order_by": OrderBy.NEWEST}])
def test_what_changes_the_answer_changes_the_key(settings: dict[str, object]) -> None:
    """Language, translations and order are part of a text's key, and none of an ISBN's."""
    assert (key("dune", **settings) == key("dune"), key("9780441013593", **settings)) == (
        False,
        key("9780441013593"),
    )


@given(st.text(max_size=512), st.text(max_size=512))
def test_keys_are_apart_exactly_where_normal_forms_are(one: str, other: str) -> None:
    """Two texts share a key if and only if they share a normal form; nothing but InvalidQueryError is ever raised."""
    try:
        first, second = parse(one), parse(other)
    except InvalidQueryError:
        return
    assert (cache_key(first) == cache_key(second)) == (first.normal == second.normal)


@pytest.mark.parametrize("q", ["978.0.441.01359.3", "(ISBN) 0441013597", "978/0441013593"])
def test_isbn_with_other_signs_in_it(q: str) -> None:
    """Signs that no ISBN has do not hide one."""
    assert parse(q).isbn13 == "9780441013593"


@given(st.text(max_size=512))
def test_normal_form_means_what_the_text_meant(text: str) -> None:
    """The normal form of a query is a query with the same key, and nothing but InvalidQueryError is ever raised."""
    try:
        query = parse(text)
    except InvalidQueryError:
        return
    assert cache_key(parse(query.normal)) == cache_key(query)


_SCRIPTS = st.sampled_from(
    [(0x430, 0x44F), (0x3B1, 0x3C9), (0x5D0, 0x5EA), (0x627, 0x64A), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3)]
)
"""First and last letter of Cyrillic, Greek, Hebrew, Arabic, Han and Hangul."""

_FOREIGN_NAMES = _SCRIPTS.flatmap(
    lambda span: st.lists(
        st.lists(st.integers(*span).map(chr), min_size=1, max_size=12).map("".join), min_size=1, max_size=2
    ).map(" ".join)
)


@given(_FOREIGN_NAMES, _FOREIGN_NAMES)
def test_names_of_other_scripts_have_keys_of_their_own(one: str, other: str) -> None:
    """Two names without a Latin letter share a key only if they are one name in another form of its letters."""
    same = normal_form(one) == normal_form(other)
    assert (key(one) == key(other)) == same
    assert not same or unicodedata.normalize("NFKC", one.casefold()) == unicodedata.normalize("NFKC", other.casefold())


@given(st.text())
def test_normal_form_is_stable(text: str) -> None:
    """The normal form of a normal form is itself."""
    assert normal_form(normal_form(text)) == normal_form(text)


@given(st.text(max_size=512))
def test_keys_fit_every_store(text: str) -> None:
    """A key is short and plain ASCII without blanks."""
    try:
        made = key(text)
    except InvalidQueryError:
        return
    assert (made.isascii(), " " in made, len(made) < 180) == (True, False, True)
