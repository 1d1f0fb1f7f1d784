"""Which line of a library had a book first: the only place that says which rows are one book."""

from mesh.hash_table import HashTable
from services.warmer.library.rows import Row

_SPREAD = 0x9E3779B97F
"""Odd, so that it takes each number of forty bits to another one; the golden ratio spreads neighbours (Knuth, 6.4)."""

_UPPER_BITS = 40
_LINE_BITS = 24
_BOOKLAND = 978_000_000_000


class FirstBooks:
    """The books that were read so far, in little memory."""

    def __init__(self) -> None:
        self._isbns = HashTable()
        self._texts = HashTable()

    def line_of(self, row: Row) -> int:
        """The line that had the book of a row: that row's own when none had it before.

        Another ISBN is another search, even where title and author are the same.
        """
        line, authors = row.line, row.authors
        if not row.isbn13:
            return self._texts.setdefault(hash(row.text_key), line)
        first = self._isbns.setdefault(isbn_key(row.isbn13), line)
        if row.title and authors:
            self._texts.setdefault(hash(row.text_key), line)
        return first


def isbn_key(isbn13: str) -> int:
    """The key of an ISBN-13 in a hash table, which no other has: its digits but the last are less than forty bits."""
    upper = (int(isbn13) // 10 - _BOOKLAND) * _SPREAD % (1 << _UPPER_BITS)
    return upper * (1 << _LINE_BITS) + (upper >> (_UPPER_BITS - 10))
