"""What the committed catalogue and sample libraries hold."""

import csv
import io
import re
from functools import cache

import pytest

from sandbox.catalog import LOC, make_samples
from sandbox.catalog.goodreads import HEADER, export
from sandbox.catalog.shelves import GOODREADS
from sandbox.catalogue import Book
from sandbox.isbn import to13
from sandbox.shelf import read

ROOT = LOC.parents[2]
README = ROOT / "sandbox" / "catalog" / "README.md"


@cache
def _books() -> list[Book]:
    """The catalogue."""
    return read(LOC)


@cache
def _library() -> list[dict[str, str]]:
    """The rows of library.csv."""
    return list(csv.DictReader(io.StringIO((ROOT / "samples" / "library.csv").read_text(encoding="utf-8"), newline="")))


def test_the_catalogue_is_small() -> None:
    """It is committed, so it stays below one and a half megabytes."""
    assert LOC.stat().st_size < 1_500_000


def test_every_line_of_the_catalogue_is_a_book() -> None:
    """No line is lost on reading: each has a title, a valid ISBN of its own and an author."""
    lines = list(csv.DictReader(LOC.read_text(encoding="utf-8").splitlines(keepends=True)))
    assert len(lines) == len({book.isbn13 for book in _books() if book.authors})


def test_the_readme_counts_the_catalogue() -> None:
    """What README.md says of books, works and authors is so."""
    counts = (len(_books()), len({book.work for book in _books()}), len({book.authors[0] for book in _books()}))
    assert "{:,} books of {:,} works by {:,} main authors".format(*counts) in README.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "language", ["en", "fr", "de", "es", "ru", "ja", "zh", "ko", "ar", "he", "fa", "it", "pt", "pl"]
)
def test_a_language_has_books_enough(language: str) -> None:
    """Each of these has at least forty books."""
    assert sum(book.language == language for book in _books()) >= 40


def test_names_in_other_scripts_are_there() -> None:
    """Several hundred books bear a name that is not Latin."""
    assert (
        sum(bool(re.search(r"[\u0590-\u06ff\u3040-\u9fff\uac00-\ud7a3]", book.authors[0])) for book in _books()) > 400
    )


def test_the_samples_are_what_the_script_makes() -> None:
    """Nobody has edited library.csv or the table of its traps by hand."""
    library, table = make_samples.write(_books())
    assert (library, True) == (
        (ROOT / "samples" / "library.csv").read_text(encoding="utf-8"),
        (ROOT / "samples" / "README.md").read_text(encoding="utf-8").endswith(table),
    )


def test_the_goodreads_sample_is_what_the_script_makes() -> None:
    """Nobody has edited goodreads.csv by hand."""
    made = export(list(make_samples.chosen(_books(), GOODREADS)))
    assert made == (ROOT / "samples" / "goodreads.csv").read_text(encoding="utf-8")


def test_the_goodreads_header_has_24_columns() -> None:
    """That is the export's form since October 2022."""
    assert len(HEADER) == 24


def test_the_library_has_its_size() -> None:
    """250 to 300 rows, so that warming it is worth watching."""
    assert 250 <= len(_library()) <= 300


def test_nearly_all_of_the_library_is_in_the_catalogue() -> None:
    """At least 95 of 100 rows are books that the sandbox knows."""
    known = {book.isbn13 for book in _books()}
    titles = {(book.title, book.authors[0]) for book in _books()}
    hits = [
        row
        for row in _library()
        if to13(re.sub(r'^="|"$|ISBN ', "", row["ISBN13"])) in known or (row["Title"], row["Author"]) in titles
    ]
    assert len(hits) >= 0.95 * len(_library())


def test_every_trap_stands_on_the_line_that_the_readme_names() -> None:
    """The line of the table begins a row, and the row shows what the table says."""
    lines = (ROOT / "samples" / "library.csv").read_text(encoding="utf-8").split("\n")
    table = re.findall(
        r"^\| (\d+) \| (.*) \|$", (ROOT / "samples" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    at = {shows: lines[int(line) - 1] for line, shows in table}
    assert (
        "E+12" in at["ISBN that a spreadsheet rounded away"],
        at["a line with nothing on it"],
        at["neither title nor ISBN"],
        at["unknown to the catalogue, valid ISBN"],
    ) == (True, "", ",Agatha Christie,,,Attic,which one was it?", "Dune,Frank Herbert,9780441013593,2005,Study,")
