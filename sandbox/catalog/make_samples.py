"""The only place that makes the sample libraries from the catalogue. `python -m sandbox.catalog.make_samples`."""

import csv
import io
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stdnum import isbn as registry

from sandbox.catalog import LOC
from sandbox.catalog.goodreads import export
from sandbox.catalog.shelves import GOODREADS, LIBRARY
from sandbox.catalogue import Book
from sandbox.dirt import spoilt
from sandbox.isbn import to10
from sandbox.shelf import read

SAMPLES = Path(__file__).parents[2] / "samples"
HEADER = ("Title", "Author", "ISBN13", "Year", "Shelf", "Notes")
_SHELVES = ("Living room", "Study", "Bedroom", "Attic", "Lent out")

Row = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Trap:
    """A row that a reader of libraries may stumble over, and what it shows."""

    row: Row | None
    """None is a line with nothing on it."""
    shows: str


def main() -> int:
    """Writes the sample libraries and the table of their traps.

    Returns:
        0.
    """
    books = read(LOC)
    library, table = write(books)
    (SAMPLES / "library.csv").write_text(library, encoding="utf-8", newline="")
    (SAMPLES / "goodreads.csv").write_text(export(list(chosen(books, GOODREADS))), encoding="utf-8", newline="")
    readme = SAMPLES / "README.md"
    before, mark, _ = readme.read_text(encoding="utf-8").partition(_MARK)
    readme.write_text(f"{before}{mark}\n{table}", encoding="utf-8", newline="")
    sys.stdout.write(f"library.csv: {library.count(chr(10))} lines\n")
    return 0


_MARK = "<!-- made by sandbox.catalog.make_samples; what follows is written anew -->\n"


def chosen(books: list[Book], shelves: Mapping[str, int]) -> Iterator[Book]:
    """One edition each of as many works of every author as the shelves hold; the same in every run.

    Editions that ISBNdb would call a recording are passed over: nobody keeps those among the books.
    """
    for author, count in shelves.items():
        works: dict[str, Book] = {}
        for book in sorted(books, key=lambda book: _order(book.isbn13)):
            if book.authors[:1] == (author,) and not _recording(book):
                works.setdefault(book.work, book)
        if len(works) < count:
            raise ValueError(f"the catalogue has only {len(works)} works of {author}, the shelf wants {count}")
        yield from list(works.values())[:count]


def write(books: list[Book]) -> tuple[str, str]:
    """The library as CSV, and the table of its traps by line as Markdown."""
    shelf = sorted(chosen(books, LIBRARY), key=lambda book: _order(f"library {book.isbn13}"))
    traps, replaced = _traps(shelf)
    shelf = [book for book in shelf if book.isbn13 not in replaced]
    step = len(shelf) // len(traps)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    table = ["| line | what |", "|---|---|"]
    waiting = list(traps)
    for at, book in enumerate(shelf, start=1):
        writer.writerow(plain(book))
        if at % step == 0 and waiting:
            trap = waiting.pop(0)
            table.append(f"| {out.getvalue().count(chr(10)) + 1} | {trap.shows} |")
            if trap.row is None:
                out.write("\n")
            else:
                writer.writerow(trap.row)
    return out.getvalue(), "\n".join([*table, ""])


def plain(book: Book) -> Row:
    """A book as its owner wrote it down."""
    return (
        book.title,
        book.authors[0],
        book.isbn13,
        str(book.year or ""),
        _SHELVES[_order(f"shelf {book.isbn13}") % len(_SHELVES)],
        "",
    )


def _traps(shelf: list[Book]) -> tuple[list[Trap], set[str]]:
    """Everything that real libraries hold beside plain rows, and the ISBNs of books that stand in no other row."""
    # The first three of the shelf's end appear a second time in another form; the others in this one only.
    twin, ten, again, *rest = (book for book in reversed(shelf) if book.authors[0].isascii() and book.subtitle)
    wrong, wrong_ten, spaced, hyphens, more_hyphens, quoted, excel, more_excel, turned, sloppy, lossy = rest[:11]
    bare = rest[11:16]
    with_x = next(book for book in shelf if to10(book.isbn13).endswith("X"))
    pair = next(book for book in shelf if len(book.authors) > 1 and "," not in book.title)
    comma = next(book for book in shelf if "," in book.title)
    traps = [
        Trap(_but(wrong, isbn=_spoil(wrong.isbn13)), "wrong check digit in an ISBN-13"),
        *(Trap(_but(book, isbn=""), f"no ISBN, title and author only ({at} of 5)") for at, book in enumerate(bare, 1)),
        Trap(plain(twin), "exact duplicate of an earlier or later row"),
        Trap(_but(ten, isbn=to10(ten.isbn13)), "the same book as another row, by its ISBN-10"),
        Trap(("Dune", "Frank Herbert", "9780441013593", "2005", "Study", ""), "unknown to the catalogue, valid ISBN"),
        Trap(_but(hyphens, isbn=registry.format(hyphens.isbn13)), "ISBN with hyphens"),
        Trap(_but(more_hyphens, isbn=registry.format(to10(more_hyphens.isbn13))), "ISBN-10 with hyphens"),
        Trap(_but(quoted, notes='Signed: "for Ada,\nwho reads everything"'), "a cell of two lines, with quotes in it"),
        Trap(_but(excel, isbn=f'="{excel.isbn13}"'), 'ISBN as a spreadsheet formula, `="..."`'),
        Trap(_but(more_excel, isbn=f'="{to10(more_excel.isbn13)}"'), 'ISBN-10 as a spreadsheet formula, `="..."`'),
        Trap(_but(turned, author=_turned(turned.authors[0])), "author as Last, First: a quoted comma"),
        Trap(_but(pair, author=", ".join(pair.authors)), "several authors in one quoted cell"),
        Trap(_but(comma, isbn=to10(comma.isbn13)), "a quoted comma in the title; ISBN-10 of another row's book"),
        Trap(("", "Agatha Christie", "", "", "Attic", "which one was it?"), "neither title nor ISBN"),
        Trap(_but(wrong_ten, isbn=_spoil(to10(wrong_ten.isbn13))), "wrong check digit in an ISBN-10"),
        Trap(_but(with_x, isbn=to10(with_x.isbn13).lower()), "ISBN-10 that ends in a small x; another row's book"),
        Trap(_but(spaced, title=f"  {spaced.title} ", author=f" {spaced.authors[0]}  "), "blanks around the cells"),
        Trap(None, "a line with nothing on it"),
        Trap(_but(sloppy, isbn=f"ISBN {sloppy.isbn13}"), "the word ISBN before the number"),
        Trap(_but(lossy, isbn=f"{int(lossy.isbn13):.5E}"), "ISBN that a spreadsheet rounded away"),
        Trap(("", "", again.isbn13, "", "Bedroom", ""), "ISBN only; another row's book"),
        Trap(("The hobbit", "J. R. R. Tolkien", "9780547928227", "2012", "Study", "\nto be\nreturned"), _UNKNOWN_TALL),
        Trap(plain(twin), "exact duplicate once more"),
        Trap(("Poems found on a bench", "", "", "", "Attic", ""), "title only, neither author nor ISBN"),
    ]
    return traps, {book.isbn13 for book in rest[:16]}


_UNKNOWN_TALL = "unknown to the catalogue, with a cell of three lines"


def _but(book: Book, *, title: str = "", author: str = "", isbn: str | None = None, notes: str = "") -> Row:
    """A plain row with some cells written otherwise."""
    own_title, own_author, own_isbn, year, shelf, _ = plain(book)
    return (title or own_title, author or own_author, own_isbn if isbn is None else isbn, year, shelf, notes)


def _spoil(isbn: str) -> str:
    """The ISBN with another last digit."""
    return f"{isbn[:-1]}{(int(isbn[-1].replace('X', '0')) + 3) % 10}"


def _turned(name: str) -> str:
    """Last name first."""
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}"


def _recording(book: Book) -> bool:
    """Tells whether the sandbox shows the book as something to be played."""
    return spoilt(book, (book,)).get("binding") in {"Audio CD", "DVD", "MP3 CD", "Sheet music"}


def _order(text: str) -> int:
    """A number that scatters texts the same way on every machine."""
    return zlib.crc32(text.encode())


if __name__ == "__main__":
    sys.exit(main())
