"""The memory of the process as a tier, placeholder."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from mesh.call import Clock

Value = TypeVar("Value")


class Memory(Generic[Value]):
    def __init__(self, limit_bytes: int, *, clock: Clock) -> None:
        self.limit_bytes = limit_bytes
        self._clock = clock
        self._d: OrderedDict[str, tuple[Value, int, float]] = OrderedDict()
        self.byte_count = 0
        self.hits = self.misses = self.refused = self.evicted = 0

    def get(self, key: str) -> Value | None:
        f = self._d.get(key)
        if f is None or f[2] <= self._clock():
            self.misses += 1
            return None
        self.hits += 1
        return f[0]

    def peek(self, key: str) -> Value | None:
        f = self._d.get(key)
        return None if f is None or f[2] <= self._clock() else f[0]

    def put(self, key: str, value: Value, *, byte_count: int, ttl_s: float) -> bool:
        self.remove(key)
        self._d[key] = (value, byte_count, self._clock() + ttl_s)
        self.byte_count += byte_count
        while self.byte_count > self.limit_bytes:
            _, f = self._d.popitem(last=False)
            self.byte_count -= f[1]
            self.evicted += 1
        return key in self._d

    def remove(self, key: str) -> bool:
        f = self._d.pop(key, None)
        if f:
            self.byte_count -= f[1]
        return f is not None

    def remove_where(self, unwanted: Callable[[str, Value], bool]) -> int:
        gone = [k for k, f in self._d.items() if unwanted(k, f[0])]
        for k in gone:
            self.remove(k)
        return len(gone)

    def clear(self) -> int:
        n = len(self._d)
        self._d.clear()
        self.byte_count = 0
        return n
