"""The load of the memory tier: which keys are asked for, how large their values are, and what is the same every time.

Popularity is Zipf's, as of words, pages and books: Breslau, Cao, Fan, Phillips and Shenker, "Web Caching and Zipf-like
Distributions: Evidence and Implications" (INFOCOM 1999), which finds exponents of 0.64 to 0.83 for web proxies.
"""

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

EQUAL, VARIED = "1 KB", "1 to 30 KB"
"""The two mixtures of sizes."""

_KB = 1024
_LARGEST_KB = 30
_STEP = 2654435761
"""Knuth's multiplicative hash (The Art of Computer Programming 3, 6.4): sizes that have nothing to do with rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A number of keys, the first the most popular, and how they are asked for."""

    key_count: int
    """Keys."""
    exponent: float
    """Zipf's: the n-th key is asked for in proportion to n to the power of minus this."""
    sizes: str
    """EQUAL or VARIED."""
    seed: int = 1
    """What chance begins with."""

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.sizes}, Zipf {self.exponent}"

    def shares(self) -> Sequence[float]:
        """Each key's share of the requests."""
        weights = array("d", ((rank + 1) ** -self.exponent for rank in range(self.key_count)))
        whole = sum(weights)
        return array("d", (weight / whole for weight in weights))

    def requests(self, count: int) -> Sequence[int]:
        """Which keys are asked for, one after the other, each time independently of what was asked before."""
        chance = random.Random(self.seed)  # noqa: S311 - a load, not a secret
        until = list(accumulate(self.shares()))
        return array("I", chance.choices(range(self.key_count), cum_weights=until, k=count))

    def each_once(self) -> Sequence[int]:
        """Every key once, in an order of chance's."""
        keys = array("I", range(self.key_count))
        random.Random(self.seed).shuffle(keys)  # noqa: S311 - the same
        return keys

    def size(self, key: int) -> int:
        """Bytes of a key's value, without its object."""
        if self.sizes == EQUAL:
            return _KB
        return _KB + (key + 1) * _STEP % 2**32 * (_LARGEST_KB - 1) * _KB // 2**32


def name(key: int) -> str:
    """A key as text, as long as the cache's own are; a new object each time."""
    return f"search:{key:064x}"
