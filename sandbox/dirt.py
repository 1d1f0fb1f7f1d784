"""The only place that spoils books the way ISBNdb's real data is spoilt: always the same book in the same way."""

import zlib
from collections.abc import Sequence

from sandbox.catalogue import Book
from sandbox.isbndb import Json, book_json

# The traits are those of real answers and dump lines; how often each falls is in percent, and only roughly the wild's.
_IDEOGRAPHIC = {"zh", "ja", "ko"}
_NON_BOOKS = ("Audio CD", "DVD", "MP3 CD", "Sheet music")
_MISSING = {"image": 10, "publisher": 3, "pages": 4, "title_long": 10, "other_isbns": 50}
_NULL_PERCENT = 3


def number(name: str, trait: str) -> int:
    """A number of 32 bits that hangs on a name, an ISBN's say, and the trait alone, on every machine, in every run."""
    return zlib.crc32(f"{trait}:{name}".encode())


def draw(isbn13: str, trait: str) -> int:
    """A number from 0 to 99 that hangs on the ISBN and the trait alone, on every machine and in every run."""
    return number(isbn13, trait) % 100


def falls_to(name: str, trait: str, percent: int) -> bool:
    """Tells whether a trait falls to whatever bears a name."""
    return draw(name, trait) < percent


def falls(book: Book, trait: str, percent: int) -> bool:
    """Tells whether a trait falls to a book; by itself, so that traits meet in one book as they do in the wild."""
    return falls_to(book.isbn13, trait, percent)


def spoilt(book: Book, editions: Sequence[Book] = ()) -> Json:
    """A book as ISBNdb shows it: book_json with the faults that fall to its ISBN; ISBN and title are never touched.

    Args:
        book: The book.
        editions: The other editions of its work.
    """
    shown = book_json(book, editions)
    _spoil_date(shown, book)
    _spoil_authors(shown, book)
    _spoil_language(shown, book)
    _spoil_text(shown, book)
    _spoil_image(shown, book)
    if falls(book, "number as price", 20):
        shown["msrp"] = float(str(shown["msrp"]))
    if "dewey_decimal" in shown and falls(book, "list as dewey", 30):
        shown["dewey_decimal"] = [shown["dewey_decimal"]]
    if falls(book, "shelf marks as subjects", 5):
        shown["subjects"] = ["PQ", "878"]
    if editions and falls(book, "recording", 4):
        # Only where another edition is a book, so that no work consists of a recording.
        shown["binding"] = _NON_BOOKS[draw(book.isbn13, "carrier") % len(_NON_BOOKS)]
    for name, percent in _MISSING.items():
        if falls(book, f"no {name}", percent):
            shown.pop(name, None)
        elif name in shown and falls(book, f"null {name}", _NULL_PERCENT):
            shown[name] = None
    return shown


def _spoil_date(shown: Json, book: Book) -> None:
    """A date comes as year, month, day, instant or number, or not at all."""
    if book.year is None:
        return
    year = str(book.year).rjust(4, "0")
    forms: dict[str, object] = {"number": book.year, "instant": f"{year}-01-01T00:00:01Z"}
    forms |= {"month": f"{year}-01", "day": f"{year}-01-01"}
    for form, value in forms.items():
        if falls(book, f"{form} as date", 9):
            shown["date_published"] = value
            return
    if falls(book, "no date", 2):
        del shown["date_published"]


def _spoil_authors(shown: Json, book: Book) -> None:
    """Names come marked by a machine, turned round, with degrees, or are missing."""
    if not book.authors:
        return
    first, *rest = book.authors
    forename, _, surname = first.rpartition(" ")
    if falls(book, "no authors", 1):
        del shown["authors"]
    elif falls(book, "autofilled", 12 if book.language in _IDEOGRAPHIC else 1):
        shown["authors"] = [f"{first} ~autofilled~", *rest]
    elif forename and falls(book, "degree", 2):
        shown["authors"] = [f"{surname}, {forename}, Ph.D.", *rest]
    elif forename and falls(book, "surname first", 8):
        shown["authors"] = [f"{surname}, {forename}", *rest]


def _spoil_language(shown: Json, book: Book) -> None:
    """Languages come with a country, in three letters, wrong or not at all."""
    if book.language and falls(book, "no language", 2):
        del shown["language"]
    elif book.language == "en" and falls(book, "country", 12):
        shown["language"] = "en_US"
    elif book.language == "fr" and falls(book, "three letters", 10):
        shown["language"] = "fre"
    elif book.language == "ja" and falls(book, "wrong language", 20):
        shown["language"] = "en"


def _spoil_text(shown: Json, book: Book) -> None:
    """The synopsis bears HTML, or the name that it had in the old schema."""
    if not book.summary:
        return
    text = book.summary.replace(". ", ".<br/><br/>") if falls(book, "markup", 40) else book.summary
    del shown["synopsis"]
    shown["synopsys" if falls(book, "old schema", 20) else "synopsis"] = text


def _spoil_image(shown: Json, book: Book) -> None:
    """The cover's address has a scheme with a capital, or one without encryption."""
    for scheme in ("Https", "http"):
        if falls(book, f"{scheme} image", 8):
            shown["image"] = str(shown["image"]).replace("https", scheme, 1)
            return
