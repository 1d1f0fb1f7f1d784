"""A number for each of millions of keys, in little memory: eight bytes for each place of a table.

A dict of that size takes ten times as much. Open addressing with linear probing; keys are parted over many small
tables, so that what is copied when one grows is small.
"""

from array import array

LARGEST = (1 << 24) - 1
"""The largest number that is told from a larger one."""

_START = 16
"""Places of a new table; a table grows by doubling, when three quarters of it are filled."""

_PARTS = 1024
_PART_MASK = _PARTS - 1

_NUMBER_BITS = 24
_UPPER_BITS = 40
_UPPER_MASK = ((1 << _UPPER_BITS) - 1) << _NUMBER_BITS


class HashTable:
    """Numbers by keys of fifty bits.

    A key is a hash, whose bits 0 to 9 and 24 to 63 count. So among a million texts two are taken for one in one table
    of two thousand; who can't have that compares the texts as well, or gives keys that are their own.
    """

    __slots__ = ("_room", "_tables")

    def __init__(self) -> None:
        self._tables: list[array[int]] = [array("Q", bytes(8 * _START)) for _ in range(_PARTS)]
        """By the lower ten bits of the key, tables of its upper forty beside the number; zero is an empty place."""
        self._room = [_START * 3 // 4] * _PARTS
        """How many more keys each table takes before it grows."""

    def __len__(self) -> int:
        return sum(len(table) * 3 // 4 - room for table, room in zip(self._tables, self._room, strict=True))

    def setdefault(self, key: int, number: int) -> int:
        """The number that a key had first: this one, from now on, when it had none.

        Args:
            key: a hash.
            number: from 1; what is larger than LARGEST is found again as LARGEST.
        """
        part = key & _PART_MASK
        table = self._tables[part]
        at = _at(table, key)
        if table[at]:
            return table[at] & LARGEST
        table[at] = key & _UPPER_MASK | min(number, LARGEST)
        self._room[part] -= 1
        if not self._room[part]:
            self._grow(part)
        return number

    def get(self, key: int) -> int:
        """The number that a key had first; zero when it has none."""
        table = self._tables[key & _PART_MASK]
        return table[_at(table, key)] & LARGEST

    def _grow(self, part: int) -> None:
        old = self._tables[part]
        size = 2 * len(old)
        table = array("Q", bytes(8 * size))
        for place in filter(None, old):
            table[_at(table, place)] = place
        self._tables[part] = table
        self._room[part] = size * 3 // 8


def _at(table: "array[int]", key: int) -> int:
    """Where a key lies in a table, or would lie."""
    upper = key & _UPPER_MASK
    mask = len(table) - 1
    at = key >> _NUMBER_BITS & mask
    while (place := table[at]) and place & _UPPER_MASK != upper:
        at = at + 1 & mask
    return at
