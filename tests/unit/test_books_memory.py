"""The memory tier: what it gives, what it keeps and lets go, and that it never takes more than it may."""

import sys
import tracemalloc

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mesh.testing import FakeClock
from services.books.memory import Memory, entry_bytes

LIMIT = 64 * 1024


def memory_of(limit_bytes: int = LIMIT, clock: FakeClock | None = None) -> Memory[object]:
    """A tier on a clock that stands still."""
    return Memory(limit_bytes, clock=clock or FakeClock())


def fill(memory: Memory[object], *, byte_count: int = 1000, asked: int = 1) -> list[str]:
    """Puts values in until one makes another go or is refused; the keys that are kept."""
    number = 0
    while not memory.refused and not memory.evicted:
        ask(memory, f"filling {number}", byte_count=byte_count, times=asked)
        number += 1
    return [key for key in (f"filling {each}" for each in range(number)) if memory.peek(key) is not None]


def ask(memory: Memory[object], key: str, *, byte_count: int = 1000, times: int = 1) -> bool:
    """Asks for a key as callers do, who put what was not there; whether it is there in the end."""
    for _ in range(times):
        if memory.get(key) is None:
            memory.put(key, key, byte_count=byte_count, ttl_s=60)
    return memory.peek(key) is not None


def test_get_and_put() -> None:
    """What was put is given, to its key alone, and each time is counted."""
    memory, value = memory_of(), object()
    assert memory.put("key", value, byte_count=100, ttl_s=60) is True
    assert (memory.get("key"), memory.get("other"), memory.get("key")) == (value, None, value)
    assert (memory.hits, memory.misses, memory.refused, memory.evicted, len(memory)) == (2, 1, 0, 0, 1)


def test_time_is_over() -> None:
    """A value is given until its time is over, and not a moment longer; then it takes no room."""
    clock = FakeClock()
    memory = memory_of(clock=clock)
    empty = memory.byte_count
    memory.put("key", "value", byte_count=1000, ttl_s=10)
    clock.advance(9.999)
    before = memory.get("key")
    clock.advance(0.001)
    assert (before, memory.peek("key"), memory.get("key"), len(memory)) == ("value", None, None, 0)
    assert memory.byte_count < empty + 1000


def test_no_time_at_all() -> None:
    """A value that may not be given is not kept."""
    memory = memory_of()
    assert [memory.put("key", "value", byte_count=10, ttl_s=ttl_s) for ttl_s in (0, -1)] == [False, False]
    assert (memory.peek("key"), memory.refused) == (None, 2)


def test_peek_counts_as_nothing() -> None:
    """Looking after the tier makes nothing more popular, and is no hit and no miss."""
    memory = memory_of()
    memory.put("key", "value", byte_count=10, ttl_s=60)
    assert (memory.peek("key"), memory.peek("other"), memory.hits, memory.misses) == ("value", None, 0, 0)


def test_replaced() -> None:
    """A later value stands in the place of the earlier one, with its own size and time."""
    clock = FakeClock()
    memory = memory_of(clock=clock)
    memory.put("key", "long", byte_count=5000, ttl_s=10)
    memory.put("key", "short", byte_count=100, ttl_s=100)
    clock.advance(50)
    assert (memory.get("key"), len(memory)) == ("short", 1)
    assert memory.byte_count < 5000


def test_refused_leaves_no_earlier_one() -> None:
    """A later value for which there is no room takes the earlier one with it, for that is out of date."""
    memory = memory_of()
    memory.put("key", "early", byte_count=100, ttl_s=60)
    assert (memory.put("key", "late", byte_count=LIMIT, ttl_s=60), memory.get("key")) == (False, None)


def test_no_room_at_all() -> None:
    """A tier of no bytes keeps nothing, and is none the worse for it."""
    for limit in (0, 1, 300):
        memory = memory_of(limit)
        assert (memory.put("key", "value", byte_count=1, ttl_s=60), memory.get("key"), memory.clear()) == (
            False,
            None,
            0,
        )


def test_remove() -> None:
    """A removed value is gone; the answer is whether there was one that could be given."""
    clock = FakeClock()
    memory = memory_of(clock=clock)
    memory.put("old", "value", byte_count=10, ttl_s=1)
    clock.advance(1)
    memory.put("key", "value", byte_count=10, ttl_s=60)
    assert [memory.remove(key) for key in ("key", "key", "never", "old")] == [True, False, False, False]
    assert (memory.get("key"), len(memory)) == (None, 0)


def test_remove_where() -> None:
    """Everything unwanted is gone, and nothing else."""
    memory = memory_of()
    for number in range(20):
        memory.put(f"key {number}", number, byte_count=10, ttl_s=60)
    assert memory.remove_where(lambda key, value: key.endswith("7") or value == 3) == 3
    assert [number for number in range(20) if memory.peek(f"key {number}") is None] == [3, 7, 17]


def test_clear() -> None:
    """All is gone at once, with the room that it took."""
    clock = FakeClock()
    memory = memory_of(clock=clock)
    empty = memory.byte_count
    memory.put("old", "value", byte_count=10, ttl_s=1)
    clock.advance(1)
    memory.put("key", "value", byte_count=10, ttl_s=60)
    assert (memory.clear(), memory.get("key"), len(memory), memory.byte_count) == (1, None, 0, empty)


def test_popular_ones_outlast_a_scan() -> None:
    """What is asked for again and again stays, however many others are asked for once."""
    memory = memory_of()
    popular = fill(memory, asked=4)
    for number in range(10_000):
        ask(memory, f"once {number}")
        if number % 5 == 0:
            ask(memory, popular[number // 5 % len(popular)])
    assert sum(memory.peek(key) is not None for key in popular) > 0.95 * len(popular)


def test_newcomer_that_is_asked_for() -> None:
    """What is asked for more often than what is kept finds its place."""
    memory = memory_of()
    fill(memory, asked=2)
    assert ask(memory, "newcomer") is False
    assert ask(memory, "newcomer", times=3) is True


def test_change_of_taste() -> None:
    """What was popular once makes way for what is popular now."""
    memory = memory_of()
    old = fill(memory, asked=30)
    new = [f"new {number}" for number in range(len(old))]
    for _ in range(100):
        for key in new:
            ask(memory, key)
    assert sum(memory.peek(key) is not None for key in new) > 0.8 * len(new)


def test_small_ones_first() -> None:
    """Of values that are asked for alike, the small ones stay, for more of them fit in."""
    memory = memory_of()
    for _ in range(6):
        for number in range(100):
            ask(memory, f"small {number}", byte_count=200)
            ask(memory, f"large {number}", byte_count=4000)
    small = sum(memory.peek(f"small {number}") is not None for number in range(100))
    large = sum(memory.peek(f"large {number}") is not None for number in range(100))
    assert (small > 90, large < 10) == (True, True)


def test_removed_stays_popular() -> None:
    """A popular value that was purged is taken in again at once, though the tier is full."""
    memory = memory_of()
    popular = fill(memory, asked=4)[0]
    memory.remove(popular)
    ask(memory, "in its place", times=2)
    assert ask(memory, popular) is True


def test_over_goes_first() -> None:
    """A value whose time is over makes way for anything, and counts for no eviction."""
    clock = FakeClock()
    memory = memory_of(clock=clock)
    kept = fill(memory, asked=9)
    evicted = memory.evicted
    clock.advance(61)
    for number in range(len(kept) // 2):
        assert ask(memory, f"unknown {number}") is True
    assert memory.evicted == evicted


def test_true_cost() -> None:
    """The process grows by no more than the tier says, and not by much less."""
    tracemalloc.start()
    try:
        began = tracemalloc.get_traced_memory()[0]
        memory: Memory[bytes] = Memory(2 << 20, clock=FakeClock())
        for number in range(4000):
            value = bytes(500 + number % 1000)
            memory.put(f"{number:070}", value, byte_count=sys.getsizeof(value), ttl_s=60)
            del value
        grown = tracemalloc.get_traced_memory()[0] - began
    finally:
        tracemalloc.stop()
    assert 0.85 * memory.byte_count < grown <= memory.byte_count <= 2 << 20


class MemoryMachine(RuleBasedStateMachine):
    """Anything that may be done to a tier, in any order, beside a plain dict of what was put."""

    keys = st.integers(0, 60).map("key {}".format)

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.put_in: dict[str, tuple[int, int, float]] = {}
        self.number = 0

    @initialize(limit=st.integers(1_500, 20_000))
    def begin(self, limit: int) -> None:
        """A tier of this many bytes."""
        self.memory: Memory[int] = Memory(limit, clock=self.clock)

    @rule(key=keys, byte_count=st.integers(0, 3_000) | st.integers(0, 30_000), ttl_s=st.floats(-1, 100))
    def put(self, key: str, byte_count: int, ttl_s: float) -> None:
        """What was put is there, unless it was refused; then there is nothing."""
        self.number += 1
        taken = self.memory.put(key, self.number, byte_count=byte_count, ttl_s=ttl_s)
        assert self.memory.peek(key) == (self.number if taken and self.clock() + ttl_s > self.clock() else None)
        self.put_in[key] = (self.number, byte_count, self.clock() + ttl_s)

    @rule(key=keys)
    def get(self, key: str) -> None:
        """What is given is the latest that was put, within its time."""
        hits, misses = self.memory.hits, self.memory.misses
        found = self.memory.get(key)
        if found is not None:
            value, _, ends = self.put_in[key]
            assert (found, ends > self.clock()) == (value, True)
        assert (self.memory.hits - hits, self.memory.misses - misses) == ((0, 1) if found is None else (1, 0))

    @rule(key=keys)
    def remove(self, key: str) -> None:
        """What was removed is gone."""
        had = self.memory.peek(key) is not None
        assert (self.memory.remove(key), self.memory.peek(key)) == (had, None)
        self.put_in.pop(key, None)

    @rule(remainder=st.integers(0, 3))
    def remove_where(self, remainder: int) -> None:
        """What was unwanted is gone, and the rest is where it was."""
        there = {key for key in self.put_in if self.memory.peek(key) is not None}
        unwanted = {key for key in there if self.put_in[key][0] % 4 == remainder}
        assert self.memory.remove_where(lambda _, value: value % 4 == remainder) == len(unwanted)
        assert {key for key in self.put_in if self.memory.peek(key) is not None} == there - unwanted

    @rule()
    def clear(self) -> None:
        """Nothing is left."""
        there = sum(self.memory.peek(key) is not None for key in self.put_in)
        assert (self.memory.clear(), len(self.memory)) == (there, 0)

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @precondition(lambda self: hasattr(self, "memory"))
    @invariant()
    def within_its_bytes(self) -> None:
        """It is never above its limit, and knows to the byte what it has."""
        memory = self.memory
        entries = sum(entry_bytes(key, self.put_in[key][1]) for key in memory._keys)
        tables = [memory._places, *memory._columns, memory._sketch._counters]
        assert memory.byte_count == entries + sum(map(sys.getsizeof, tables))
        assert memory.byte_count <= memory.limit_bytes

    @precondition(lambda self: hasattr(self, "memory"))
    @invariant()
    def at_its_place(self) -> None:
        """Each key is known once, at the place where its value stands."""
        memory = self.memory
        assert memory._places == {key: place for place, key in enumerate(memory._keys)}
        assert {len(column) for column in memory._columns} == {len(memory)}
        assert memory._values == [self.put_in[key][0] for key in memory._keys]


TestMemoryMachine = MemoryMachine.TestCase
TestMemoryMachine.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
