"""The cache's memory tier: the only place that decides which answers this process keeps at hand, within its bytes.

Values differ in size by a factor of thirty, so what counts is how many hits a byte brings. Where there is no room, the
sixteen next entries are looked at, and those with the fewest hits per byte make way, but only for a value that brings
more. That is put together from three policies of the literature:

- TinyLFU: a newcomer that is asked for less often than what would make way for it is refused, and how often it is asked
  for is told by a sketch. Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy" (ACM
  Transactions on Storage 13, 2017).
- GreedyDual-Size-Frequency: hits are weighed by size. Cherkasova, "Improving WWW Proxies Performance with
  Greedy-Dual-Size-Frequency Caching Policy" (HP Laboratories HPL-98-69R1, 1998).
- Hyperbolic caching: the worst of a sample is as good as the worst of all, and a hit moves nothing. Blankstein, Sen and
  Freedman, "Hyperbolic Caching: Flexible Caching for Web Applications" (USENIX ATC 2017).

`make memory-tier` measures it beside LRU, SIEVE, S3-FIFO and W-TinyLFU, and beside the best possible.
"""

import math
import sys
from array import array
from collections.abc import Callable, MutableSequence
from typing import Any, Generic, TypeVar

from mesh.call import Clock
from services.books.sketch import Sketch

Value = TypeVar("Value")

_PLACE_BYTES = 32
"""The number that tells an entry's place in the columns: 28 bytes, of which CPython's allocator makes 32 (pymalloc)."""

_LOST_SHARE = 16
"""One in so many bytes of a value is counted on top, for what lies waste between the blocks of the C library's heap.

Measured as growth of the process under long churn: 2 % with values of 1 KB, 5.5 % with 1 to 30 KB."""

_BYTES_PER_COUNTER = 64
"""Bytes of the tier for each counter of its sketch, so that there are many more counters than entries."""

_SAMPLE = 16
"""Entries that are looked at for one of average size to make way."""

_LARGEST_SAMPLE = 256
"""Entries that are looked at for one value at most; a larger one that they can't make room for is refused."""

_AGEING = 20
"""Requests for each entry until earlier ones count half. The longer, the nearer to the best choice, the later a change
is noticed."""


class Memory(Generic[Value]):
    """Values of one process, for one event loop; nothing in it waits.

    What is known of an entry stands in columns, at the same place of each: numbers as bare numbers, for an object with
    them would take as much as a tenth of a small value.

    Args:
        limit_bytes: what it takes at most, all of it: keys, values, columns and what the policy remembers. Within the
            first thousand nothing fits, and every value is refused.
        clock: what times to live go by, in seconds.
    """

    def __init__(self, limit_bytes: int, *, clock: Clock) -> None:
        self.limit_bytes = limit_bytes
        self.hits = 0
        """How often a value was found."""
        self.misses = 0
        """How often none was."""
        self.refused = 0
        """Values that were not taken in, for what would have made way brings more."""
        self.evicted = 0
        """Values that made way for others before their time was over."""
        self._clock = clock
        self._sketch = Sketch(limit_bytes // _BYTES_PER_COUNTER)
        self._era = 0
        self._era_ends = 0
        self._hand = 0
        self._empty()

    def _empty(self) -> None:
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._values: list[Value] = []
        self._ends = array("d")
        self._costs = array("Q")
        self._requests = array("I")  # of the entry's key, also before it was kept
        self._eras = array("I")  # when they were last halved
        self._columns: tuple[MutableSequence[Any], ...] = (
            self._keys, self._values, self._ends, self._costs, self._requests, self._eras
        )  # fmt: skip
        self._cost = 0

    def __len__(self) -> int:
        """How many values there are, also such whose time is over."""
        return len(self._keys)

    @property
    def byte_count(self) -> int:
        """Bytes that all of it takes."""
        tables = sys.getsizeof(self._places) + sum(map(sys.getsizeof, self._columns))
        return self._cost + tables + self._sketch.byte_count

    def get(self, key: str) -> Value | None:
        """The value of a key; None when there is none, or its time here is over."""
        place = self._places.get(key)
        if place is not None and self._ends[place] > self._clock():
            self._requests[place] += 1
            self.hits += 1
            return self._values[place]
        if place is not None:
            self._drop(key)
        self.misses += 1
        self._sketch.add(key)
        return None

    def peek(self, key: str) -> Value | None:
        """The same, for who looks after the tier and does not ask for the value: it counts as nothing."""
        place = self._places.get(key)
        return self._values[place] if place is not None and self._ends[place] > self._clock() else None

    def put(self, key: str, value: Value, *, byte_count: int, ttl_s: float) -> bool:
        """Keeps a value in the place of an earlier one; whether it is kept. What is refused leaves no earlier one.

        Args:
            key: its key.
            value: the value.
            byte_count: bytes that it takes, with its own objects.
            ttl_s: seconds that it may be given for.
        """
        self._age()
        if key in self._places:
            self._drop(key)
        now, cost, requests = self._clock(), _cost(key, byte_count), self._sketch.count(key)
        if ttl_s <= 0 or not self._make_room(cost, requests / cost, now):
            self.refused += 1
            return False
        self._places[key] = len(self._keys)
        entry = (key, value, now + ttl_s, cost, requests, self._era)
        for column, cell in zip(self._columns, entry, strict=True):
            column.append(cell)
        self._cost += cost
        while self._keys and self.byte_count > self.limit_bytes:  # a table has grown, which it does in great steps
            self._evict(self._worst(_SAMPLE, now)[0][1], now)
        return key in self._places

    def remove(self, key: str) -> bool:
        """Forgets a key; whether there was a value."""
        had = self.peek(key) is not None
        if key in self._places:
            self._drop(key)
        return had

    def remove_where(self, unwanted: Callable[[str, Value], bool]) -> int:
        """Forgets all that is unwanted, which takes a look at every value; how many there were."""
        found = [key for key, value in zip(self._keys, self._values, strict=True) if unwanted(key, value)]
        return sum(self.remove(key) for key in found)

    def clear(self) -> int:
        """Forgets all values, though not what is popular; how many there were."""
        now = self._clock()
        count = sum(ends > now for ends in self._ends)
        self._empty()
        return count

    def _make_room(self, cost: int, worth: float, now: float) -> bool:
        """Lets entries go that bring less than a newcomer; none goes when they are not enough for it."""
        missing = self.byte_count + cost - self.limit_bytes
        if missing <= 0:
            return True
        if not self._keys:
            return False
        average = self._cost / len(self._keys)
        going: list[str] = []
        for least, key in self._worst(_SAMPLE * math.ceil(missing / average), now):
            if least >= worth:
                return False
            going.append(key)
            missing -= self._costs[self._places[key]]
            if missing <= 0:
                for gone in going:
                    self._evict(gone, now)
                return True
        return False

    def _worst(self, count: int, now: float) -> list[tuple[float, str]]:
        """The next entries, each with the requests that a byte of it brings, the fewest first.

        What is past its time brings less than nothing.
        """
        size = len(self._keys)
        count = min(count, _LARGEST_SAMPLE, size)
        begin = self._hand if self._hand < size else 0
        self._hand = begin + count
        ends, costs, keys = self._ends, self._costs, self._keys
        places = [place % size for place in range(begin, begin + count)]
        return sorted(
            (self._aged(place) / costs[place] if ends[place] > now else -1.0, keys[place]) for place in places
        )

    def _evict(self, key: str, now: float) -> None:
        self.evicted += self._ends[self._places[key]] > now
        self._drop(key)

    def _drop(self, key: str) -> None:
        """Takes an entry out, and the last one into its place; the sketch remembers how often it was asked for."""
        place = self._places.pop(key)
        self._sketch.raise_to(key, self._aged(place))
        self._cost -= self._costs[place]
        for column in self._columns:
            column[place] = column[-1]
            del column[-1]
        if place < len(self._keys):
            self._places[self._keys[place]] = place

    def _aged(self, place: int) -> int:
        """The requests of an entry, halved for each era that has ended since they were last looked at."""
        if self._eras[place] != self._era:
            self._requests[place] >>= self._era - self._eras[place]
            self._eras[place] = self._era
        return self._requests[place]

    def _age(self) -> None:
        """Begins a new era when there were enough requests in this one."""
        requests = self.hits + self.misses
        if requests >= self._era_ends:
            self._era_ends = requests + _AGEING * max(_SAMPLE, len(self._keys))
            self._era += 1
            self._sketch.halve()


def _cost(key: str, byte_count: int) -> int:
    """Bytes that an entry takes beside the columns."""
    return _PLACE_BYTES + (sys.getsizeof(key) + 15 & ~15) + byte_count + byte_count // _LOST_SHARE
