"""Remembers which line had a key first, for millions of keys in little memory: eight bytes for each place of a table.

A dict of that size takes ten times as much. Open addressing with linear probing; keys are parted over many small
tables, so that what is copied when one grows is small.
"""

from array import array

_START = 16
"""Places of a new table; a table grows by doubling, when three quarters of it are filled."""

_PARTS = 1024
_PART_MASK = _PARTS - 1

_LINE_BITS = 24
_LINE_MASK = (1 << _LINE_BITS) - 1
_UPPER_BITS = 40
_UPPER_MASK = ((1 << _UPPER_BITS) - 1) << _LINE_BITS

_SPREAD = 0x9E3779B97F
"""Odd, so that it takes each number of forty bits to another one; the golden ratio spreads neighbours (Knuth, 6.4)."""

_BOOKLAND = 978_000_000_000


class FirstLines:
    """Lines by keys of fifty bits."""

    __slots__ = ("_room", "_tables")

    def __init__(self) -> None:
        self._tables: list[array[int]] = [array("Q", bytes(8 * _START)) for _ in range(_PARTS)]
        """By the lower ten bits of the key, tables of its upper forty beside the line; zero is an empty place."""
        self._room = [_START * 3 // 4] * _PARTS
        """How many more keys each table takes before it grows."""

    def __len__(self) -> int:
        return sum(len(table) * 3 // 4 - room for table, room in zip(self._tables, self._room, strict=True))

    def setdefault(self, key: int, line: int) -> int:
        """The line that had a key first: this one, from now on, when none had it.

        Args:
            key: a hash, whose bits 0 to 9 and 24 to 63 count. So among a million texts two are taken for one in one
                library of two thousand; `isbn_key` confuses none.
            line: from 1; lines beyond 16 million are all taken for that one.
        """
        part = key & _PART_MASK
        table = self._tables[part]
        upper = key & _UPPER_MASK
        mask = len(table) - 1
        at = key >> _LINE_BITS & mask
        while place := table[at]:
            if place & _UPPER_MASK == upper:
                return place & _LINE_MASK
            at = at + 1 & mask
        table[at] = upper | min(line, _LINE_MASK)
        self._room[part] -= 1
        if not self._room[part]:
            self._grow(part)
        return line

    def _grow(self, part: int) -> None:
        old = self._tables[part]
        size = 2 * len(old)
        mask = size - 1
        table = array("Q", bytes(8 * size))
        for place in filter(None, old):
            at = place >> _LINE_BITS & mask
            while table[at]:
                at = at + 1 & mask
            table[at] = place
        self._tables[part] = table
        self._room[part] = size * 3 // 8


def isbn_key(isbn13: str) -> int:
    """The key of an ISBN-13, which no other ISBN has: its digits but the last are less than forty bits."""
    upper = (int(isbn13) // 10 - _BOOKLAND) * _SPREAD % (1 << _UPPER_BITS)
    return upper * (1 << _LINE_BITS) + (upper >> (_UPPER_BITS - 10))
