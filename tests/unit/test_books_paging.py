import base64
from collections.abc import Sequence

import pytest
from bookmesh.books.v1.books_service_pb2 import AuthorBibliographyResponse
from bookmesh.type.v1.book_pb2 import Work
from hypothesis import given
from hypothesis import strategies as st

from services.books.entry import Entry, packed
from services.books.merge import work_id
from services.books.paging import PAGE_BYTES, Mark, PageTokenError, Place, mark_of, page_of, place_of, token_of

KEY = "v1:author:en:=frank_herbert"
MARK = Mark(Place(1965, "dune", "w0123"), 1_700_000_000_000)

# Few titles and years, so that works of one year, and works that differ by their ids alone, are common.
TITLES = st.sampled_from(["Dune", "The Dune", "Emma", "", "x" * 100, "x" * 99, "雪国", "Ümit"])
WORKS = st.lists(
    st.builds(
        lambda title, year, at: Work(id=work_id(title, str(at)), title=title, first_publication_year=year),
        TITLES,
        st.sampled_from([0, -800, 1965, 1966]),
        st.integers(0, 3),
    ),
    unique_by=lambda work: work.id,
    max_size=40,
)
SIZES = st.integers(1, 12)


def entry_of(works: Sequence[Work], *, cache_time: float = 1_000.0) -> Entry:
    """A whole, as it is kept."""
    packed_works, ends = packed(sorted(works, key=place_of))
    return Entry(works=packed_works, ends=ends, cache_time=cache_time, fresh_until=cache_time + 60)


def given_by(entry: Entry, start: int, stop: int) -> list[Work]:
    """The works of a page."""
    return list(AuthorBibliographyResponse.FromString(entry.slice(start, stop)).works)


@given(works=WORKS, size=SIZES)
def test_pages_make_the_whole(works: list[Work], size: int) -> None:
    """Pages of any size hold every work once and in order, and none but the last is short."""
    entry = entry_of(works)
    found: list[Work] = []
    sizes: list[int] = []
    after: Mark | None = None
    while not sizes or after is not None:
        page = page_of(entry, size, after)
        found += given_by(entry, page.start, page.stop)
        sizes.append(page.stop - page.start)
        after = None if page.following is None else mark_of(KEY, token_of(KEY, page.following))
    assert (sorted(works, key=place_of), [size] * (len(sizes) - 1)) == (found, sizes[:-1])


@given(works=WORKS, stays=st.lists(st.booleans(), min_size=40, max_size=40), more=WORKS, sizes=st.tuples(SIZES, SIZES))
def test_whole_is_made_anew_between_pages(
    works: list[Work], stays: list[bool], more: list[Work], sizes: tuple[int, int]
) -> None:
    """Of works that are in the whole before and after, none is given twice, none left out; the caller is told."""
    before = entry_of(works)
    first = page_of(before, sizes[0])
    known = {work.id for work in works}
    kept = [work for work, stay in zip(works, stays, strict=False) if stay]
    after = entry_of([*kept, *(work for work in more if work.id not in known)], cache_time=2_000.0)
    found = given_by(before, first.start, first.stop)
    mark, told = first.following, []
    while mark is not None:
        page = page_of(after, sizes[1], mark)
        told.append(page.is_remade)
        found += given_by(after, page.start, page.stop)
        mark = page.following
    ids = [work.id for work in found]
    missed = {work.id for work in kept} - set(ids)
    assert (len(ids), found, told[:1]) == (len(set(ids)), sorted(found, key=place_of), [True] * len(told[:1]))
    assert missed == set()


def test_second_page_of_the_new_whole_is_no_news() -> None:
    """Once a caller has a token of the new whole, it is told nothing more."""
    entry = entry_of([Work(id=str(at), title=str(at)) for at in range(5)])
    first = page_of(entry, 2)
    assert [page_of(entry, 2, first.following).is_remade, first.is_remade] == [False, False]


def test_page_stays_a_message_that_can_be_sent() -> None:
    """A page of large works ends before it is too large, and the works behind it come on the next."""
    works = [Work(id=str(at), title=f"{at:02}", synopsis="x" * 1_000_000) for at in range(10)]
    entry = entry_of(works)
    first = page_of(entry, 100)
    second = page_of(entry, 100, first.following)
    assert [(first.start, first.stop), (second.start, second.stop)] == [(0, 3), (3, 6)]


def test_page_holds_a_work_whatever_its_size() -> None:
    """A work that is too large for a page still comes, alone, for a page of nothing would never end."""
    entry = entry_of([Work(id=str(at), title=str(at), synopsis="x" * PAGE_BYTES) for at in range(2)])
    first = page_of(entry, 100)
    assert (first.start, first.stop) == (0, 1)


def test_whole_of_nothing() -> None:
    """An author of whom nothing is known has one empty page."""
    page = page_of(entry_of([]), 50)
    assert (page.start, page.stop, page.following) == (0, 0, None)


def test_whole_that_lost_its_end() -> None:
    """A token of a work behind which nothing stands any more gives an empty page, the last."""
    page = page_of(entry_of([Work(id="a", title="A", first_publication_year=1)]), 50, MARK)
    assert (page.start, page.stop, page.following) == (1, 1, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Work(title="B", first_publication_year=1965), Work(title="A", first_publication_year=1966)),
        (Work(title="A", first_publication_year=1965), Work(title="B", first_publication_year=1965)),
        (Work(title="The A", first_publication_year=1965), Work(title="An B", first_publication_year=1965)),
        (Work(title="Z", first_publication_year=2026), Work(title="A")),
        (Work(title="Iliad", first_publication_year=-750), Work(title="A", first_publication_year=1)),
        (Work(title="A", id="1"), Work(title="A", id="2")),
    ],
)
def test_order(first: Work, second: Work) -> None:
    """Years ascend, unknown ones come last; then titles without their articles, then ids."""
    assert place_of(first) < place_of(second)


@given(
    year=st.integers(-(2**31), 2**31),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    work_id=st.text("w0123456789abcdef", max_size=21),
    made_ms=st.integers(0, 2**52),
    key=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_token_says_what_it_was_made_of(year: int, title: str, work_id: str, made_ms: int, key: str) -> None:
    """A token comes back as the mark that it was."""
    mark = Mark(Place(year, title, work_id), made_ms)
    assert mark == mark_of(key, token_of(key, mark))


def test_token_is_opaque_and_safe_in_addresses() -> None:
    """A token is made of letters, digits, "-" and "_"."""
    assert set(token_of(KEY, MARK)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(at=st.integers(0, 200), char=st.characters())
def test_mutated_token_is_none(at: int, char: str) -> None:
    """A token with one character changed is none."""
    token = token_of(KEY, MARK)
    at %= len(token)
    changed = token[:at] + char + token[at + 1 :]
    if changed != token:
        with pytest.raises(PageTokenError):
            mark_of(KEY, changed)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "abcd",
        "é",
        token_of(KEY, MARK) + "=",
        token_of(KEY, MARK) + "\n",
        " " + token_of(KEY, MARK),
        token_of(KEY, MARK)[:-4],
        token_of("v1:author:de:=frank_herbert", MARK),
        token_of("v1:author:en:=jane_austen", MARK),
        base64.urlsafe_b64encode(b"1234").decode(),
    ],
)
def test_other_texts_are_no_tokens(token: str) -> None:
    """Foreign texts, tokens with something before or behind them, and those of other lists are refused."""
    with pytest.raises(PageTokenError):
        mark_of(KEY, token)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    """Whatever somebody sends is a token or is refused as none."""
    with pytest.raises(PageTokenError):
        mark_of(KEY, text)
