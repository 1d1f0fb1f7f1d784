"""Other policies for a cache, as simple as their papers have them: what the tier's own is measured beside."""

from collections import OrderedDict, deque
from typing import Protocol

from bench.memory_tier.load import name
from services.books.sketch import Sketch


class Policy(Protocol):
    """A cache of which only the policy is there: entries have a cost, and no value."""

    def ask(self, key: int, cost: int) -> bool:
        """Whether an entry was at hand; one that was not is offered."""


class Lru:
    """Least recently used."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[int, int] = OrderedDict()
        self._used = 0

    def ask(self, key: int, cost: int) -> bool:
        """Moves what is asked for to the end, and lets go from the beginning."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return True
        self._entries[key] = cost
        self._used += cost
        while self._used > self._limit:
            self._used -= self._entries.popitem(last=False)[1]
        return False


class Sieve:
    """Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is Simpler than LRU" (NSDI 2024).

    The queue is a list with holes, so that the hand stands where it stood; holes are closed when they are the most.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._costs: dict[int, int] = {}
        self._visited: set[int] = set()
        self._queue: list[int | None] = []
        self._hand = 0
        self._used = 0

    def ask(self, key: int, cost: int) -> bool:
        """Marks what is asked for; the hand goes from old to new, clears marks, and lets go of what has none."""
        if key in self._costs:
            self._visited.add(key)
            return True
        while self._used + cost > self._limit:
            self._let_go()
        self._queue.append(key)
        self._costs[key] = cost
        self._used += cost
        return False

    def _let_go(self) -> None:
        while True:
            if self._hand >= len(self._queue):
                self._queue = [key for key in self._queue if key is not None]
                self._hand = 0
            key = self._queue[self._hand]
            if key is not None:
                if key not in self._visited:
                    break
                self._visited.remove(key)
            self._hand += 1
        self._queue[self._hand] = None
        self._used -= self._costs.pop(key)


class S3Fifo:
    """Yang, Zhang, Qiu, Yue and Vinayak, "FIFO Queues are All You Need for Cache Eviction" (SOSP 2023)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._small: deque[tuple[int, int]] = deque()
        self._main: deque[tuple[int, int]] = deque()
        self._ghost: OrderedDict[int, None] = OrderedDict()
        self._asked: dict[int, int] = {}
        self._small_used = self._main_used = 0

    def ask(self, key: int, cost: int) -> bool:
        """New ones stand in the small queue, a tenth of the room; those that come back go to the main one."""
        if key in self._asked:
            self._asked[key] = min(3, self._asked[key] + 1)
            return True
        while self._small_used + self._main_used + cost > self._limit:
            if self._small_used > self._limit // 10 or not self._main:
                self._from_small()
            else:
                self._from_main()
        self._asked[key] = 0
        if key in self._ghost:
            del self._ghost[key]
            self._to_main(key, cost)
        else:
            self._small.append((key, cost))
            self._small_used += cost
        return False

    def _to_main(self, key: int, cost: int) -> None:
        self._main.append((key, cost))
        self._main_used += cost

    def _from_small(self) -> None:
        key, cost = self._small.popleft()
        self._small_used -= cost
        if self._asked[key] > 1:
            self._asked[key] = 0
            self._to_main(key, cost)
        else:
            del self._asked[key]
            self._ghost[key] = None
            while len(self._ghost) > len(self._asked) + 1:
                self._ghost.popitem(last=False)

    def _from_main(self) -> None:
        key, cost = self._main.popleft()
        self._main_used -= cost
        if self._asked[key]:
            self._asked[key] -= 1
            self._to_main(key, cost)
        else:
            del self._asked[key]


class WTinyLfu:
    """Einziger, Friedman and Manes, "TinyLFU" (ACM Transactions on Storage 13, 2017).

    A window of 1 %, a main cache in two segments, 80 % of it protected. With sizes it admits as "Lightweight Robust
    Size Aware Cache Management" (the same with Eytan, ACM Transactions on Storage 18, 2022): a newcomer must be asked
    for more often than all together that would make way for it.
    """

    def __init__(self, limit: int) -> None:
        self._window_limit = limit // 100
        self._main_limit = limit - self._window_limit
        self._window: OrderedDict[int, int] = OrderedDict()
        self._probation: OrderedDict[int, int] = OrderedDict()
        self._protected: OrderedDict[int, int] = OrderedDict()
        self._window_used = self._main_used = self._protected_used = 0
        self._sketch = Sketch(limit // 64)
        self._requests = 0

    def ask(self, key: int, cost: int) -> bool:
        """Counts every request, and halves the counts after ten for each entry."""
        self._sketch.add(name(key))
        self._requests += 1
        if self._requests > 10 * (100 + len(self._window) + len(self._probation) + len(self._protected)):
            self._requests //= 2
            self._sketch.halve()
        for segment in (self._window, self._protected):
            if key in segment:
                segment.move_to_end(key)
                return True
        if key in self._probation:
            self._protect(key)
            return True
        self._window[key] = cost
        self._window_used += cost
        while self._window_used > self._window_limit:
            newcomer, its_cost = self._window.popitem(last=False)
            self._window_used -= its_cost
            self._admit(newcomer, its_cost)
        return False

    def _protect(self, key: int) -> None:
        self._protected[key] = self._probation.pop(key)
        self._protected_used += self._protected[key]
        while self._protected_used > self._main_limit * 4 // 5:
            other, cost = self._protected.popitem(last=False)
            self._protected_used -= cost
            self._probation[other] = cost

    def _admit(self, key: int, cost: int) -> None:
        missing, against = self._main_used + cost - self._main_limit, 0
        least, going = self._sketch.count(name(key)), list[tuple[OrderedDict[int, int], int]]()
        for segment in (self._probation, self._protected):
            for other, its_cost in segment.items():
                if missing <= 0:
                    break
                against += self._sketch.count(name(other))
                going.append((segment, other))
                missing -= its_cost
                if against >= least:
                    for each, stays in going:
                        each.move_to_end(stays)
                    return
        for segment, other in going:
            gone = segment.pop(other)
            self._main_used -= gone
            self._protected_used -= gone if segment is self._protected else 0
        self._probation[key] = cost
        self._main_used += cost
