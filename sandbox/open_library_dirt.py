"""The only place that spoils works the way Open Library's real ones are spoilt: always the same one in the same way."""

from sandbox.catalogue import Book
from sandbox.dirt import draw, falls, falls_to
from sandbox.languages import marc
from sandbox.open_library_works import Work

# The traits are those of recorded answers and reports; how often each falls is in percent, and only roughly the wild's.
_NO_LANGUAGE_PERCENT = 10
_WRONG_LANGUAGE_PERCENT = 2
_WRONG_YEAR_PERCENT = 4
_SERIES_PERCENT = 15
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def title(work: Work) -> str:
    """A work's title, with its series now and then."""
    main = work.main
    return main.long_title if main.long_title and falls(main, "open library series", _SERIES_PERCENT) else main.title


def language(book: Book) -> str:
    """MARC's code of an edition's language, now and then a wrong one; "" is missing."""
    if not book.language or falls(book, "open library no language", _NO_LANGUAGE_PERCENT):
        return ""
    return "eng" if falls(book, "open library wrong language", _WRONG_LANGUAGE_PERCENT) else marc(book.language)


def languages(work: Work) -> list[str]:
    """The languages of a work's editions, each once."""
    return list(dict.fromkeys(code for record in work.editions if (code := language(record.book))))


def first_publish_year(work: Work) -> int | None:
    """The year of the first edition, or that of a later one which has been taken for it; None is unknown."""
    years = [record.book.year for record in work.editions if record.book.year is not None]
    if not years:
        return None
    late = 1 + draw(work.key, "years late") % 30
    return min(years) + (late if falls_to(work.key, "wrong year", _WRONG_YEAR_PERCENT) else 0)


def publish_date(book: Book) -> str:
    """An edition's date as whoever entered it wrote it, or ""."""
    if book.year is None or falls(book, "open library no date", 4):
        return ""
    month, day = _MONTHS[draw(book.isbn13, "ol month") % 12], 1 + draw(book.isbn13, "ol day") % 28
    forms = (
        str(book.year),
        f"{month[:3]} {day:02}, {book.year}",
        f"{month} {day}, {book.year}",
        f"{month} {book.year}",
        str(book.year),
        f"{book.year}-{1 + _MONTHS.index(month):02}-{day:02}",
    )
    return forms[draw(book.isbn13, "open library date") % len(forms)]


def description(work: Work) -> str | dict[str, str] | None:
    """A work's description: a text, a text with its type, or nothing."""
    text = work.main.summary or f"{work.main.title}, as its readers know it."
    if falls_to(work.key, "no description", 30):
        return None
    return text if falls_to(work.key, "plain description", 50) else {"type": "/type/text", "value": text}


def cover(book: Book) -> int | None:
    """The number of an edition's cover, where it has one."""
    return None if falls(book, "open library no cover", 15) else 10_000 + int(book.isbn13[3:12]) % 14_000_000
