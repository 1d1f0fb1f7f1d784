"""A sketch of how often each key was asked for lately: the only place that remembers keys which are not kept.

It is a count-min sketch with conservative update: Cormode and Muthukrishnan, "An Improved Data Stream Summary: The
Count-Min Sketch and its Applications" (Journal of Algorithms 55, 2005); Estan and Varghese, "New Directions in Traffic
Measurement and Accounting" (SIGCOMM 2002). It may take a key for more popular than it is, never for less. Ageing by
halves is TinyLFU's: Einziger, Friedman and Manes (ACM Transactions on Storage 13, 2017).
"""

import sys

_HALVES = bytes(count // 2 for count in range(256))
"""For bytes.translate, which halves a million counters within a millisecond."""

_MOST = 255
"""What one counter holds."""

_ROWS_APART = 21
"""Bits between the parts of a key's hash that choose its three counters; so there are 2**21 counters at most."""


class Sketch:
    """Counts of keys in one byte each; every key has three, which it shares with others.

    Args:
        counter_count: how many counters there are at least, and less than twice as many; 2**21 at most.
    """

    def __init__(self, counter_count: int) -> None:
        bits = min(max(0, counter_count - 1).bit_length(), _ROWS_APART)
        self._mask = (1 << bits) - 1
        self._counters = bytearray(1 << bits)

    @property
    def byte_count(self) -> int:
        """Bytes that it takes."""
        return sys.getsizeof(self._counters)

    def add(self, key: str) -> None:
        """Counts a key once more."""
        places = first, second, third = self._places(key)
        counters = self._counters
        count = min(counters[first], counters[second], counters[third])
        if count < _MOST:
            # Only the least of its counters can be its own; the others have counted another key as well.
            for place in places:
                if counters[place] == count:
                    counters[place] = count + 1

    def count(self, key: str) -> int:
        """How often a key was counted, or more."""
        first, second, third = self._places(key)
        counters = self._counters
        return min(counters[first], counters[second], counters[third])

    def raise_to(self, key: str, count: int) -> None:
        """Lets a key have been counted so often, unless it was more often."""
        count = min(count, _MOST)
        for place in self._places(key):
            self._counters[place] = max(self._counters[place], count)

    def halve(self) -> None:
        """Lets what was counted so far be worth half of what will be."""
        self._counters = self._counters.translate(_HALVES)

    def _places(self, key: str) -> tuple[int, int, int]:
        # A str keeps its hash, so this costs no pass over its text; and nobody outside can aim at another's counters,
        # for the hash differs from process to process.
        bits, mask = hash(key), self._mask
        return bits & mask, bits >> _ROWS_APART & mask, bits >> 2 * _ROWS_APART & mask
