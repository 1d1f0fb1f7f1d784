"""The only place that spoils volumes the way Google's real ones are spoilt: always the same one in the same way."""

from typing import cast

from sandbox.catalogue import Book
from sandbox.dirt import draw, falls
from sandbox.google_books import Json, volume_id, volume_json
from sandbox.respelling import respelt, romanized

# The traits are those of recorded answers and reports; how often each falls is in percent, and only roughly the wild's.
_MISSING = {"pageCount": 6, "categories": 8, "authors": 2, "publishedDate": 3, "description": 12, "publisher": 6}
_MISSING |= {"imageLinks": 5, "panelizationSummary": 10}
_ONLY_OTHER_PERCENT = 3
_PRINTED = 1450
"""Nothing was printed before; a catalogue that tells when a work was written tells no edition's year."""
_REPRINTED = 1980
_REPRINT_YEARS = 40
_DATES = (("day", 45), ("month", 55))
"""Up to which draw a date has that precision; beyond it is a year."""


def spoilt(book: Book) -> Json:
    """A volume as Google shows it: volume_json with the faults that fall to its ISBN; the words of the title stay.

    Args:
        book: A real book or a derived one.
    """
    volume = volume_json(book)
    info = cast("Json", volume["volumeInfo"])
    _split_title(info, book)
    _respell(info, book)
    _describe(info, book)
    _date(info, book)
    _identify(info, book)
    _misname_language(info, book)
    _rate(info, book)
    info.setdefault("categories", ["Fiction"])
    for name, percent in _MISSING.items():
        if falls(book, f"google no {name}", percent):
            info.pop(name, None)
    if falls(book, "google ebook", 30):
        volume["saleInfo"] = _sale(book)
    return volume


def identified(book: Book) -> bool:
    """Tells whether a volume shows its ISBN; some show only the number of a library that was scanned."""
    return not falls(book, "google other", _ONLY_OTHER_PERCENT)


def language(book: Book) -> str:
    """The language that a volume claims, right or wrong."""
    if book.language == "zh":
        return "zh-CN" if falls(book, "google simplified", 50) else "zh-TW"
    if book.language not in {"", "en"} and falls(book, "google wrong language", 4):
        return "en"
    if book.language == "pt" and falls(book, "google country", 50):
        return "pt-BR"
    return book.language or "un"


def published(book: Book) -> str:
    """The date of a volume, to the day, the month or the year; "" is none."""
    if book.year is None or falls(book, "google no publishedDate", _MISSING["publishedDate"]):
        return ""
    year = book.year if book.year >= _PRINTED else _REPRINTED + draw(book.isbn13, "reprint") % _REPRINT_YEARS
    month, day = 1 + draw(book.isbn13, "month") % 12, 1 + draw(book.isbn13, "day") % 28
    precision = draw(book.isbn13, "google date")
    forms = {"day": f"{year:04}-{month:02}-{day:02}", "month": f"{year:04}-{month:02}"}
    return next((forms[form] for form, below in _DATES if precision < below), f"{year:04}")


def _split_title(info: Json, book: Book) -> None:
    """What follows a colon is now a subtitle, now a part of the title, whichever the catalogue has."""
    head, colon, tail = book.title.partition(": ")
    if book.subtitle:
        if falls(book, "google whole title", 15):
            info["title"] = f"{book.title}: {book.subtitle}"
            del info["subtitle"]
        elif falls(book, "google no subtitle", 15):
            del info["subtitle"]
    elif colon and falls(book, "google split", 50):
        info["title"], info["subtitle"] = head, tail


def _respell(info: Json, book: Book) -> None:
    """Some authors are written in another way."""
    if book.authors:
        first, *rest = book.authors
        info["authors"] = [respelt(first, "google name", 6, romanized(book)), *rest]


def _describe(info: Json, book: Book) -> None:
    """Most descriptions have some words, and many of them HTML."""
    by = f" by {' and '.join(book.authors)}" if book.authors else ""
    text = book.summary or f"{book.title}{by}. {book.publisher or 'A new edition'} presents this book to its readers."
    if falls(book, "google html", 35):
        text = f"<p><b>{text.replace('. ', '.</b><br><br>', 1)}</p>" if ". " in text else f"<p><i>{text}</i></p>"
    info["description"] = text


def _date(info: Json, book: Book) -> None:
    """A date has three precisions."""
    if date := published(book):
        info["publishedDate"] = date


def _identify(info: Json, book: Book) -> None:
    """Identifiers come in any order, one of them, or none but a library's number."""
    numbers = cast("list[Json]", info["industryIdentifiers"])
    other: Json = {"type": "OTHER", "identifier": f"BL:A{int(book.isbn13[3:12]):010}"}
    if not identified(book):
        info["industryIdentifiers"] = [other]
        return
    if falls(book, "google order", 40):
        numbers = numbers[::-1]
    if len(numbers) > 1 and falls(book, "google one isbn", 8):
        numbers = numbers[:1]
    info["industryIdentifiers"] = [*numbers, other] if falls(book, "google other beside", 4) else numbers


def _misname_language(info: Json, book: Book) -> None:
    """Languages are wrong, or have a country."""
    info["language"] = language(book)


def _rate(info: Json, book: Book) -> None:
    """Readers' ratings, where there are any."""
    if falls(book, "google rated", 70):
        info["averageRating"] = 1 + draw(book.isbn13, "rating") % 9 / 2
        info["ratingsCount"] = 1 + draw(book.isbn13, "ratings")


def _sale(book: Book) -> Json:
    """The sale of an electronic edition."""
    name = volume_id(book.isbn13)
    amount = round(0.99 + draw(book.isbn13, "amount") % 20, 2)
    price: Json = {"amount": amount, "currencyCode": "USD"}
    micros: Json = {"amountInMicros": round(amount * 1_000_000), "currencyCode": "USD"}
    return {
        "country": "US",
        "saleability": "FOR_SALE",
        "isEbook": True,
        "listPrice": price,
        "retailPrice": price,
        "buyLink": f"https://play.google.com/store/books/details?id={name}&rdid=book-{name}&rdot=1&source=gbs_api",
        "offers": [{"finskyOfferType": 1, "listPrice": micros, "retailPrice": micros, "giftable": True}],
    }
