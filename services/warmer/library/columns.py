"""The only place that knows what a library's columns may be called, and what tells kinds of export apart.

Columns are found by their names, in any order. The first system took them by position, and looked up titles as authors
for a month. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bookmesh.warmer.v1.warmer_service_pb2 import (
    LIBRARY_FORMAT_GENERIC,
    LIBRARY_FORMAT_GOODREADS,
    LIBRARY_FORMAT_ISBN_LIST,
    LibraryFormat,
)

from services.warmer.library.isbn_cells import isbn13_of

TITLE, AUTHOR, MORE_AUTHORS, ISBN13, ISBN10, ISBN = "title", "author", "more authors", "isbn13", "isbn10", "isbn"

_NAMES: Mapping[str, Sequence[str]] = {
    TITLE: ("title", "booktitle", "titleofbook", "bookname", "name", "book", "work"),
    AUTHOR: ("author", "authors", "authorname", "authornames", "primaryauthor", "writer", "writers", "creator", "by"),
    MORE_AUTHORS: ("additionalauthors", "coauthors", "otherauthors", "secondaryauthor"),
    ISBN13: ("isbn13", "ean", "ean13", "gtin"),
    ISBN10: ("isbn10",),
    ISBN: ("isbn", "isbns", "isbnuid", "isbnorean", "isbn1013", "isbnnumber"),
}
"""What a column may be called, letters and digits alone, the likeliest first."""

_GOODREADS = frozenset({"bookid", "exclusiveshelf", "authorlf"})
"""Columns that every generation of Goodreads' export has, and nothing else has together."""

_DELIMITERS = (",", ";", "\t", "|")


class NoColumnsError(ValueError):
    """No column of the header could be used.

    Args:
        found: the header as it was read.
    """

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__("no column is called title, author or isbn")
        self.sought = "title, author, isbn"
        self.found = ", ".join(found)[:200]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each thing stands."""

    format: LibraryFormat.ValueType
    """The kind of file."""
    places: Mapping[str, int]
    """The place of each column that was recognised."""
    names: tuple[str, ...]
    """What was recognised, for people: "title=Book Title"."""
    has_header: bool
    """The first line is a header and no book."""

    def cell(self, row: Sequence[str], column: str) -> str:
        """One cell, without blanks around it; empty where the row is too short or the column is not there."""
        place = self.places.get(column, -1)
        return row[place].strip() if 0 <= place < len(row) else ""


def delimiter_of(line: str) -> str:
    """What parts the cells of a header: the sign that gives the most columns that are known; a comma when none does."""
    return max(_DELIMITERS, key=lambda sign: (_known(line.split(sign)), line.count(sign) > 0 and sign == ","))


def _known(cells: Sequence[str]) -> int:
    return len(_places(cells)) if len(cells) > 1 else 0


def columns_of(header: Sequence[str]) -> Columns:
    """The columns of a header.

    Raises:
        NoColumnsError: none can be used.
    """
    if len(header) == 1 and isbn13_of(header[0]):
        return Columns(LIBRARY_FORMAT_ISBN_LIST, {ISBN: 0}, ("isbn=(every line)",), has_header=False)
    places = _places(header)
    if not {TITLE, ISBN13, ISBN10, ISBN, AUTHOR} & set(places):
        raise NoColumnsError([cell.strip() for cell in header])
    plain = {_plain(cell) for cell in header}
    kind = LIBRARY_FORMAT_GOODREADS if plain >= _GOODREADS else LIBRARY_FORMAT_GENERIC
    names = tuple(f"{column}={header[place].strip()}" for column, place in places.items())
    return Columns(kind, places, names, has_header=True)


def _places(header: Sequence[str]) -> dict[str, int]:
    plain = [_plain(cell) for cell in header]
    found = {}
    for column, names in _NAMES.items():
        place = next((plain.index(name) for name in names if name in plain), None)
        if place is not None:
            found[column] = place
    return found


def _plain(cell: str) -> str:
    return re.sub(r"[^a-z0-9]", "", cell.casefold())
