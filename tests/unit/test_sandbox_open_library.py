"""How Open Library joins editions to works, what it shows of them, and how they are searched."""

import re
from typing import Any

import pytest

from sandbox.catalogue import Book
from sandbox.isbn import check13, to10
from sandbox.lucene import parse
from sandbox.open_library import DEFAULT_FIELDS, author_doc, author_json, edition_json, work_doc, work_json
from sandbox.open_library_search import OpenLibrarySearch, known_field
from sandbox.open_library_works import Shelves
from sandbox.stock import Stock


def _isbn(number: int) -> str:
    """A valid ISBN-13."""
    return f"978{number:09}{check13(f'978{number:09}')}"


def _books(count: int, language: str = "en") -> list[Book]:
    """Books that differ in ISBN, title and author."""
    return [
        Book(
            isbn13=_isbn(at),
            title=f"Title{at}",
            authors=(f"Given M. Family{at // 5}",),
            publisher="P",
            year=1950 + at % 50,
            pages=70,
            language=language,
            subjects=("S",),
            summary="One. Two.",
        )
        for at in range(count)
    ]


def _held(books: list[Book]) -> tuple[Shelves, OpenLibrarySearch]:
    """What is held of the books, and the search over it."""
    stock = Stock(books)
    shelves = Shelves(stock)
    return shelves, OpenLibrarySearch(stock, shelves)


def _docs(count: int = 1000, language: str = "en") -> list[dict[str, Any]]:
    """What a search shows of books that differ."""
    shelves, _ = _held(_books(count, language))
    return [work_doc(work, shelves) for work in shelves.works if work.editions[0].kind is None]


def _work(editions: int) -> list[Book]:
    """A work with some editions."""
    return [
        Book(
            isbn13=_isbn(at),
            title="Dune",
            authors=("Frank Herbert",),
            year=1965 + at,
            pages=400 + at,
            language="en",
            work="w1",
        )
        for at in range(editions)
    ]


def test_a_work_shows_the_isbns_of_all_editions_mixed() -> None:
    """Both lengths of each edition in one list, which the years do not order."""
    shelves, _ = _held(_work(12))
    work = next(work for work in shelves.works if work.main.title == "Dune")
    doc: dict[str, Any] = work_doc(work, shelves)
    books = [record.book.isbn13 for record in work.editions]
    assert (
        sorted(doc["isbn"]) == sorted([*books, *map(to10, books)]),
        [isbn for isbn in doc["isbn"] if len(isbn) == 13] == books,
        doc["edition_count"],
        doc["first_publish_year"],
    ) == (True, False, len(books), min(record.book.year or 0 for record in work.editions))


def test_editions_join_over_author_and_title_where_the_catalogue_tells_no_work() -> None:
    """Another author's book of the same title is another work."""
    books = [
        Book(isbn13=_isbn(at), title=title, authors=(author,))
        for at, (title, author) in enumerate(
            [("Dune", "Frank Herbert"), ("DUNE", "Herbert, Frank"), ("Dune", "Someone")] * 8
        )
    ]
    shelves, _ = _held(books)
    works = {
        frozenset(record.book.authors[0] for record in work.editions)
        for work in shelves.works
        if not work.editions[0].kind
    }
    assert works == {frozenset({"Frank Herbert", "Herbert, Frank"}), frozenset({"Someone"})}


def test_keys_are_open_librarys_and_nobody_elses() -> None:
    """OL, a number and a letter for the kind, each once, the same in every run."""
    first, second = _held(_books(500))[0], _held(_books(500))[0]
    works, authors = [work.key for work in first.works], list(first.authors)
    assert (
        all(re.fullmatch(r"OL\d+W", key) for key in works),
        all(re.fullmatch(r"OL\d+A", key) for key in authors),
        all(re.fullmatch(r"OL\d+M", key) for key in first.editions),
        len(set(works)),
        [work.key for work in second.works],
    ) == (True, True, True, len(works), works)


def test_what_is_shown_by_default_tells_no_isbn() -> None:
    """Nor publisher, date or pages; the language it does tell."""
    hidden = {"isbn", "publisher", "publish_date", "number_of_pages_median", "subject"}
    assert (hidden & set(DEFAULT_FIELDS), "language" in DEFAULT_FIELDS) == (set(), True)


def test_languages_are_marcs_and_sometimes_missing_or_wrong() -> None:
    """German is ger, now and then eng, now and then not there."""
    assert {tuple(doc.get("language", ())) for doc in _docs(language="de")} == {("ger",), ("eng",), ()}


def test_dates_come_as_people_wrote_them() -> None:
    """Year, month and year, day in three manners."""
    forms = {
        re.sub(r"[A-Z][a-z]+", "M", re.sub(r"\d", "0", doc["publish_date"][0]))
        for doc in _docs()
        if "publish_date" in doc
    }
    assert {"0000", "M 0000", "M 00, 0000", "0000-00-00"} <= forms


def test_a_work_tells_no_year_and_its_description_in_two_forms() -> None:
    """A text, or a text with its type, or none; a date for a few."""
    shelves, _ = _held(_books(400))
    records = [work_json(work) for work in shelves.works]
    assert (
        {type(record.get("description")) for record in records},
        any("first_publish_year" in record or "isbn" in record for record in records),
        0 < sum("first_publish_date" in record for record in records) < len(records) / 2,
    ) == ({str, dict, type(None)}, False, True)


def test_an_edition_has_an_isbn_of_one_length_at_least() -> None:
    """Both, the longer only, or the shorter only."""
    shelves, _ = _held(_books(400))
    shown = {
        tuple(
            name
            for name in ("isbn_10", "isbn_13")
            if name in edition_json(record, shelves.work_of[record.number], shelves)
        )
        for record in shelves.editions.values()
    }
    assert shown == {("isbn_10", "isbn_13"), ("isbn_13",), ("isbn_10",)}


def test_an_author_has_one_spelling_and_knows_others() -> None:
    """The key stands without a path in a search and with one in the record; some names are not the catalogue's."""
    shelves, _ = _held(_books(1000))
    author = next(iter(shelves.authors.values()))
    own = sum(re.fullmatch(r"Given M\. Family\d+", one.name) is not None for one in shelves.authors.values())
    written = sum("Family" in one.name.title() for one in shelves.authors.values())
    assert (author_doc(author)["key"], author_json(author)["key"], 0 < own < written) == (
        author.key,
        f"/authors/{author.key}",
        True,
    )


SHELF = [
    Book(
        isbn13="9780441013593",
        title="Dune",
        authors=("Frank Herbert",),
        language="en",
        year=1965,
        subjects=("Deserts",),
    ),
    Book(
        isbn13="9780439554930", title="Harry Potter", authors=("J.K. Rowling",), language="en", publisher="Scholastic"
    ),
    Book(isbn13="9783453317178", title="Der Wüstenplanet", authors=("Frank Herbert",), language="de"),
    Book(isbn13="9784101001548", title="海辺のカフカ", authors=("村上春樹",), language="ja"),
]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("dune", {"Dune"}),
        ("dune herbert", {"Dune"}),
        ("title:dune author:herbert", {"Dune"}),
        ("author:herbert", {"Dune", "Der Wüstenplanet"}),
        ("herbert NOT dune", {"Der Wüstenplanet"}),
        ("dune OR potter", {"Dune", "Harry Potter"}),
        ("dun", set()),
        ("duneee~", {"Dune"}),
        ("title:dnue~1", {"Dune"}),
        ("dxxe~1", set()),
        ("dxxe~2", {"Dune"}),
        ("author:herbret~1", {"Dune", "Der Wüstenplanet"}),
        ('author:"frank herbert"', {"Dune", "Der Wüstenplanet"}),
        ("author:rowling title:dune", set()),
        ("isbn:0439554934", {"Harry Potter"}),
        ("9780441013593", {"Dune"}),
        ("subject:deserts", {"Dune"}),
        ("publisher:scholastic", {"Harry Potter"}),
        ("j k rowling", {"Harry Potter"}),
        ("wustenplanet", {"Der Wüstenplanet"}),
        ("村上", {"海辺のカフカ"}),
        ("first_publish_year:1965", {"Dune"}),
        ("", set()),
        ("author_key:OL1A", set()),
    ],
)
def test_a_search_finds(query: str, titles: set[str]) -> None:
    """Every word must be there, in a field where one is named, near enough where that is asked for."""
    shelves, search = _held(SHELF)
    assert [record.book for record in shelves.editions.values() if record.kind is None] == SHELF, (
        "the draws must leave all of the shelf, or the cases below mean nothing"
    )
    found = search.works(parse(query, known_field))
    assert {work.main.title for work in found if work.editions[0].kind is None} == titles


def test_works_are_found_by_key_of_author_and_work() -> None:
    """With a path before it, or without."""
    shelves, search = _held(SHELF)
    work = next(work for work in shelves.works if work.main.title == "Harry Potter")
    queries = [f"author_key:{work.authors[0].key}", f"key:/works/{work.key}", f"key:{work.key}"]
    assert [search.works(parse(query, known_field)) for query in queries] == [[work]] * 3


def test_neighbours_of_an_author_come_after_the_author() -> None:
    """A society bears the name, too, but not it alone."""
    _, search = _held(_books(1500))
    societies = [author for author in search.authors("society") if author.name.endswith("Society")]
    assert societies
    for society in societies:
        found = [author.name for author in search.authors(society.name.removesuffix("Society"))]
        assert society.name in found[1:] or len(found) == 1, found
