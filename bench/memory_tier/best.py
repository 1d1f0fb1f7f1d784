"""The best possible: how often a value can be at hand within a number of bytes, by two standards."""

import heapq
import sys
from collections.abc import Callable, Sequence

from bench.memory_tier.load import Load, name

BYTES_OBJECT = sys.getsizeof(b"")
"""What a bytes object takes beside its bytes."""


def bare_bytes(load: Load, key: int) -> int:
    """What an entry takes at the least: its key and its value, as objects of Python, and nothing to find them by."""
    return sys.getsizeof(name(key)) + BYTES_OBJECT + load.size(key)


def best_choice(load: Load, limit_bytes: int, cost: Callable[[int], int]) -> float:
    """The hit ratio of keeping, for good, the values that bring the most for their bytes.

    Where each request is independent of the earlier ones no policy that does not know the future does better: Aho,
    Denning and Ullman, "Principles of Optimal Page Replacement" (Journal of the ACM 18, 1971). With sizes that differ
    it is the relaxed knapsack, so at most one value better than what can be.

    Args:
        load: what is asked for.
        limit_bytes: the bytes.
        cost: bytes that a key's entry takes.
    """
    shares, costs = load.shares(), [cost(key) for key in range(load.key_count)]
    left, ratio = float(limit_bytes), 0.0
    for key in sorted(range(load.key_count), key=lambda key: -shares[key] / costs[key]):
        part = min(1.0, left / costs[key])
        ratio += part * shares[key]
        left -= part * costs[key]
        if left <= 0:
            break
    return ratio


def clairvoyant(requests: Sequence[int], room: int, *, counted_from: int) -> float:
    """The hit ratio of who knows the future, and keeps what is asked for next soonest; for values of equal size.

    Belady, "A Study of Replacement Algorithms for a Virtual-Storage Computer" (IBM Systems Journal 5, 1966): MIN.

    Args:
        requests: the keys.
        room: how many values there is room for.
        counted_from: the first request that counts.
    """
    never = len(requests)
    following, seen = [never] * never, dict[int, int]()
    for at in range(never - 1, -1, -1):
        following[at] = seen.get(requests[at], never)
        seen[requests[at]] = at
    kept, latest_first, hits = dict[int, int](), list[tuple[int, int]](), 0
    for at, key in enumerate(requests):
        hits += key in kept and at >= counted_from
        kept[key] = following[at]
        heapq.heappush(latest_first, (-following[at], key))
        while len(kept) > room:
            after, gone = heapq.heappop(latest_first)
            if kept.get(gone) == -after:
                del kept[gone]
    return hits / (never - counted_from)
