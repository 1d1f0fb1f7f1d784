"""The only place that writes a name as another catalogue would: turned round, shortened, in capitals, without marks."""

import unicodedata

from sandbox.catalogue import Book
from sandbox.dirt import draw, falls_to

_PART = 3  # a forename shorter than that is an initial already


def romanized(book: Book) -> str:
    """The main author's name in Latin letters, where the catalogue has another script and tells them, or ""."""
    # The title comes first, where it is there; without it nothing says whose name is whose.
    known = len(book.aliases) == 1 + len(book.authors)
    return book.aliases[1] if known and book.authors and not _latin(book.authors[0]) else ""


def respelt(name: str, trait: str, percent: int, latin: str = "") -> str:
    """A name in the spelling that falls to it, mostly its own.

    Args:
        name: "Ursula K. Le Guin".
        trait: Whose draw it is.
        percent: How many of a hundred names are written in another way.
        latin: The name in Latin letters, taken where there is one.
    """
    if not falls_to(name, trait, percent):
        return name
    if latin:
        return latin
    *forenames, surname = name.split()
    if not forenames:
        return name
    forms = (
        f"{surname}, {' '.join(forenames)}",
        " ".join([*(_initial(part) for part in forenames), surname]),
        " ".join([forenames[0], *(part for part in forenames[1:] if len(part) >= _PART), surname]),
        name.upper(),
        _bare(name),
    )
    return forms[draw(name, f"{trait} form") % len(forms)]


def _initial(part: str) -> str:
    """A forename as its initial, initials as they are."""
    return part if "." in part or len(part) < _PART else f"{part[0]}."


def _latin(name: str) -> bool:
    """Tells whether a name is in Latin script."""
    return unicodedata.name(name[0], "").startswith("LATIN")


def _bare(name: str) -> str:
    """A name without the marks on its letters."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", plain)
