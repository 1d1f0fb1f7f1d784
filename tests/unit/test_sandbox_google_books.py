"""What Google's volumes look like, clean and spoilt, and how they are searched."""

import re
from collections import Counter
from typing import Any

import pytest

from sandbox.catalogue import Book
from sandbox.derived import Kind
from sandbox.google_books import error, invalid_key, lite, quota_error, volume_json, volumes_json
from sandbox.google_dirt import identified, spoilt
from sandbox.google_query import GoogleSearch, Part, parse
from sandbox.isbn import check13
from sandbox.stock import Stock


def _isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"978{number:09}{check13(f'978{number:09}')}"


FULL = Book(
    isbn13="9780441013593",
    title="Dune",
    subtitle="a novel",
    authors=("Frank Herbert",),
    publisher="Ace",
    year=2005,
    pages=528,
    language="en",
    subjects=("Deserts", "Worms"),
    summary="Sand. Worms.",
)


def _many(count: int = 1500, language: str = "en", year: int = 1999) -> list[dict[str, Any]]:
    """What is shown of books that differ in nothing but the ISBN."""
    return [_info(spoilt(book)) for book in _books(count, language, year)]


def _books(count: int, language: str = "en", year: int = 1999) -> list[Book]:
    """Books that differ in nothing but the ISBN."""
    return [
        Book(
            isbn13=_isbn(at),
            title="Title: Rest",
            authors=("Given Middle Family",),
            publisher="P",
            year=year,
            pages=7,
            language=language,
            subjects=("S",),
            summary="One. Two.",
        )
        for at in range(count)
    ]


def _info(volume: dict[str, Any]) -> dict[str, Any]:
    """The part of a volume that tells of the book."""
    info: dict[str, Any] = volume["volumeInfo"]
    return info


def test_a_clean_volume_has_googles_fields() -> None:
    """Names and types are those of a recorded answer; covers are not encrypted, and there is no binding."""
    info = _info(volume_json(FULL))
    assert (
        {name: info[name] for name in ("title", "subtitle", "authors", "publishedDate", "pageCount", "categories")},
        [identifier["identifier"] for identifier in info["industryIdentifiers"]],
        {link.partition(":")[0] for link in info["imageLinks"].values()},
        "binding" in info,
    ) == (
        {
            "title": "Dune",
            "subtitle": "a novel",
            "authors": ["Frank Herbert"],
            "publishedDate": "2005",
            "pageCount": 528,
            "categories": ["Deserts"],
        },
        ["9780441013593", "0441013597"],
        {"http"},
        False,
    )


def test_spoiling_is_the_same_in_every_run() -> None:
    """No chance is in it."""
    assert _many(50) == _many(50)


def test_dates_have_three_precisions_and_may_be_missing() -> None:
    """Day, month, year and nothing, all of the year that the catalogue has."""
    forms = {re.sub(r"\d", "0", info.get("publishedDate", "")) for info in _many()}
    assert forms == {"0000-00-00", "0000-00", "0000", ""}


def test_nothing_was_printed_in_antiquity() -> None:
    """A work of old has the year of an edition."""
    dates = [info["publishedDate"] for info in _many(200, year=-750) if "publishedDate" in info]
    assert {date[:2] for date in dates} <= {"19", "20"}


@pytest.mark.parametrize(
    "kinds",
    [
        ("ISBN_13", "ISBN_10"),
        ("ISBN_10", "ISBN_13"),
        ("ISBN_13",),
        ("ISBN_10",),
        ("OTHER",),
        ("ISBN_13", "ISBN_10", "OTHER"),
    ],
)
def test_identifiers_come_in_every_form(kinds: tuple[str, ...]) -> None:
    """In either order, alone, with a library's number or replaced by it."""
    assert kinds in {tuple(it["type"] for it in info["industryIdentifiers"]) for info in _many()}


@pytest.mark.parametrize(
    "name",
    ["pageCount", "categories", "authors", "publishedDate", "description", "publisher", "imageLinks", "averageRating"],
)
def test_a_field_is_missing_now_and_then(name: str) -> None:
    """A reader can rely on none of them, but most volumes have each."""
    there = [name in info for info in _many()]
    assert (False in there, 2 * sum(there) > len(there)) == (True, True)


def test_a_title_is_split_or_not() -> None:
    """What follows the colon stands in the title, or by itself."""
    assert {(info["title"], info.get("subtitle")) for info in _many()} == {("Title: Rest", None), ("Title", "Rest")}


def test_authors_are_written_in_several_ways() -> None:
    """Turned round, with initials, without the middle name, in capitals, and mostly as they are."""
    names = {
        _info(spoilt(Book(isbn13=_isbn(at), title="T", authors=(f"Given M. Family{at}",)))).get("authors", [""])[0]
        for at in range(800)
    }
    forms = Counter(re.sub(r"\d+", "", name) for name in names)
    assert (
        {"Given M. Family", "Family, Given M.", "G. M. Family", "Given Family", "GIVEN M. FAMILY"} <= set(forms),
        forms["Given M. Family"] > 700,
    ) == (True, True)


@pytest.mark.parametrize(
    ("language", "shown"), [("zh", {"zh-CN", "zh-TW"}), ("pt", {"pt", "pt-BR", "en"}), ("de", {"de", "en"})]
)
def test_languages_have_countries_or_are_wrong(language: str, shown: set[str]) -> None:
    """Chinese is told by its script, Portuguese by its country, and some volumes are said to be English."""
    assert {info["language"] for info in _many(300, language)} == shown


def test_descriptions_bear_html() -> None:
    """Some, not all."""
    marked = ["<" in info["description"] for info in _many() if "description" in info]
    assert set(marked) == {True, False}


def test_an_empty_list_has_no_items() -> None:
    """The key itself is missing, as in the recorded answer."""
    assert volumes_json(0, []) == {"kind": "books#volumes", "totalItems": 0}


def test_a_lite_volume_tells_less() -> None:
    """No identifiers, no pages, nothing of sale and access."""
    shown = lite(volume_json(FULL))
    assert (set(shown), {"industryIdentifiers", "pageCount"} & set(_info(shown))) == (
        {"kind", "id", "etag", "volumeInfo"},
        set(),
    )


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (error(400), 400, "badRequest"),
        (error(403), 403, "dailyLimitExceeded"),
        (error(404), 404, "notFound"),
        (error(429), 429, "rateLimitExceeded"),
        (error(500), 500, "backendError"),
        (error(503), 503, "backendFailed"),
        (invalid_key(), 400, "badRequest"),
        (quota_error(9, per_day=False), 429, "rateLimitExceeded"),
    ],
)
def test_each_error_has_its_body(body: dict[str, Any], code: int, reason: str) -> None:
    """One envelope, with the code and a reason in it."""
    assert (body["error"]["code"], body["error"]["errors"][0]["reason"]) == (code, reason)


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("dune herbert", [Part("", "dune", phrase=False), Part("", "herbert", phrase=False)]),
        (
            'intitle:"children of dune" inauthor:herbert',
            [Part("intitle", "children of dune", phrase=True), Part("inauthor", "herbert", phrase=False)],
        ),
        ('isbn:0441013597 "sand worm', [Part("isbn", "0441013597", phrase=False), Part("", "sand worm", phrase=True)]),
        ("foo:bar", [Part("", "foo:bar", phrase=False)]),
    ],
)
def test_a_query_is_read(query: str, parts: list[Part]) -> None:
    """A field holds for one word or phrase; a word with a strange colon is a word."""
    assert parts == parse(query)


SHELF = [
    FULL,
    Book(isbn13="9780441172696", title="Children of Dune", authors=("Frank Herbert",), language="en", summary="Leto."),
    Book(isbn13="9780439554930", title="Harry Potter", authors=("J.K. Rowling",), language="en"),
    Book(isbn13="9784101001555", title="海辺のカフカ", authors=("村上春樹",), language="ja"),
]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("intitle:dune", {"Dune", "Children of Dune"}),
        ('intitle:"of dune"', {"Children of Dune"}),
        ('"dune of"', set()),
        ("inauthor:rowling", {"Harry Potter"}),
        ("j. k. rowling", {"Harry Potter"}),
        ("J K Rowling harry", {"Harry Potter"}),
        ("isbn:0441172695", {"Children of Dune"}),
        ("9780441172696", {"Children of Dune"}),
        ("isbn:9780000000002", set()),
        ("subject:deserts", {"Dune"}),
        ("inpublisher:ace", {"Dune"}),
        ("lccn:12345678", set()),
        ("dune rowling", set()),
        ("カフカ", {"海辺のカフカ"}),
        ("hary poter", {"Harry Potter"}),
        ("chlidren of dune", {"Children of Dune"}),
        ("intitle:dun", set()),
        ('"hary potter"', set()),
        ("zzzzzz", set()),
        ("dune & -", {"Dune", "Children of Dune"}),
        ("&", set()),
    ],
)
def test_a_search_finds(query: str, titles: set[str]) -> None:
    """Every part must be met; plain words forgive one typing error, fields and phrases none."""
    search = GoogleSearch(Stock(SHELF))
    assert [record.book for record in search.records if record.kind is None] == SHELF, (
        "the draws must leave all of the shelf, or the cases above mean nothing"
    )
    assert {record.book.title for record in search.find(query) if record.kind is None} == titles


def test_inauthor_takes_some_books_about_an_author_for_the_authors() -> None:
    """As in the wild: some, not all; and a search of the title field is not fooled."""
    books = [
        Book(isbn13=_isbn(at), title=f"Work {at}", authors=(f"Given Family{at // 6}",), language="en")
        for at in range(600)
    ]
    stock = Stock(books)
    search = GoogleSearch(stock)
    lives = [record for record in search.records if record.kind is Kind.LIFE]
    mistaken = [life for life in lives if life in search.find(f'inauthor:"{life.author}"')]
    assert (len(lives) > 20, 0 < len(mistaken) < len(lives)) == (True, True)


def test_a_popular_book_may_come_before_the_one_that_was_asked_for() -> None:
    """Mostly the book itself leads, but a guide to it or a set with it does so now and then."""
    books = [
        Book(isbn13=_isbn(at), title=f"Longer Title Number{at}", authors=(f"Given Family{at}",), language="en")
        for at in range(900)
    ]
    search = GoogleSearch(Stock(books))
    first = Counter(search.find(book.title)[0].kind for book in books if search.find(book.title))
    assert (first[None] > 800, first[Kind.GUIDE] > 0) == (True, True)


def test_a_volume_without_isbn_is_not_found_by_it() -> None:
    """What shows a library's number only is there under its title alone."""
    books = _books(400)
    search = GoogleSearch(Stock(books))
    held = {record.book.isbn13 for record in search.records}
    hidden = [book for book in books if book.isbn13 in held and not identified(book)]
    assert (len(hidden) > 3, [search.find(f"isbn:{book.isbn13}") for book in hidden]) == (True, [[]] * len(hidden))
