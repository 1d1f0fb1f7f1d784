"""Remembers which line had a key first, for millions of keys in little memory: twelve bytes for each place of a table.

A dict of that size takes eight times as much. Open addressing with linear probing; a table grows by doubling, and keys
are parted over several, so that what is copied at a time is small.
"""

from array import array

_START = 256
"""Places of a new table."""

_PARTS = 16
_PART_MASK = _PARTS - 1
_PART_BITS = 4
_KEY_MASK = 2**64 - 1

_FILLED = 0.7
"""The share of its places that is filled when a table grows."""


class FirstLines:
    """Lines by 64-bit keys."""

    __slots__ = ("_count", "_keys", "_limits", "_lines")

    def __init__(self) -> None:
        self._keys = [array("Q", bytes(8 * _START)) for _ in range(_PARTS)]
        self._lines = [array("I", bytes(4 * _START)) for _ in range(_PARTS)]
        self._count = [0] * _PARTS
        self._limits = [int(_START * _FILLED)] * _PARTS

    def __len__(self) -> int:
        return sum(self._count)

    def setdefault(self, key: int, line: int) -> int:
        """The line that had a key first: this one, from now on, when none had it.

        Args:
            key: any number; its lower 64 bits count.
            line: from 1 to 2**32 - 1.
        """
        key &= _KEY_MASK
        part = key & _PART_MASK
        keys, lines = self._keys[part], self._lines[part]
        mask = len(keys) - 1
        at = key >> _PART_BITS & mask
        while first := lines[at]:
            if keys[at] == key:
                return first
            at = at + 1 & mask
        keys[at] = key
        lines[at] = line
        self._count[part] += 1
        if self._count[part] > self._limits[part]:
            self._grow(part)
        return line

    def _grow(self, part: int) -> None:
        old_keys, old_lines = self._keys[part], self._lines[part]
        size = 2 * len(old_keys)
        mask = size - 1
        keys, lines = array("Q", bytes(8 * size)), array("I", bytes(4 * size))
        for key, line in zip(old_keys, old_lines, strict=True):
            if line:
                at = key >> _PART_BITS & mask
                while lines[at]:
                    at = at + 1 & mask
                keys[at] = key
                lines[at] = line
        self._keys[part], self._lines[part] = keys, lines
        self._limits[part] = int(size * _FILLED)
